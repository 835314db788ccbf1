"""Daily tables of labels, ids and numbers: no trace text but short redacted reasons."""

from __future__ import annotations

import polars as pl

from pipeline.tables.schema import Column, Table

__all__ = [
    "FAILURE_MODE_CLUSTERS",
    "GRADES",
    "PROMOTED_CASES",
    "RUN_SUMMARIES",
    "STRATIFIED_SAMPLES",
]

_TRACE = {"trace_id": Column(pl.String, "id of the conversation")}
_CONTEXT = {
    "intent": Column(pl.String, "id from registry/intents.yaml, or unknown"),
    "stakes": Column(pl.String, "low, medium or high"),
    "release": Column(pl.String, "release of the service"),
    "weight": Column(pl.Float64, "1 / inclusion_probability"),
}

STRATIFIED_SAMPLES = Table(
    "stratified_samples",
    "day",
    ("trace_id",),
    _TRACE
    | {
        "intent": _CONTEXT["intent"],
        "intent_score": Column(pl.Float64, "exemplars, keywords and tools that speak for it, to 1"),
        "stakes": _CONTEXT["stakes"],
        "release": _CONTEXT["release"],
        "stratum": Column(pl.String, "intent/stakes"),
        "population": Column(pl.Int64, "N_h: eligible traces of the stratum that day"),
        "sample": Column(pl.Int64, "n_h: traces of the stratum drawn proportionally"),
        "inclusion_probability": Column(pl.Float64, "chance of being drawn at all"),
        "weight": _CONTEXT["weight"],
        "reason": Column(
            pl.String, "census, capped_census (what the cap left of it), proportional or anomaly"
        ),
        "anomaly_score": Column(pl.Float64, "0 to 1"),
        "signals": Column(pl.List(pl.String), "anomaly signals that fired, sorted"),
        "turns": Column(pl.Int64, "messages of the user"),
        "total_tokens": Column(pl.Int64, "input and output tokens"),
    },
)

GRADES = Table(
    "grades",
    "day",
    ("trace_id", "check", "grader_id"),
    _TRACE
    | {
        "check": Column(pl.String, "rule id, or judge axis"),
        "grader_id": Column(pl.String, "rule digest or judge identity"),
        "layer": Column(pl.String, "rule or judge"),
        "axis": Column(pl.String, "helpfulness, faithfulness, completeness, tone, or contract"),
        "verdict": Column(pl.String, "pass, fail, unknown, error or skipped"),
        "score": Column(pl.Float64, "0 to 1 where the grader gives one"),
        "severity": Column(pl.String, "low, medium or high"),
        "reason": Column(pl.String, "one sentence of our own words, no payload"),
        "evidence": Column(pl.List(pl.String), "message:N or span:ID, in order"),
        "subject": Column(pl.String, "tool, article or field the verdict is about"),
        "error_class": Column(pl.String, "what kind of wrong, a short code"),
        "injection_suspected": Column(pl.Boolean, "the trace carries a suspected injection"),
        "rate_probability": Column(pl.Float64, "chance that this check ran on a sampled trace"),
        "user_key": Column(pl.String, "keyed digest of the user id, null where unknown"),
    }
    | _CONTEXT,
)

FAILURE_MODE_CLUSTERS = Table(
    "failure_mode_clusters",
    "day",
    ("trace_id", "check"),
    _TRACE
    | {
        "check": GRADES.columns["check"],
        "layer": GRADES.columns["layer"],
        "failure_mode_id": Column(pl.String, "mode it was matched to or founded"),
        "name": Column(pl.String, "name of the mode as of that day"),
        "similarity": Column(pl.Float64, "to the mode, 0 to 1; 1 by signature"),
        "provisional": Column(pl.Boolean, "no mode of the weeks before fits: founded today"),
        "signature": Column(pl.String, "digest of check, intent, subject and error class"),
        "description": Column(pl.String, "what went wrong, in our words"),
        "severity": GRADES.columns["severity"],
    }
    | _CONTEXT,
)

_PROMOTE = {
    name: Column(pl.Float64, f"P.R.O.M.O.T.E.: {meaning}, 0 to 1")
    for name, meaning in {
        "patterned": "recurs over traces, users, days and releases",
        "risk_bearing": "stakes and severity",
        "operationally_costly": "turns, tokens, latency and escalation beyond the intent's norm",
        "missed_offline": "no case covers it",
        "observable": "complete trace with evidence",
        "teachable": "a check can be made that fails on the recorded output",
        "enduring": "persists over days",
    }.items()
}

PROMOTED_CASES = Table(
    "promoted_cases",
    "day",
    ("case_id", "trace_id"),
    {
        "case_id": Column(pl.String, "digest of content digest and check"),
        "trace_id": _TRACE["trace_id"],
        "check": GRADES.columns["check"],
        "layer": GRADES.columns["layer"],
        "failure_mode_id": FAILURE_MODE_CLUSTERS.columns["failure_mode_id"],
        "decision": Column(pl.String, "promoted, review or rejected"),
        "reasons": Column(pl.List(pl.String), "why, in sentences"),
    }
    | _PROMOTE
    | {
        "split": Column(pl.String, "regression, example or holdout"),
        "category": Column(pl.String, "happy_path, edge_case, adversarial or drift"),
        "severity": GRADES.columns["severity"],
        "duplicate_group": Column(pl.String, "digest that near-duplicates share"),
        "session": Column(pl.String, "digest that the traces of one session share"),
        "fingerprint": Column(pl.List(pl.UInt32), "MinHashes of what the user said"),
        "signature": FAILURE_MODE_CLUSTERS.columns["signature"],
        "user_key": GRADES.columns["user_key"],
        "blocked_by": Column(pl.List(pl.String), "codes of what keeps it from the suite, sorted"),
        "self_check": Column(
            pl.String, "proved, uncorrected, fails_on_good or passes_on_bad: does it tell?"
        ),
        "mutations_caught": Column(
            pl.Int64, "corruptions of a good answer that it catches; null: none at hand"
        ),
        "mutations_tried": Column(pl.Int64, "corruptions that were tried"),
        "mutations_missed": Column(pl.List(pl.String), "names of those it lets pass"),
        "policy_version": Column(pl.String, "version of the policy of the trace"),
        "prompt_version": Column(pl.String, "version of the prompt of the trace"),
        "case": Column(pl.String, "the case itself, a JSON object, redacted", "redacted"),
    }
    | _CONTEXT,
)

RUN_SUMMARIES = Table(
    "run_summaries",
    "day",
    ("metric", "slice"),
    {
        "metric": Column(pl.String, "what is counted or estimated"),
        "slice": Column(pl.String, "axis, reason, mode ...; empty for the whole day"),
        "value": Column(pl.Float64, "the count or the estimate, null where it is not defined"),
        "low": Column(pl.Float64, "lower end of the 95 % interval; null for counts"),
        "high": Column(pl.Float64, "upper end of the 95 % interval; null for counts"),
        "n": Column(pl.Int64, "traces it rests on"),
        "estimator": Column(pl.String, "count, or the estimator and its weights"),
        "judge_id": Column(pl.String, "judge identity where one took part"),
        "label": Column(pl.String, "a name or reason to print, in our words"),
        "example": Column(pl.String, "id of an example trace"),
    },
)
