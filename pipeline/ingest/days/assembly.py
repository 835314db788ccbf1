"""One day of `raw_traces`, out of whatever lies in landing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import polars as pl

from pipeline.datadir import DataDir
from pipeline.ids import digest
from pipeline.ingest.days.attachments import events_about
from pipeline.ingest.days.gathering import DayRows, gather
from pipeline.ingest.days.planning import plan_day
from pipeline.ingest.index.known import landed_files
from pipeline.ingest.index.landed import LandedFile
from pipeline.ingest.quarantine import dropped_records
from pipeline.ingest.records import Malformed
from pipeline.ingest.rows import broken_row, quarantine_row
from pipeline.ingest.suppression import Suppression
from pipeline.provenance import Counts
from pipeline.tables import QUARANTINED_RECORDS, RAW_TRACES
from pipeline.windows import Window

if TYPE_CHECKING:  # a worker need not load it
    from pipeline.registry import Registry

__all__ = ["Assembly", "SourcesGone", "TooManyQuarantined", "assemble_day"]


class TooManyQuarantined(RuntimeError):
    """More of a day's records could not be read than the settings allow."""


class SourcesGone(RuntimeError):
    """Conversations of a published day have lost the files they were read from."""


@dataclass(frozen=True)
class Assembly:
    """A day's conversations, what could not be read, and the landing files it all came from.

    Rows of a large day may lie in a scratch folder until the end: use it in a `with` statement.
    """

    rows: DayRows
    members: frozenset[str]
    """The trace ids that were read, as they stand in `raw_traces`."""
    quarantined: pl.DataFrame
    counts: Counts
    files: Mapping[str, str]
    landed: frozenset[str]
    """The sha256 of every file in landing."""
    scratch: ExitStack = field(default_factory=ExitStack)

    def frames(self) -> Iterator[pl.DataFrame]:
        """The rows of `raw_traces`: frames in the order of its key, within one in any."""
        return self.rows.frames()

    @property
    def traces(self) -> pl.DataFrame:
        """All rows of `raw_traces` at once."""
        return pl.concat([RAW_TRACES.empty(), *self.frames()]).sort(RAW_TRACES.key)

    def __enter__(self) -> Assembly:
        return self

    def __exit__(self, *error: object) -> None:
        self.scratch.close()

    def require_sources(self, before: pl.DataFrame) -> None:
        """Refuse to drop conversations from a published day because their files have gone.

        Args:
            before: trace_id and source_files of the day's `raw_traces` as published, empty if it
                never was.

        Raises:
            SourcesGone: naming the counts and what to do.
        """
        lost = [
            row["trace_id"]
            for row in before.select("trace_id", "source_files").iter_rows(named=True)
            if row["trace_id"] not in self.members
            and not self.landed.issuperset(row["source_files"])
        ]
        if lost:
            raise SourcesGone(
                f"raw_traces: {len(lost)} of the {before.height} conversations that this day was "
                "published with have lost their files in landing; the day was kept as it is. Land "
                "the files again, or remove the day's directory in data/raw/raw_traces to go on "
                "without them"
            )

    def require_ratio(self, limit: float) -> None:
        """Refuse a day of which more than the share `limit` was quarantined.

        Raises:
            TooManyQuarantined: with the counts and what to do.
        """
        read = self.counts.records_out + self.counts.quarantined
        if self.counts.quarantined > limit * read:
            raise TooManyQuarantined(
                f"raw_traces: {self.counts.quarantined} of {read} records could not be read, more "
                f"than the {limit:.1%} of ingest.quarantine_ratio; they are kept in "
                "quarantined_records and the day's traces were not published. See the "
                "reasons with `caselaw quarantine ls`; then land corrected files and drop the "
                "broken ones with `caselaw quarantine drop`, or raise the ratio"
            )


def assemble_day(
    place: DataDir,
    window: Window,
    registry: Registry,
    content_key: bytes,
    progress: Callable[[int, int], None] = lambda done, total: None,
    suppression: Suppression | None = None,
) -> Assembly:
    """Assemble the conversations that start on the UTC day of `window`.

    Every landing file is read once, by whichever day comes first; a day then reads its own records
    from the landing index. Counted are spans and whole conversations.

    Args:
        place: the data directory.
        window: the day.
        registry: for the gap between turns and the size limits.
        content_key: key of the digests of user ids.
        progress: called with bytes of new landing files read so far, and all of them.
        suppression: who was erased (see `suppression.read_suppression`); their conversations and
            broken records are counted and left out.
    """
    erased = suppression or Suppression(b"", content_key)
    settings = registry.settings.ingest
    files = landed_files(
        place, settings.largest_record_mb * 2**20, settings.settle_minutes * 60, progress
    )
    plan = plan_day(place, files, window, timedelta(minutes=settings.conversation_gap_minutes))
    events = events_about(place, files, plan, window)
    with ExitStack() as stack:  # what fails leaves no scratch folder behind
        rows, share = gather(place, plan, events, content_key, erased, stack)
        scratch = stack.pop_all()
    every = _malformed(place, files, window)
    about = [erased.found_in_text(row["payload"]) for row in every]
    names = share.erased_for.union(*about)
    withheld = sum(map(bool, about))
    every = [row for row, found in zip(every, about, strict=True) if not found]
    given_up = dropped_records(place)
    bad_rows = [row for row in every if row["record_id"] not in given_up]
    dropped = sorted({row["record_id"] for row in every} & given_up)
    by_sha = {file.sha256: file for file in files}
    unreadable = len(bad_rows)
    quarantined = unreadable + sum(one.spans for one in share.broken)
    bad_rows += [broken_row(by_sha[one.file], one, content_key) for one in share.broken]
    used = share.files | {row["file_sha256"] for row in bad_rows}
    inputs = {f"landing/{sha[:12]}": sha for sha in sorted(used)}
    inputs |= {"quarantine/dropped": digest(dropped)} if dropped else {}
    inputs |= {"privacy/suppressed": digest(sorted(names))} if names else {}
    filtered = {"dropped": len(every) - unreadable} if dropped else {}
    filtered |= {"erased": share.erased + withheld} if names else {}
    return Assembly(
        rows=rows,
        members=frozenset(share.members),
        quarantined=pl.DataFrame(
            list({row["record_id"]: row for row in bad_rows}.values()),
            schema=QUARANTINED_RECORDS.schema,
        ),
        # What belongs to other days is left out: a neighbour's file must not alter this footer.
        counts=Counts(
            unit="records",
            records_in=share.records + len(every) + withheld,
            records_out=share.kept,
            duplicates=share.repeated,
            quarantined=quarantined,
            filtered=filtered,
        ),
        files=inputs,
        landed=frozenset(by_sha),
        scratch=scratch,
    )


def _malformed(place: DataDir, files: Sequence[LandedFile], window: Window) -> list[dict[str, Any]]:
    """The records that could not be read of files whose malformed ones count on this day."""
    rows: list[dict[str, Any]] = []
    for file in files:
        if file.malformed and file.fallback_day == window.key:
            for path in file.tables(place, "malformed"):
                for row in pl.read_parquet(path, glob=False).iter_rows(named=True):
                    rows.append(quarantine_row(file, Malformed(**row)))
    return rows
