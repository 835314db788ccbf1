"""A small lake written out by hand, so that every figure derived from it can be checked by hand.

Monday 2026-11-09 saw ten conversations: two users opted out, four were drawn, four were not.

    trace  intent        pi    stands for  release
    a1     refund        1     1           r1
    a2     refund        1     1           r1
    a3     order_status  0.25  4           r1
    a4     unknown       0.5   2           r2

    check (layer, axis)                 a1    a2           a3    a4
    wrong_tool (rule, helpfulness)      fail  pass         pass  pass
    json_contract (rule, contract)      pass  skipped      -     fail
    helpfulness (judge, helpfulness)    -     pass, half   fail  unknown

("half": the judge was asked with probability 0.5.) Tuesday 2026-11-10 saw two and drew one, b1,
which fails wrong_tool with pi = 0.5 on release r2. On Wednesday 2026-11-11 nothing came in.
The week before knew one mode, m-old; m-ancient had been merged into it. It struck r0 in 3 of 20
traces of weight 2 and r1 in none of 10, is back again after a fix, and refunds took more turns.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import polars as pl

from pipeline import windows
from pipeline.lake import Lake
from pipeline.provenance import Counts, Provenance
from pipeline.tables import (
    EVAL_SUITE,
    FAILURE_MODE_CLUSTERS,
    FAILURE_MODES,
    GRADES,
    JUDGE_CALIBRATION_REPORTS,
    MODE_RATES,
    MODE_STATES,
    PROMOTED_CASES,
    QUARANTINED_RECORDS,
    RAW_TRACES,
    REDACTED_TRACES,
    SLOW_FAILURES,
    STRATIFIED_SAMPLES,
    UNKNOWN_INTENTS,
    Table,
)
from pipeline.windows import Window

BEFORE = windows.week("2026-11-02")
MONDAY = windows.day("2026-11-09")
TUESDAY = windows.day("2026-11-10")
EMPTY = windows.day("2026-11-11")
JUDGE = "embedded-test"

_TRACES: dict[str, dict[str, Any]] = {
    "a1": {"intent": "refund", "stakes": "high", "release": "r1", "pi": 1.0, "cost": 0.10},
    "a2": {"intent": "refund", "stakes": "high", "release": "r1", "pi": 1.0, "cost": 0.20},
    "a3": {"intent": "order_status", "stakes": "low", "release": "r1", "pi": 0.25, "cost": 0.05},
    "a4": {"intent": "unknown", "stakes": "low", "release": "r2", "pi": 0.5, "cost": None},
    "b1": {"intent": "refund", "stakes": "high", "release": "r2", "pi": 0.5, "cost": 0.30},
}


def publish_hand_made_lake(lake: Lake) -> None:
    """Publish the three days, the week before and the suite."""
    for window, traces in ((MONDAY, ["a1", "a2", "a3", "a4"]), (TUESDAY, ["b1"]), (EMPTY, [])):
        _publish_day(lake, window, traces)
    _put(lake, FAILURE_MODES, BEFORE, [_mode_before()])
    _put(lake, MODE_RATES, BEFORE, _rates_before())
    _put(lake, MODE_STATES, BEFORE, [_state_before()])
    _put(lake, SLOW_FAILURES, BEFORE, _slow_before())
    _put(lake, UNKNOWN_INTENTS, BEFORE, _unplanned_before())
    _put(lake, JUDGE_CALIBRATION_REPORTS, BEFORE, [_calibration_before()])
    _put(lake, EVAL_SUITE, None, [_case_of_suite()])


def _unplanned_before() -> list[dict[str, Any]]:
    """5 % of the week before was far from every intent, most of it about customs."""
    found = {
        "n_all": 200, "threshold": 3.1, "false_alarm_rate": 0.1, "false_alarm_low": 0.08,
        "false_alarm_high": 0.13, "n_calibration": 520,
        "estimator": "Hajek, weights 1/inclusion_probability",
        "first_seen": date(2026, 11, 3), "last_seen": date(2026, 11, 8), "terms": [],
        "exemplars": [], "centroid": [],
    }  # fmt: skip
    whole = {"unknown_intent_id": "all", "kind": "all", "name": "far from every planned intent",
             "n": 10, "n_users": 9, "share": 0.05, "share_low": 0.03, "share_high": 0.08,
             "trend": "steady"}  # fmt: skip
    customs = {"unknown_intent_id": "ui-customs", "kind": "unplanned", "name": "customs, duty",
               "n": 8, "n_users": 8, "share": 0.04, "share_low": 0.02, "share_high": 0.07,
               "trend": "rising", "terms": ["customs", "duty"], "exemplars": ["old-1"]}  # fmt: skip
    return [found | whole, found | customs]


def frame(table: Table, rows: list[dict[str, Any]]) -> pl.DataFrame:
    """Rows as a frame of the table; columns that a row does not name are null."""
    return pl.DataFrame([dict.fromkeys(table.columns) | row for row in rows], schema=table.schema)


def _put(
    lake: Lake,
    table: Table,
    window: Window | None,
    rows: list[dict[str, Any]],
    counts: Counts | None = None,
    part: str = "part-0",
) -> None:
    counts = counts or Counts("rows", len(rows), len(rows))
    lake.publish(table, window, frame(table, rows), Provenance(counts), part)


def _publish_day(lake: Lake, window: Window, traces: list[str]) -> None:
    monday = window == MONDAY
    spans = 3 * len(traces)
    _put(
        lake, RAW_TRACES, window, [],
        Counts("records", spans + 2 * monday, spans, duplicates=1 * monday, quarantined=1 * monday),
    )  # fmt: skip
    bad = [{"record_id": "q1", "stage": "ingest", "reason": "malformed_json", "detail": "at 7"}]
    _put(lake, QUARANTINED_RECORDS, window, bad if monday else [], part="ingest")
    left_out = {MONDAY: {"opted_out": 2, "not_drawn": 4}, TUESDAY: {"not_drawn": 1}, EMPTY: {}}
    seen = Counts("traces", len(traces) + sum(left_out[window].values()), len(traces),
                  filtered=left_out[window])  # fmt: skip
    _put(lake, STRATIFIED_SAMPLES, window, [_sample(t) for t in traces], seen)
    _put(lake, REDACTED_TRACES, window, [_redacted(t, window) for t in traces])
    _put(lake, GRADES, window, [row for t in traces for row in _grades(t)])
    _put(lake, FAILURE_MODE_CLUSTERS, window, [row for t in traces for row in _clusters(t)])
    _put(lake, PROMOTED_CASES, window, [row for t in traces for row in _decisions(t)])


def _context(trace: str) -> dict[str, Any]:
    known = _TRACES[trace]
    return {"trace_id": trace, "weight": 1 / known["pi"]} | {
        name: known[name] for name in ("intent", "stakes", "release")
    }


def _sample(trace: str) -> dict[str, Any]:
    census = _TRACES[trace]["pi"] == 1
    return _context(trace) | {
        "inclusion_probability": _TRACES[trace]["pi"],
        "intent_score": 0.2 if trace == "a4" else 0.8,
        "reason": "census" if census else "proportional",
        "signals": [],
    }


def _redacted(trace: str, window: Window) -> dict[str, Any]:
    noon = datetime.combine(window.first, datetime.min.time(), UTC)
    return {
        "trace_id": trace,
        "started_at": noon,
        "ended_at": noon,
        "release": _TRACES[trace]["release"],
        "cost_usd": _TRACES[trace]["cost"],
        "completeness": "partial" if trace == "a2" else "complete",
        "flags": ["clock_skew"] if trace == "a2" else [],
        "messages": [{"role": "user", "content": "PAYLOAD"}],
        "tool_calls": [],
        "retrievals": [],
    }


def _grades(trace: str) -> list[dict[str, Any]]:
    given = {
        "a1": [("wrong_tool", "fail"), ("json_contract", "pass")],
        "a2": [("wrong_tool", "pass"), ("json_contract", "skipped"), ("helpfulness", "pass")],
        "a3": [("wrong_tool", "pass"), ("helpfulness", "fail")],
        "a4": [("wrong_tool", "pass"), ("json_contract", "fail"), ("helpfulness", "unknown")],
        "b1": [("wrong_tool", "fail")],
    }
    axis = {"wrong_tool": "helpfulness", "json_contract": "contract", "helpfulness": "helpfulness"}
    return [
        _context(trace)
        | {
            "check": check,
            "grader_id": JUDGE if check == "helpfulness" else f"{check}@1",
            "layer": "judge" if check == "helpfulness" else "rule",
            "axis": axis[check],
            "verdict": verdict,
            "severity": "medium",
            "injection_suspected": False,
            "rate_probability": 0.5 if (trace, check) == ("a2", "helpfulness") else 1.0,
        }
        for check, verdict in given[trace]
    ]


def _clusters(trace: str) -> list[dict[str, Any]]:
    found = {
        "a1": ("wrong_tool", "rule", "m-old", "Wrong tool on refunds", False),
        "a3": ("helpfulness", "judge", "m-half", "half of the question unanswered", True),
        "a4": ("json_contract", "rule", "m-json", "answer is not <JSON>", True),
        "b1": ("wrong_tool", "rule", "m-ancient", "tools, wrong", False),
    }
    if trace not in found:
        return []
    check, layer, mode, name, provisional = found[trace]
    row = {
        "check": check, "layer": layer, "failure_mode_id": mode, "name": name,
        "similarity": 1.0, "provisional": provisional, "severity": "medium",
    }  # fmt: skip
    return [_context(trace) | row]


def _decisions(trace: str) -> list[dict[str, Any]]:
    decided = {
        "a1": ("c1", "wrong_tool", "m-old", "promoted", ["Recurs in 3 traces of 2 users."]),
        "a3": ("c3", "helpfulness", "m-half", "review", ["The judge is not trusted yet."]),
        "a4": ("c4", "json_contract", "m-json", "rejected", ["Seen 1 times, needs 3."]),
        "b1": ("c1", "wrong_tool", "m-ancient", "promoted", ["Recurs in 4 traces of 2 users."]),
    }
    if trace not in decided:
        return []
    case, check, mode, decision, reasons = decided[trace]
    blocked = {"a3": ["untrusted_judge"], "a4": ["no_pattern"]}.get(trace, [])
    row = {
        "blocked_by": blocked,
        "case_id": case, "check": check, "layer": "judge" if check == "helpfulness" else "rule",
        "failure_mode_id": mode, "decision": decision, "reasons": reasons, "severity": "medium",
    }  # fmt: skip
    return [_context(trace) | row]


def _mode_before() -> dict[str, Any]:
    return {
        "failure_mode_id": "m-old", "name": "Refund with the wrong tool", "named_by": "person",
        "check": "wrong_tool", "intent": "refund", "first_seen": date(2026, 11, 3),
        "last_seen": date(2026, 11, 6), "state": "ongoing", "merged_from": ["m-ancient"],
    }  # fmt: skip


def _calibration_before() -> dict[str, Any]:
    return {
        "judge_id": JUDGE, "axis": "helpfulness", "n": 12, "agreement": 0.75,
        "agreement_low": 0.47, "agreement_high": 0.91, "trusted": False,
        "reason": "12 labels, 30 are needed", "estimator": "share, unweighted, Wilson",
    }  # fmt: skip


def _case_of_suite() -> dict[str, Any]:
    return {
        "case_id": "c1", "check": "wrong_tool", "failure_mode_id": "m-old", "intent": "refund",
        "split": "regression", "status": "active", "edited": False,
        "first_day": MONDAY.first, "last_day": TUESDAY.first, "occurrences": 2,
    }  # fmt: skip


def _rates_before() -> list[dict[str, Any]]:
    shared = {"failure_mode_id": "m-old", "estimator": "Hajek"}
    none = [0.0] * 7
    return [
        shared | {
            "release": "r0", "n": 20, "seen": 3, "traffic": 40.0, "failures": 6.0,
            "squares": 80.0, "squares_failing": 12.0, "rate": 0.15,
            "traffic_by_weekday": [40.0, *none[1:]], "failures_by_weekday": [6.0, *none[1:]],
            "first_failure": date(2026, 11, 3), "last_failure": date(2026, 11, 6),
        },
        shared | {
            "release": "r1", "n": 10, "seen": 0, "traffic": 20.0, "failures": 0.0,
            "squares": 40.0, "squares_failing": 0.0, "rate": 0.0,
            "traffic_by_weekday": [20.0, *none[1:]], "failures_by_weekday": none,
        },
    ]  # fmt: skip


def _state_before() -> dict[str, Any]:
    return {
        "failure_mode_id": "m-old", "name": "Refund with the wrong tool", "state": "regressed",
        "since": BEFORE.first, "reason": "failed again from 2026-11-03 on release r0",
        "first_seen": date(2026, 10, 1), "last_seen": date(2026, 11, 6), "releases": ["r0"],
        "seen": 3, "failures": 6.0, "rate": 0.1, "rate_low": 0.03, "rate_high": 0.25,
        "rate_n": 30, "fix_release": "r0", "fix_from": date(2026, 10, 5),
        "fix_verdict": "regressed", "estimator": "Hajek, weights 1/inclusion_probability",
    }  # fmt: skip


def _slow_before() -> list[dict[str, Any]]:
    return [
        {
            "scope": "intent", "subject": "refund", "metric": "turns", "value": 5.0, "low": 4.5,
            "high": 5.5, "n": 30, "estimator": "Hajek mean, weights 1/inclusion_probability",
            "weeks": 8, "rise": 0.4, "since": BEFORE.first, "baseline": 3.5, "passing_share": 0.9,
            "p_value": 0.001, "q_value": 0.01, "creeping": True,
        },
        {
            "scope": "intent", "subject": "refund", "metric": "tokens", "value": 900.0, "n": 30,
            "estimator": "Hajek mean, weights 1/inclusion_probability", "creeping": False,
        },
    ]  # fmt: skip
