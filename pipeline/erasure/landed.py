"""Landing without those who are erased: every file that holds a record of theirs, one by one."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.datadir import DataDir
from pipeline.erasure.rewriting import BeingWritten, Outcome, rewrite
from pipeline.erasure.telling import Speakers
from pipeline.files import sha256, sweep
from pipeline.ingest.days.scratch import scratch_folder
from pipeline.ingest.index.known import forget_file, purge_index
from pipeline.ingest.index.landed import LandedFile
from pipeline.ingest.landing import given_day, lying_files, plain_name
from pipeline.ingest.source import Source

__all__ = ["FileErased", "erase_landing", "with_twins"]


@dataclass(frozen=True)
class FileErased:
    """A landing file and what became of it; None where another process is writing to it."""

    file: str
    outcome: Outcome | None


def erase_landing(
    place: DataDir,
    files: Sequence[LandedFile],
    speakers: Speakers,
    largest_record: int,
    before_swap: Callable[[str, str], None],
) -> Iterator[FileErased]:
    """Rewrite or remove the files, their twins under other names among them.

    Args:
        place: the data directory.
        files: those that hold a record of theirs.
        speakers: who is erased.
        largest_record: bytes, as ingest reads them.
        before_swap: told a file's digest and its next one (empty: it is removed) beforehand.
    """
    with scratch_folder(place) as scratch:
        for file, path in with_twins(place, files):
            source = Source(path, given_day(path), largest_record)

            def swap(new: str, old: str = file.sha256) -> None:
                before_swap(old, new)

            try:
                outcome = rewrite(path, source, speakers, scratch, swap)
            except BeingWritten:
                yield FileErased(_label(place, path, speakers), None)
                continue
            forget_file(place, plain_name(path.relative_to(place.landing)))
            if path.exists() and speakers.listed.found_in_name(path.name):
                path.rename(path.with_name(f"{sha256(path)[:12]}{_ending(path)}"))
            yield FileErased(_label(place, path, speakers), outcome)
    for folder in {path.parent for path in lying_files(place)} | {place.landing}:
        sweep(folder)
    purge_index(place)


def with_twins(place: DataDir, files: Sequence[LandedFile]) -> list[tuple[LandedFile, Path]]:
    """Every path that is one of the files, as it is by now, or has the content of one.

    The index keeps each content once.
    """
    by_name = {file.path: file for file in files}
    by_size: dict[int, list[LandedFile]] = {}
    for file in files:
        by_size.setdefault(file.size, []).append(file)
    found = []
    for path in lying_files(place):
        same = by_name.get(plain_name(path.relative_to(place.landing)))
        if same is None and (alike := by_size.get(os.stat(path).st_size)):
            digest = sha256(path)
            same = next((f for f in alike if f.sha256 == digest), None)
        if same is not None:
            found.append((same, path))
    return found


def _ending(path: Path) -> str:
    """What tells a file's format; a dot may stand in an id, too."""
    return "".join(path.suffixes[-2:] if path.suffix in (".gz", ".zst") else path.suffixes[-1:])


def _label(place: DataDir, path: Path, speakers: Speakers) -> str:
    """A file's name below landing, unless the name itself tells who it is."""
    name = plain_name(path.relative_to(place.landing))
    return "a file named after them" if speakers.listed.found_in_name(name) else name
