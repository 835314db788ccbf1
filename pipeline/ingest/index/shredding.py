"""A landing file, read once: its records as tables that any day can pick its own from."""

from __future__ import annotations

from pathlib import Path

from pipeline.ingest.collecting import collector_paused
from pipeline.ingest.index.pile import Pile, Shredded
from pipeline.ingest.readers import LineReader, Reader
from pipeline.ingest.records import Malformed
from pipeline.ingest.source import Source, Unreadable

__all__ = ["shred"]

_READ_AGAIN = 40  # records of a line at most: it is decoded whole for each trace that it tells of


def shred(reader: Reader, source: Source, folder: Path, label: str) -> Shredded:
    """Read `source` and write its tables, `<table>-<label>-<n>`, into `folder`.

    A table that stays empty has no file. Parts are bounded, and so is memory: 242 MB at most in a
    worker reading a million spans.
    """
    pile = Pile(folder, label, reader.name, source.day)
    with collector_paused():
        try:
            lines = None
            if isinstance(reader, LineReader) and source.compression is None:
                lines = reader.lines(source)
            if lines is None:
                for record in reader.read(source):
                    pile.add((record,))
            for line in lines or ():
                again = len(line.records) <= _READ_AGAIN
                pile.add(line.records, line.offset if again else None)
        except Unreadable as error:
            pile.add_malformed(Malformed(error.reason, error.detail, 0, 0, b""))
        return pile.finish()
