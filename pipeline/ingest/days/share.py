"""What came of a share of a day's conversations, in numbers."""

from __future__ import annotations

import msgspec

from pipeline.ingest.traces.deduplication import Broken

__all__ = ["Share"]


class Share(msgspec.Struct):
    """What came of a share of a day's conversations, beside the rows themselves."""

    records: int = 0
    """Spans and whole traces that were read."""
    kept: int = 0
    repeated: int = 0
    broken: list[Broken] = msgspec.field(default_factory=list)
    files: set[str] = msgspec.field(default_factory=set)
    """The sha256 of the files that something was read from."""
    members: list[str] = msgspec.field(default_factory=list)
    """The trace ids that were read, as they stand in `raw_traces`."""
    erased: int = 0
    """Spans and whole traces of people who were erased: left out here."""
    erased_for: set[str] = msgspec.field(default_factory=set)
    """Their names on the list."""

    def plus(self, other: Share) -> Share:
        """Both together."""
        return Share(
            self.records + other.records,
            self.kept + other.kept,
            self.repeated + other.repeated,
            self.broken + other.broken,
            self.files | other.files,
            self.members + other.members,
            self.erased + other.erased,
            self.erased_for | other.erased_for,
        )
