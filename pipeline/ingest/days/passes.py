"""Conversations out of the index: the records of a share of a day, read, assembled, as rows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import polars as pl
import pyarrow as pa
from msgspec.structs import replace

from pipeline.datadir import DataDir
from pipeline.files import replace_file
from pipeline.ingest.collecting import collector_paused
from pipeline.ingest.days.scratch import rows_file
from pipeline.ingest.days.share import Share
from pipeline.ingest.index.landed import LandedFile, sound
from pipeline.ingest.index.lines import spans_at
from pipeline.ingest.index.tables import (
    bucket_of,
    decode_event,
    decode_lines,
    decode_records,
    read_buckets,
)
from pipeline.ingest.records import Event, Span, Trace
from pipeline.ingest.safety import safe_id
from pipeline.ingest.suppression import Suppression, read_suppression
from pipeline.ingest.traces.conversations import join_members
from pipeline.ingest.traces.deduplication import UNUSABLE, Broken, unique_events, unique_records
from pipeline.ingest.traces.frames import trace_frame
from pipeline.ingest.traces.plain import plain_trace
from pipeline.ingest.traces.pricing import priced
from pipeline.ingest.traces.spans import trace_of_spans, with_scores
from pipeline.ingest.traces.telling import is_content

__all__ = ["assemble", "assemble_share", "conversations_of", "events_of"]


class About(NamedTuple):
    """Something said of a trace elsewhere, and the digest and format of the file that says it."""

    file: str
    format: str
    event: Event


@collector_paused()
def assemble(
    place: DataDir, files: Sequence[LandedFile], members: pl.DataFrame, content_key: bytes,
    events: Mapping[str, Sequence[About]], suppression: Suppression,
) -> tuple[pl.DataFrame, Share]:  # fmt: skip
    """Assemble the conversations of `members` (see `planning.Plan`).

    Args:
        place: the data directory.
        files: the landing files that hold their records.
        members: one row a trace.
        content_key: key of the digests of user ids.
        events: what was said of traces elsewhere, by trace id.
        suppression: who was erased; their conversations are left out.

    Returns:
        Rows of `raw_traces`, and the counts.
    """
    share = Share()
    found: list[Trace] = []
    for ids, traces in conversations_of(place, files, members, events, share):
        broken = [one for one in share.broken if one.trace_id in ids] if suppression else []
        names = _names_of(ids, traces, suppression) if suppression else frozenset()
        if names:
            share.erased += sum(t.records for t in traces) + sum(one.spans for one in broken)
            share.erased_for |= names
            share.members += [str(safe_id(one, content_key)) for one in ids]
            share.broken = [one for one in share.broken if one not in broken]
        elif traces:
            found.append(join_members(traces))
    frame, broken_rows = trace_frame(found, content_key)
    lost = {trace.trace_id for trace, _ in broken_rows}
    share.broken += [
        Broken(trace.trace_id, min(trace.files), trace.started_at, trace.records, error)
        for trace, error in broken_rows
    ]
    share.kept += sum(trace.records for trace in found if trace.trace_id not in lost)
    share.members += frame["member_trace_ids"].explode().to_list()
    return frame, share


def conversations_of(
    place: DataDir, files: Sequence[LandedFile], members: pl.DataFrame,
    events: Mapping[str, Sequence[About]], share: Share,
) -> Iterator[tuple[list[str], list[Trace]]]:  # fmt: skip
    """The ids of each conversation's members, and those of them that make a trace.

    What was read, was there twice, or makes no trace is added to `share`.
    """
    chosen = members.select("conversation", "trace_id", "start", "service", "session")
    bodies = _bodies(place, files, chosen["trace_id"].to_list())
    rows = chosen.iter_rows(named=True)
    for _, group in groupby(rows, key=lambda member: member["conversation"]):
        ids: list[str] = []
        traces: list[Trace] = []
        for member in group:
            ids.append(member["trace_id"])
            records = bodies.pop(member["trace_id"], [])
            trace = _trace(place, member, records, events.get(member["trace_id"], ()), share)
            if trace is not None:
                traces.append(trace)
        yield ids, traces


def _names_of(
    ids: Sequence[str], traces: Sequence[Trace], suppression: Suppression
) -> frozenset[str]:
    """The names on the list that a conversation belongs to: by any of its members."""
    sessions = {trace.session_id for trace in traces}
    return suppression.found_in(ids, sessions, {trace.user_id for trace in traces})


def assemble_share(task: dict[str, Any]) -> Any:
    """Assemble one share of a large day into a file: the work of one process."""
    place = DataDir(Path(task["root"]))
    files = msgspec.convert(task["files"], list[LandedFile])
    scratch = Path(task["scratch"])
    members = pl.read_parquet(scratch / "members.parquet").filter(pl.col("share") == task["share"])
    about = events_of(pl.read_parquet(scratch / "events.parquet"), set(members["trace_id"]))
    key = bytes.fromhex(task["key"])
    listed = read_suppression(place, bytes.fromhex(task["suppression_key"]), key)
    frame, share = assemble(place, files, members, key, about, listed)
    with replace_file(rows_file(scratch, task["share"]), 0o600, durable=False) as temporary:
        frame.write_parquet(temporary, compression="lz4", statistics=False)
    return msgspec.to_builtins(share)


def events_of(frame: pl.DataFrame, traces: set[str]) -> dict[str, list[About]]:
    """Events by the trace they are about: columns trace_id, sha256, format, body."""
    found: dict[str, list[About]] = defaultdict(list)
    columns = frame.select("trace_id", "sha256", "format", "body")
    for trace_id, sha, kind, body in columns.iter_rows():
        if trace_id in traces:
            found[trace_id].append(About(sha, kind, decode_event(body)))
    return found


def _bodies(
    place: DataDir, files: Sequence[LandedFile], traces: Sequence[str]
) -> dict[str, list[tuple[LandedFile, str, bytes]]]:
    """The undecoded records of the traces, by trace id."""
    wanted = frozenset(traces)
    buckets = {bucket_of(trace_id) for trace_id in traces}
    found: dict[str, list[tuple[LandedFile, str, bytes]]] = defaultdict(list)
    for file in files:
        for path in file.tables(place, "records"):
            with sound(path):
                table = read_buckets(path, buckets, ["trace_id", "kind", "body"])
            ids = table["trace_id"].to_pylist()
            mine = [n for n, trace_id in enumerate(ids) if trace_id in wanted]
            chosen = table if len(mine) == len(ids) else table.take(pa.array(mine, pa.int64()))
            kinds, bodies = chosen["kind"].to_pylist(), chosen["body"].to_pylist()
            for n, kind, body in zip(mine, kinds, bodies, strict=True):
                found[ids[n]].append((file, kind, body))
    return found


def _records(
    place: DataDir, file: LandedFile, kind: str, body: bytes, trace_id: str
) -> Sequence[Span | Trace]:
    if kind == "lines":
        return spans_at(place, file, decode_lines(body), trace_id)
    return decode_records(kind, body)


def _trace(
    place: DataDir,
    member: Mapping[str, Any],
    found: Sequence[tuple[LandedFile, str, bytes]],
    about: Sequence[About],
    share: Share,
) -> Trace | None:
    """One trace out of its records; None, and noted as broken, where they make none."""
    files = {file.sha256 for file, _, _ in found} | {said.file for said in about}
    share.files |= files
    records = [
        record
        for file, kind, body in found
        for record in _records(place, file, kind, body, member["trace_id"])
    ]
    share.records += len(records)
    spans, wholes, repeated, conflicting = unique_records(records)
    events = unique_events([said.event for said in about])
    share.repeated += repeated + max(len(wholes) - 1, 0)
    formats = sorted(file.format or "" for file, _, _ in found)
    formats = formats or sorted(said.format for said in about)
    traces: list[Trace] = []
    try:
        plain = not events and not conflicting and bool(spans)
        trace = plain_trace(spans, source=formats[0]) if plain else None
        if trace is None and (spans or any(is_content(event.name) for event in events)):
            trace = trace_of_spans(spans, events, source=formats[0], conflicting=conflicting)
        traces += [trace] if trace is not None else []
    except UNUSABLE as error:
        begun = datetime.fromtimestamp(member["start"] / 1e6, UTC)
        name = type(error).__name__
        share.broken.append(Broken(member["trace_id"], min(files), begun, len(spans), name))
    if wholes:
        traces.append(with_scores(priced(wholes[0]), events))
    if not traces:
        return None
    best = max(traces, key=lambda trace: len(trace.messages))
    share.repeated += sum(trace.records for trace in traces) - best.records
    return replace(
        best,
        service=member["service"] or best.service,
        session_id=member["session"] or best.session_id,
        flags=best.flags | ({"conflicting_duplicate"} if conflicting else frozenset()),
        files=frozenset(files),
    )
