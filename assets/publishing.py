"""What every asset body shares: go through partitions, publish each, fail clearly."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager

import dagster as dg
import polars as pl

from assets.errors import clear_errors
from assets.reading import Reading
from pipeline.files import sha256
from pipeline.ids import digest
from pipeline.lake import CorruptPartition
from pipeline.lease import working
from pipeline.parquet import count_rows
from pipeline.provenance import Counts, Provenance
from pipeline.tables import Table
from pipeline.windows import Window
from resources import LakeResource, RegistryResource

__all__ = ["PUBLISHED", "Publication", "publishing"]

PUBLISHED = "published"
"""First word of the log line of each published partition; a progress display counts them."""

Fact = int | float | str | bool


class Publication(Reading):
    """One run of one asset: iterate over its partitions, read each, and `publish` it.

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
        self._table = table
        self._digests: list[str] = []
        self._lease = ExitStack()
        super().__init__(lake.open(), registry)

    def __iter__(self) -> Iterator[Window]:
        """The partitions of the run, in order of time."""
        if self._table.unit is None:
            raise ValueError(f"{self._table.name} has no partitions to iterate over")
        for key in sorted(self._context.partition_keys):
            window = Window(self._table.unit, key)
            self.begin(window)
            yield window

    def published_before(self, *columns: str) -> pl.DataFrame:
        """Columns of the partition as it is published now; no row where it never was, or is torn.

        A torn one is about to be made anew: to refuse that would leave it torn for ever.
        """
        try:
            if self.lake.exists(self._table, self.window):
                return self.lake.read(self._table, self.window, columns)
        except CorruptPartition as error:
            self._context.log.warning(str(error))
        return self._table.empty().select(columns)

    def report_bytes(self, done: int, total: int) -> None:
        """Tell how much of a long reading is done."""
        self._context.log.info(f"read {done >> 20} of {total >> 20} MB of new landing files")

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
        provenance = Provenance(counts, self.inputs, self.sections, version)
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
        return self.lake.command(self.window, there=True)

    def end(self) -> None:
        """Let go of what the run holds: an erasure may go on."""
        self._lease.close()

    def begin(self, window: Window | None) -> None:
        """Begin with a partition, under a lease of its own: an erasure may come in between."""
        self._lease.close()
        self._lease.enter_context(working(self.place))
        super().begin(window)


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
