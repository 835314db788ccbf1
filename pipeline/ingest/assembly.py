"""One day of `raw_traces`, out of whatever lies in landing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

import polars as pl

from pipeline.datadir import DataDir
from pipeline.ingest.conversations import join_conversations
from pipeline.ingest.deduplication import UNUSABLE, Broken, traces_of
from pipeline.ingest.landing import LandedFile, files_for, landed_files
from pipeline.ingest.readers import choose_reader
from pipeline.ingest.records import Malformed, Span, Trace
from pipeline.ingest.rows import broken_row, quarantine_row, trace_row
from pipeline.provenance import Counts
from pipeline.registry import Registry
from pipeline.tables import QUARANTINED_RECORDS, RAW_TRACES
from pipeline.windows import Window

__all__ = ["Assembly", "SourcesGone", "TooManyQuarantined", "assemble_day"]

_REACH = timedelta(days=1)
_FURTHEST = timedelta(days=7)


class TooManyQuarantined(RuntimeError):
    """More of a day's records could not be read than the settings allow."""


class SourcesGone(RuntimeError):
    """Conversations of a published day have lost the files they were read from."""


@dataclass(frozen=True)
class Assembly:
    """A day's conversations, what could not be read, and the landing files it all came from."""

    traces: pl.DataFrame
    quarantined: pl.DataFrame
    counts: Counts
    files: Mapping[str, str]
    landed: frozenset[str]
    """The sha256 of every file in landing."""

    def require_sources(self, before: pl.DataFrame) -> None:
        """Refuse to drop conversations from a published day because their files have gone.

        Args:
            before: the day's `raw_traces` as published, empty if it never was.

        Raises:
            SourcesGone: naming the counts and what to do.
        """
        now = set(self.traces["member_trace_ids"].explode().to_list())
        lost = [
            row["trace_id"]
            for row in before.select("trace_id", "source_files").iter_rows(named=True)
            if row["trace_id"] not in now and not self.landed.issuperset(row["source_files"])
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
                "reasons with `caselaw quarantine ls`; then remove the files it names from landing "
                "and land corrected ones, or raise the ratio"
            )


def assemble_day(
    place: DataDir, window: Window, registry: Registry, content_key: bytes
) -> Assembly:
    """Assemble the conversations that start on the UTC day of `window`.

    Files of the neighbouring days are read too: a conversation may run past midnight, and the
    spans of a trace may be flushed into the next file. Counted are spans (or chat records).

    Args:
        place: the data directory.
        window: the day.
        registry: for the gap between turns and the size limits.
        content_key: key of the digests of user ids.
    """
    settings = registry.settings.ingest
    largest = settings.largest_record_mb * 2**20
    gap = timedelta(minutes=settings.conversation_gap_minutes)
    files = landed_files(place, largest)
    lower, upper = window.first - _REACH, window.first + _REACH
    while True:
        chosen = list(files_for(files, lower, upper))
        spans, traces, malformed = _read(place, chosen, largest)
        found, repeated, broken = traces_of(spans, traces)
        joined = join_conversations(found, gap)
        reach = _needed(joined, window.first, lower, upper, gap)
        if reach == (lower, upper):
            break
        lower, upper = reach
    read = Counter([s.trace_id for s in spans] + [t.trace_id for t in traces])
    kept, lost = sum(t.records for t in joined), sum(b.spans for b in broken)
    Counts("records", read.total(), kept, repeated.total(), lost).check(f"raw_traces/{window}")
    rows, bad_rows = [], []
    for trace in (trace for trace in joined if trace.started_at.date() == window.first):
        try:
            rows.append((trace, trace_row(trace, content_key)))
        except UNUSABLE as error:
            name, where = type(error).__name__, min(trace.files)
            broken.append(Broken(trace.trace_id, where, trace.started_at, trace.records, name))
    by_sha = {file.sha256: file for file in chosen}
    for one in (b for b in broken if b.started_at.date() == window.first):
        bad_rows.append((one.spans, broken_row(by_sha[one.file], one, content_key)))
    unreadable = [(file, bad) for file, bad in malformed if file.fallback_day == window.key]
    bad_rows += [(1, quarantine_row(file, bad)) for file, bad in unreadable]
    members = {m for trace, _ in rows for m in trace.members}
    members |= {b.trace_id for b in broken if b.started_at.date() == window.first}
    used = {sha for trace, _ in rows for sha in trace.files} | {
        r["file_sha256"] for _, r in bad_rows
    }
    quarantined = sum(count for count, _ in bad_rows)
    return Assembly(
        traces=pl.DataFrame([row for _, row in rows], schema=RAW_TRACES.schema),
        quarantined=pl.DataFrame(
            list({row["record_id"]: row for _, row in bad_rows}.values()),
            schema=QUARANTINED_RECORDS.schema,
        ),
        # What belongs to other days is left out: a neighbour's file must not alter this footer.
        counts=Counts(
            unit="records",
            records_in=sum(read[member] for member in members) + len(unreadable),
            records_out=sum(trace.records for trace, _ in rows),
            duplicates=sum(repeated[member] for member in members),
            quarantined=quarantined,
        ),
        files={f"landing/{sha[:12]}": sha for sha in sorted(used)},
        landed=frozenset(file.sha256 for file in files),
    )


def _read(
    place: DataDir, files: Iterable[LandedFile], largest: int
) -> tuple[list[Span], list[Trace], list[tuple[LandedFile, Malformed]]]:
    spans: list[Span] = []
    traces: list[Trace] = []
    malformed: list[tuple[LandedFile, Malformed]] = []
    for file in files:
        source = file.source(place, largest)
        reader = choose_reader(source.path)
        if reader is None:
            size = source.path.stat().st_size
            detail = "no reader knows this format"
            malformed.append((file, Malformed("unknown_format", detail, 0, size, b"")))
            continue
        for record in reader.read(source):
            if isinstance(record, Span):
                spans.append(record)
            elif isinstance(record, Trace):
                traces.append(record)
            else:
                malformed.append((file, record))
    return spans, traces, malformed


def _needed(
    joined: Iterable[Trace], day: date, lower: date, upper: date, gap: timedelta
) -> tuple[date, date]:
    """Widen the days to read while a conversation of `day` may reach beyond them.

    Later: it ends too near to the last day read. Earlier: spans are missing, so its first one
    may lie further back. At most a week is looked through either way.
    """
    mine = [trace for trace in joined if trace.started_at.date() == day]
    end = max((trace.ended_at + gap for trace in mine), default=None)
    if end is not None and end.date() > upper:
        upper = max(upper, min(end.date(), day + _FURTHEST))
    if not all(trace.complete or not trace.timed for trace in mine) and day - lower < _FURTHEST:
        lower -= _REACH
    return lower, upper
