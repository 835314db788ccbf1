"""A day of Ann's and Bo's that went through every stage: each table, cache and page names both."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import orjson
import polars as pl

from pipeline.datadir import DataDir
from pipeline.grading.judge_calls import export_ledger
from pipeline.grading.ledger import CallRecord, Ledger, Limits
from pipeline.ingest import assemble_day
from pipeline.ingest.suppression import read_suppression
from pipeline.lake import Lake
from pipeline.provenance import Counts, Provenance
from pipeline.redaction.replacement.keys import CONTENT_KEY_VARIABLE, SurrogateKey, load_key
from pipeline.registry import load_registry
from pipeline.review.annotations import Annotation, write_annotation
from pipeline.suite.file import render_suite
from pipeline.tables import (
    EVAL_SUITE,
    FAILURE_MODE_CLUSTERS,
    FAILURE_MODES,
    GRADES,
    MODE_RATES,
    MODE_STATES,
    PROMOTED_CASES,
    QUARANTINED_RECORDS,
    RAW_TRACES,
    REDACTED_TRACES,
    RUN_SUMMARIES,
    SLOW_FAILURES,
    STRATIFIED_SAMPLES,
    UNKNOWN_INTENTS,
    Table,
)
from pipeline.windows import Window, day, week
from tests.hand_made_lake import frame
from tests.pipeline.erasure.people import every_span, trace_id, verdict
from tests.pipeline.ingest.spans import drop, request

DAY, WEEK = day("2026-11-02"), week("2026-11-02")
ANNS_CASE, BOS_CASE = "case-00000000000a", "case-00000000000b"


def key_of(place: DataDir) -> SurrogateKey:
    """The data directory's content key."""
    path = place.keys / "content.key"
    return load_key(path, {}, create=True, variable=CONTENT_KEY_VARIABLE)


def run_ingest(place: DataDir) -> pl.DataFrame:
    """Publish the day's raw traces, as the asset does; returns them."""
    key, lake = key_of(place), Lake(place)
    listed = read_suppression(place, key.subkey("suppression"), key.subkey("user"))
    entries = load_registry(place.registry, DAY)
    with assemble_day(place, DAY, entries, key.subkey("user"), suppression=listed) as found:
        there = lake.exists(RAW_TRACES, DAY)
        found.require_sources(lake.read(RAW_TRACES, DAY) if there else RAW_TRACES.empty())
        bad = found.quarantined
        kept = Provenance(Counts("records", bad.height, bad.height), found.files)
        lake.publish(QUARANTINED_RECORDS, DAY, bad, kept, "ingest")
        lake.publish(RAW_TRACES, DAY, found.frames(), Provenance(found.counts, found.files))
    return lake.read(RAW_TRACES, DAY)


def publish_everything(place: DataDir) -> None:
    """Land and publish the day; the tables after `raw_traces` are made by hand, for all traces."""
    torn = '{"resourceSpans": [{"user.id": "ann@shop.example", torn'
    drop(place, "a.jsonl", *(request(one) for one in every_span()), torn)
    drop(place, "verdicts.jsonl", verdict(1), verdict(3))
    raw = run_ingest(place)
    rows = raw.select("trace_id", "user_key", "messages").to_dicts()
    digested = [row | {"content_digest": f"c-{row['trace_id']}"} for row in rows]
    graded = [_of(row) | _graded(row, check) for row in rows for check in ("tone", "tool")]
    _put(place, STRATIFIED_SAMPLES, DAY, [_of(row) for row in rows])
    _put(place, REDACTED_TRACES, DAY, digested)
    _put(place, GRADES, DAY, graded)
    _put(place, FAILURE_MODE_CLUSTERS, DAY, [_of(row) | _failed(row) for row in rows])
    _put(place, PROMOTED_CASES, DAY, [_of(row) | _decided(row) for row in rows])
    example = {"metric": "top", "slice": "m", "example": trace_id(1)}
    _put(place, RUN_SUMMARIES, DAY, [example, example | {"metric": "x", "example": trace_id(3)}])
    found = {"named_by": "terms", "signatures": [], "centroid": [], "releases": [],
             "merged_from": []}  # fmt: skip
    _put(place, FAILURE_MODES, WEEK, [
        found | {"failure_mode_id": "m-ann", "exemplars": [trace_id(1)]},
        found | {"failure_mode_id": "m-both", "exemplars": [trace_id(2), trace_id(4)]},
    ])  # fmt: skip
    known = [{"failure_mode_id": mode} for mode in ("m-ann", "m-both")]
    _put(place, MODE_RATES, WEEK, [row | {"release": "2.5.0"} for row in known])
    _put(place, MODE_STATES, WEEK, known)
    _put(place, SLOW_FAILURES, WEEK, [
        {"scope": "mode", "subject": mode["failure_mode_id"], "metric": "turns"} for mode in known
    ])  # fmt: skip
    _put(place, UNKNOWN_INTENTS, WEEK, [
        {"unknown_intent_id": "ui-both", "kind": "unplanned",
         "exemplars": [trace_id(1), trace_id(4)]},
    ])  # fmt: skip
    _write_suite(place)
    _fill_caches(place)


