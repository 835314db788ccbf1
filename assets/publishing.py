"""What every asset body shares: read with a trail, publish partition by partition, fail clearly."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import timedelta

import dagster as dg
import polars as pl

from assets.errors import clear_errors
from pipeline.datadir import DataDir
from pipeline.files import sha256
from pipeline.ids import digest
from pipeline.lake import MissingPartition
from pipeline.lease import working
from pipeline.parquet import count_rows
from pipeline.provenance import Counts, Provenance
from pipeline.redaction import SCHEME, require_one_scheme
from pipeline.registry import Registry
from pipeline.tables import GRADES, REDACTED_TRACES, Table
from pipeline.verifying import require_unaltered
from pipeline.windows import Window, previous_week, week, weeks_before
from resources import LakeResource, RegistryResource

__all__ = ["PUBLISHED", "ChainBroken", "Publication", "publishing"]

PUBLISHED = "published"
"""First word of the log line of each published partition; a progress display counts them."""

Fact = int | float | str | bool


class ChainBroken(LookupError):
    """Days of the week before were graded, but what that week leaves to the next is missing."""


class Publication:
    """One run of one asset: iterate over its partitions, `read`, and `publish` each.

    Whatever is read through it, or noted, is named in the provenance of what is published next.
    """

    def __init__(
        self,
        context: dg.AssetExecutionContext,
        lake: LakeResource,
        registry: RegistryResource,
        table: Table,
    ) -> None:
        self._context = context
        self.lake = lake.open()
        self._registry = registry
        self._table = table
        self._digests: list[str] = []
        self._lease = ExitStack()
        self.window: Window | None = None
        self._start(None)

    def __iter__(self) -> Iterator[Window]:
        """The partitions of the run, in order of time."""
        if self._table.unit is None:
            raise ValueError(f"{self._table.name} has no partitions to iterate over")
        for key in sorted(self._context.partition_keys):
            window = Window(self._table.unit, key)
            self._start(window)
            yield window

    @property
    def place(self) -> DataDir:
        """The rooms of the data directory."""
        return self.lake.place

    def published_before(self, *columns: str) -> pl.DataFrame:
        """Columns of the partition as it is published now; no row where it never was."""
        there = self.lake.exists(self._table, self.window)
        if not there:
            return self._table.empty().select(columns)
        return self.lake.read(self._table, self.window, columns)

    def report_bytes(self, done: int, total: int) -> None:
        """Tell how much of a long reading is done."""
        self._context.log.info(f"read {done >> 20} of {total >> 20} MB of new landing files")

    def registry(self, *sections: str, as_of: Window | None = None) -> Registry:
        """The registry as of the partition's end; `sections` are those that the step reads."""
        window = as_of or self.window
        if window is None:
            raise ValueError("a table without partitions must say as of when it reads the registry")
        found = self._registry.as_of(window)
        self._sections |= found.digests_of(*sections)
        return found

    def read(self, table: Table, windows: Window | Sequence[Window] | None) -> pl.DataFrame:
        """Read partitions that must be there, and are as they were written."""
        frame = self.lake.read(table, windows)
        listed = windows if isinstance(windows, Sequence) else [windows]
        digests = self.lake.digests(table, listed)
        require_unaltered(self.lake, table, listed, digests)
        self._inputs |= digests
        return frame

    def cite(self, tables: Sequence[Table], window: Window) -> None:
        """Name partitions that the step reads from the lake by itself, those that are there."""
        for table in tables:
            self._inputs |= self.lake.digests(table, [window])

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
            raise ChainBroken(
                f"needs {table.name} of {before}, which is missing although {len(graded)} of its "
                f"days were graded ({graded[0].key} to {graded[-1].key}); nothing of this "
                "partition was changed. Close that week first: "
                + self.place.make("backfill", graded[0].key, before.days[-1].key)
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
        self._inputs[name] = version

    def note_all(self, versions: Mapping[str, str]) -> None:
        """Name several things that the result depends on, such as landing files, by version."""
        self._inputs |= versions

    def publish(
        self,
        rows: pl.DataFrame | Iterable[pl.DataFrame],
        counts: Counts,
        *,
        table: Table | None = None,
        part: str = "part-0",
        **facts: Fact,
    ) -> None:
        """Publish the partition and attach its row count, counts and `facts` to it in Dagster.

        Args:
            rows: fit the table; if many, frame after frame in the order of the key.
            counts: obeys the conservation law.
            table: a side table that this asset also writes, without metadata in Dagster.
            part: the file of that side table.
            facts: further numbers and labels of our own for Dagster; never text of a trace.
        """
        version = self._context.assets_def.code_versions_by_key[self._context.asset_key] or "1"
        provenance = Provenance(counts, self._inputs, self._sections, version)
        target = table or self._table
        path = self.lake.publish(target, self.window, rows, provenance, part)
        height = count_rows(path)
        self._digests.append(sha256(path))
        self._context.log.info(f"{PUBLISHED} {target.name} {self.window or ''}: {height} rows")
        if table is None:
            kind = "dagster/partition_row_count" if self.window else "dagster/row_count"
            self._context.add_asset_metadata(
                {kind: height} | _counted(counts) | facts,
                partition_key=self.window.key if self.window else None,
            )

    @property
    def result(self) -> dg.MaterializeResult:
        """What the asset returns: a data version that changes when any published byte does."""
        return dg.MaterializeResult(data_version=dg.DataVersion(digest(*self._digests)))

    def again(self) -> str:
        """The command that runs the partition again."""
        days = self.window.days if self.window else ()
        if not days:
            return self.place.make("publish")
        return self.place.make("backfill", days[0].key, days[-1].key)

    def end(self) -> None:
        """Let go of what the run holds: an erasure may go on."""
        self._lease.close()

    def _start(self, window: Window | None) -> None:
        self._lease.close()
        self._lease.enter_context(working(self.place))
        self.window = window
        self._inputs: dict[str, str] = {}
        self._sections: dict[str, str] = {}


@contextmanager
def publishing(
    context: dg.AssetExecutionContext, lake: LakeResource, registry: RegistryResource, table: Table
) -> Iterator[Publication]:
    """Run an asset body; whatever it raises reaches Dagster without any text of a trace.

    Raises:
        dg.Failure: naming asset and partition; it is not retried, the same inputs fail again.
    """
    run = Publication(context, lake, registry, table)
    try:
        with clear_errors(lambda: f"{table.name} {run.window or ''}".strip(), run.again):
            yield run
    finally:
        run.end()


def _counted(counts: Counts) -> dict[str, Fact]:
    """The conservation counts as metadata."""
    body: dict[str, Fact] = {
        f"{counts.unit} in": counts.records_in,
        "out": counts.records_out,
        "duplicates": counts.duplicates,
        "quarantined": counts.quarantined,
    }
    return body | {f"filtered: {reason}": n for reason, n in sorted(counts.filtered.items())}
