"""Records that a person gave up stay given up when the file around them is rewritten.

They are listed by an id that their file's digest and their place in it have a part in.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

import polars as pl

from pipeline.datadir import DataDir
from pipeline.ingest.index.landed import LandedFile
from pipeline.ingest.quarantine import drop_records, dropped_records
from pipeline.ingest.records import Malformed
from pipeline.ingest.rows import quarantine_row

__all__ = ["Content", "give_up_again", "given_up_in"]

Content = tuple[str, str, bytes]
"""The path of a file, and the reason and the text of a record in it."""


def given_up_in(place: DataDir, files: Sequence[LandedFile]) -> Counter[Content]:
    """The given-up records of files that are about to be rewritten."""
    known = dropped_records(place)
    return Counter(content for name, content in _malformed(place, files) if name in known)


def give_up_again(place: DataDir, files: Sequence[LandedFile], before: Counter[Content]) -> None:
    """List the same records under the ids that they have now.

    Args:
        place: the data directory.
        files: the landing index after the rewriting.
        before: what `given_up_in` found.
    """
    left, names = Counter(before), list[str]()
    for name, content in _malformed(place, files):
        if left[content] > 0:
            left[content] -= 1
            names.append(name)
    if names:
        drop_records(place, names)


def _malformed(place: DataDir, files: Sequence[LandedFile]) -> Iterator[tuple[str, Content]]:
    for file in files:
        for path in file.tables(place, "malformed") if file.malformed else ():
            for row in pl.read_parquet(path, glob=False).iter_rows(named=True):
                record = Malformed(**row)
                name = quarantine_row(file, record)["record_id"]
                yield name, (file.path, record.reason, record.payload)
