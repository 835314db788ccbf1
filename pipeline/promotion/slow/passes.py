"""The conversations of a day that passed every check and show what creeps up, as candidates."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence, Set
from typing import Any

import polars as pl

from pipeline.failures import Signature
from pipeline.failures.slow import measure_traces, slow_mode_id, slow_mode_name
from pipeline.grading.conversation import read_conversation
from pipeline.promotion.candidate import SLOW_FAILURE, Candidate, Showing, from_grade
from pipeline.promotion.slow.creeps import Creeps
from pipeline.promotion.slow.showing import Shown, best, shown_by
from pipeline.registry.settings import Promotion

__all__ = ["slow_passes"]

_TOOK = {
    "turns": "took {:g}",
    "tokens": "took {:,.0f}",
    "cost_usd": "cost {:.2g} dollars",
    "retries": "made {:g}",
    "complaints": "had a user who complained",
}


def slow_passes(
    grades: pl.DataFrame,
    samples: pl.DataFrame,
    redacted: pl.DataFrame,
    creeps: Creeps,
    taken: Set[str],
    limits: Promotion,
) -> list[Candidate]:
    """The candidates for what creeps up without a failed check.

    Args:
        grades: the day's; a conversation counts that passed something and failed nothing.
        samples: the day's `stratified_samples`.
        redacted: the day's `redacted_traces`.
        creeps: what creeps up by the week before.
        taken: traces that are candidates already.
        limits: the settings.
    """
    if not creeps:
        return []
    passed = _passed(grades, taken)
    sampled = {row["trace_id"]: row for row in samples.iter_rows(named=True)}
    traces = {row["trace_id"]: row for row in redacted.iter_rows(named=True)}
    sound = {
        name
        for name, trace in traces.items()
        if trace["completeness"] == "complete"
        and not (name in passed and passed[name]["injection_suspected"])
    }
    found: dict[tuple[str, str], list[Shown]] = defaultdict(list)
    for took in measure_traces(samples, redacted).iter_rows(named=True):
        shown = shown_by(took, creeps, limits) if took["trace_id"] in passed else None
        if shown is not None and shown.creep.metric == "retries":
            shown = shown.with_calls(read_conversation(traces[took["trace_id"]]).calls)
        if shown is not None:
            found[took["intent"], shown.creep.metric].append(shown)
    return [
        _candidate(one, passed[one.took["trace_id"]], _crowd(alike, passed), sampled)
        for _, alike in sorted(found.items())
        for one in best(alike, sound, limits)
    ]


def _passed(grades: pl.DataFrame, taken: Set[str]) -> dict[str, dict[str, Any]]:
    """By trace a row of `grades` that passed, where none failed and it is no candidate yet."""
    failed = grades.filter(pl.col("verdict") == "fail")["trace_id"].unique()
    out = {*failed, *taken}
    rows = grades.filter(pl.col("verdict") == "pass").sort("trace_id", "check", "grader_id")
    first = rows.unique("trace_id", keep="first", maintain_order=True)
    return {row["trace_id"]: row for row in first.to_dicts() if row["trace_id"] not in out}


def _crowd(alike: Sequence[Shown], passed: Mapping[str, Mapping[str, Any]]) -> tuple[int, int]:
    """How many conversations of the day show a creep, and how many users they are of."""
    names = [one.took["trace_id"] for one in alike]
    return len(names), len({passed[name]["user_key"] or name for name in names})


def _candidate(
    one: Shown,
    grade: Mapping[str, Any],
    crowd: tuple[int, int],
    sampled: Mapping[str, Mapping[str, Any]],
) -> Candidate:
    intent, metric = one.took["intent"], one.creep.metric
    check, (subject, error_class) = f"{SLOW_FAILURE}_{metric}", one.kind
    reason = f"{one.creep.told()}; this conversation {_TOOK[metric].format(one.value)}."
    told = {
        "check": check,
        "layer": "rule",
        "axis": "helpfulness",
        "reason": reason,
        "severity": "low",
        "subject": subject or None,
        "error_class": error_class,
        "grader_id": SLOW_FAILURE,
        "evidence": list(_pointers(one)),
    }
    mode = {
        "failure_mode_id": slow_mode_id(intent, metric),
        "name": slow_mode_name(metric),
        "signature": Signature(check, intent, subject, error_class).key,
        "description": reason,
    }
    slow = Showing(one.creep, one.value, one.before, one.limit, one.most_tokens, *crowd)
    return from_grade("slow_failure", {**grade, **told}, sampled, cluster=mode, slow=slow)


def _pointers(one: Shown) -> Iterator[str]:
    """What shows it: the calls, where it is calls, else the whole conversation."""
    calls = one.again or one.retried
    yield from (call.ref for call in calls)
    if not calls:
        yield f"sample:{one.took['trace_id']}"
