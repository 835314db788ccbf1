"""What a step reads, with a trail: whatever it reads or notes is named in what it publishes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta

import polars as pl

from pipeline.datadir import DataDir
from pipeline.lake import Lake, MissingPartition
from pipeline.redaction import SCHEME, require_one_scheme
from pipeline.registry import Registry
from pipeline.retention import is_past
from pipeline.tables import GRADES, REDACTED_TRACES, Table
from pipeline.verifying import require_unaltered
from pipeline.windows import Window, previous_week, week, weeks_before
from resources import RegistryResource

__all__ = ["ChainBroken", "Reading"]


class ChainBroken(LookupError):
    """Days of the week before were graded, but what that week leaves to the next is missing."""


class Reading:
    """Reads the lake and the registry for one partition after another.

    Attributes:
        lake: where tables are read.
        window: the partition that is being made; None for a table without partitions.
        inputs: the digest of every file read, and the version of all that was noted, by name.
        sections: the digests of the registry's sections that were read.
    """

    def __init__(self, lake: Lake, registry: RegistryResource) -> None:
        self.lake = lake
        self._registry = registry
        self.begin(None)

    def begin(self, window: Window | None) -> None:
        """Begin with a partition: nothing of it has been read yet."""
        self.window = window
        self.inputs: dict[str, str] = {}
        self.sections: dict[str, str] = {}

    @property
    def place(self) -> DataDir:
        """The rooms of the data directory."""
        return self.lake.place

    def registry(self, *sections: str, as_of: Window | None = None) -> Registry:
        """The registry as of the partition's end; `sections` are those that the step reads."""
        window = as_of or self.window
        if window is None:
            raise ValueError("a table without partitions must say as of when it reads the registry")
        found = self._registry.as_of(window)
        self.sections |= found.digests_of(*sections)
        return found

    def read(self, table: Table, windows: Window | Sequence[Window] | None) -> pl.DataFrame:
        """Read partitions that must be there, and are as they were written."""
        frame = self.lake.read(table, windows)
        listed = windows if isinstance(windows, Sequence) else [windows]
        digests = self.lake.digests(table, listed)
        require_unaltered(self.lake, table, listed, digests)
        self.inputs |= digests
        return frame

    def cite(self, tables: Sequence[Table], window: Window) -> None:
        """Name partitions that the step reads from the lake by itself, those that are there."""
        for table in tables:
            self.inputs |= self.lake.digests(table, [window])

    def read_days(self, table: Table, days: Sequence[Window]) -> pl.DataFrame:
        """Read those of `days` that were published, under one another with their `day`.

        Raises:
            MissingPartition: none of them was.
            KeysMixed: they carry surrogates of different keys.
        """
        there = [day for day in days if self.lake.exists(table, day)]
        if not there:
            raise MissingPartition(
                f"{table.name} has none of the {len(days)} days that are needed; nothing was "
                f"changed. Run: {self.place.make('backfill', days[0].key, days[-1].key)}"
                if days
                else f"{table.name} has no day yet; nothing was changed. Run: "
                + self.place.make("backfill", "YYYY-MM-DD")
            )
        self._note_scheme((REDACTED_TRACES, day) for day in there)
        return pl.concat(
            self.read(table, day).with_columns(pl.lit(day.first, pl.Date).alias("day"))
            for day in there
        )

    def read_weeks_before(self, table: Table, number: int) -> pl.DataFrame:
        """Read those days of the `number` weeks before this one that are published."""
        assert self.window is not None
        days = [day for week in weeks_before(self.window, number) for day in week.days]
        return self.read(table, [day for day in days if self.lake.exists(table, day)])

    def read_week_before(self, table: Table) -> pl.DataFrame | None:
        """Read what the week before left; None where the chain starts.

        Raises:
            ChainBroken: days of that week were graded, but it was not closed.
            KeysMixed: it was closed on surrogates of another key than this window's.
        """
        assert self.window is not None
        before = previous_week(self.window)
        if self.lake.exists(table, before):
            days = [(REDACTED_TRACES, day) for day in (*before.days, *self.window.days)]
            self._note_scheme([(table, before), *days])
            return self.read(table, before)
        graded = [day for day in before.days if self.lake.exists(GRADES, day)]
        if graded:
            dropped = is_past(self.place, graded[0])  # its days are run no more, the week still is
            days_of_it = () if dropped else (graded[0].key, before.days[-1].key)
            raise ChainBroken(
                f"needs {table.name} of {before}, which is missing although {len(graded)} of its "
                f"days were graded ({graded[0].key} to {graded[-1].key}); nothing of this "
                "partition was changed. Close that week first: "
                + self.place.make("backfill", *days_of_it)
            )
        return None

    def read_weeks(self, table: Table, count: int, *, with_this: bool = True) -> pl.DataFrame:
        """Read the `count` weeks that end with this one, or those before it, with their `week`.

        Weeks that were never made are left out: the chain may start anywhere.
        """
        assert self.window is not None
        firsts = (self.window.first - timedelta(weeks=n) for n in range(count))
        weeks = [week(first) for first in firsts][0 if with_this else 1 :]
        there = [one for one in reversed(weeks) if self.lake.exists(table, one)]
        empty = table.empty().with_columns(pl.lit(None, pl.Date).alias("week"))
        return pl.concat(
            [
                empty,
                *(
                    self.read(table, one).with_columns(pl.lit(one.first, pl.Date).alias("week"))
                    for one in there
                ),
            ]
        )

    def _note_scheme(self, partitions: Iterable[tuple[Table, Window]]) -> None:
        """Refuse a mixture of surrogates, and name the key that all of them were made with."""
        scheme = require_one_scheme(self.lake, partitions)
        if scheme is not None:
            self.note(SCHEME, scheme)

    def note(self, name: str, version: str) -> None:
        """Name something else that the result depends on, such as a model, by its version."""
        self.inputs[name] = version

    def note_all(self, versions: Mapping[str, str]) -> None:
        """Name several things that the result depends on, such as landing files, by version."""
        self.inputs |= versions