def _put(place: DataDir, table: Table, window: Window | None, rows: list[dict[str, Any]]) -> None:
    counts = Counts("rows", len(rows) + 1, len(rows), filtered={"not_drawn": 1})
    Lake(place).publish(table, window, frame(table, rows), Provenance(counts, {"x": "1"}))


def _of(row: dict[str, Any]) -> dict[str, Any]:
    return {"trace_id": row["trace_id"], "intent": "parcel", "weight": 1.0}


def _graded(row: dict[str, Any], check: str) -> dict[str, Any]:
    return {"check": check, "grader_id": f"{check}@1", "verdict": "fail",
            "user_key": row["user_key"]}  # fmt: skip


def _failed(row: dict[str, Any]) -> dict[str, Any]:
    mode = "m-ann" if row["trace_id"] == trace_id(1) else "m-both"
    return {"check": "tone", "failure_mode_id": mode}


def _decided(row: dict[str, Any]) -> dict[str, Any]:
    """Ann's first trace founded a case, and Bo's first; the other two are twins of Ann's first."""
    own = {trace_id(1): ANNS_CASE, trace_id(3): BOS_CASE}.get(row["trace_id"])
    twin = None if own else trace_id(1)
    case = {"id": own or ANNS_CASE, "provenance": {"trace_id": row["trace_id"], "twin_of": twin}}
    reasons = ["It recurs."] + [f"A near-duplicate of trace {twin}: it joins."] * bool(twin)
    return {"case_id": own or ANNS_CASE, "check": "tone", "decision": "promoted",
            "user_key": row["user_key"], "reasons": reasons,
            "case": orjson.dumps(case).decode()}  # fmt: skip


def _write_suite(place: DataDir) -> None:
    cases = [
        {"id": name, "check": "tone", "input": {"messages": [f"said in {trace}"]},
         "provenance": {"trace_id": trace_id(trace)},
         "history": {"occurrences": 2, "traces": [trace_id(trace), trace_id(2)]}}
        for name, trace in ((ANNS_CASE, 1), (BOS_CASE, 3))
    ]  # fmt: skip
    text = render_suite(cases)
    mark = f'- id: "{BOS_CASE}"'
    place.eval_dir(None).mkdir(parents=True)
    suite = place.eval_dir(None) / "cases_from_prod.yaml"
    suite.write_text(text.replace(mark, f"# Bo's, looked at by hand.\n{mark}  # a good one"))
    rows = [{"case_id": name, "status": "active"} for name in (ANNS_CASE, BOS_CASE)]
    _put(place, EVAL_SUITE, None, rows)


def _fill_caches(place: DataDir) -> None:
    ledger = Ledger(place.ledger)
    for number in (1, 3):
        content = f"content-{number}"
        ledger.keep("judge@1", content, json.dumps({"reason": f"it said {number}"}))
        call = ledger.reserve("run-1", "judge@1", content, trace_id(number), 0.02, Limits(1, 1))
        ledger.settle(call, CallRecord("answered", 0.01, 10.0))
        write_annotation(place.annotations, Annotation(
            trace_id=trace_id(number), verdict="bad", annotator_id="r-1", note="rude",
            annotated_at=datetime(2026, 11, 3, 9, tzinfo=UTC),
        ))  # fmt: skip
    ledger.close()
    export_ledger(place.ledger)
    page = place.reports / str(DAY)
    page.mkdir(parents=True)
    for name in ("summary.md", "summary.html"):
        (page / name).write_text(f"for example {trace_id(1)}, and {trace_id(3)}.\n")
    pulls = place.ledger / "pulls"
    pulls.mkdir()
    (pulls / "langfuse-1.json").write_text(json.dumps({"cursor": trace_id(2)}))
