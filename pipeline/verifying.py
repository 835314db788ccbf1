"""Published files against their manifests: what is altered, torn, missing or unnamed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import orjson

from pipeline.files import sha256
from pipeline.lake import CorruptPartition, Lake
from pipeline.tables import ALL, Table
from pipeline.windows import Window

__all__ = ["Checked", "check_files", "require_unaltered"]


@dataclass(frozen=True)
class Checked:
    """One published file.

    Attributes:
        path: below the data directory.
        problem: what is wrong; None where its bytes are those of its manifest.
        command: makes it anew.
    """

    path: Path
    problem: str | None
    command: str


def check_files(lake: Lake) -> Iterator[Checked]:
    """Read every published file of every table, and compare it with the manifest beside it."""
    for table in ALL.values():
        zone = lake.place.raw if table.zone == "raw" else lake.place.lake
        root = zone / table.name
        for folder in sorted(root.glob(f"{table.unit}=*")) if table.unit else [root]:
            key = folder.name.partition("=")[2]
            window = Window(table.unit, key) if table.unit else None
            yield from _check_folder(lake, table, window, folder)


def _check_folder(
    lake: Lake, table: Table, window: Window | None, folder: Path
) -> Iterator[Checked]:
    there = {path.name for path in folder.glob("*.parquet")}
    expected = _manifest(folder)
    for name in sorted(there | (expected or {}).keys()):
        path = folder / name
        shown = path.relative_to(lake.place.root)
        yield Checked(shown, _problem(path, expected), lake.command(window, there=True))


def require_unaltered(
    lake: Lake, table: Table, windows: Sequence[Window | None], digests: Mapping[str, str]
) -> None:
    """Refuse partitions whose bytes are not those that were written: a bit flipped on the disk.

    A file that is younger than its manifest was just swapped in, or its writer was killed: it is
    whole, and its manifest will follow. `check_files` asks for both.

    Args:
        lake: the lake.
        table: of the partitions.
        windows: the partitions.
        digests: the sha256 of their files, as `Lake.digests` gives them.

    Raises:
        CorruptPartition: naming the file and the command that makes it anew.
    """
    for window in windows:
        for path in lake.files(table, window):
            digest = digests.get(f"{table.name}/{window or 'all'}/{path.name}")
            if digest and _altered(path, digest) and _altered(path, sha256(path)):
                raise CorruptPartition(
                    f"{table.name}: {path.relative_to(lake.place.root)} is not as it was written: "
                    "its sha256 is another than its manifest's. The file was left as it is. Make "
                    f"it anew with: {lake.command(window, there=True)}"
                )


def _altered(path: Path, digest: str) -> bool:
    expected = (_manifest(path.parent) or {}).get(path.name)
    if expected in (None, digest):
        return False
    try:
        manifest = (path.parent / "_manifest.json").stat()
        return manifest.st_mtime_ns >= path.stat().st_mtime_ns
    except FileNotFoundError:
        return False


def _manifest(folder: Path) -> dict[str, str] | None:
    """The sha256 of each file that a manifest names; None where it cannot be read."""
    try:
        listed = orjson.loads((folder / "_manifest.json").read_bytes())
        return {name: one["sha256"] for name, one in listed.items()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None


def _problem(path: Path, expected: dict[str, str] | None) -> str | None:
    if expected is None:
        return "the manifest beside it cannot be read"
    if path.name not in expected:
        return "no manifest names it, as after a kill"
    try:
        actual = sha256(path)[:12]
    except FileNotFoundError:
        actual = "missing"
    except OSError as error:
        return f"cannot be read: {error.strerror}"
    wanted = expected[path.name][:12]
    return None if actual == wanted else f"expected {wanted}, is {actual}"
