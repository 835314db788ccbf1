"""The grading stage: rules on every trace, then a judge on what survives them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import polars as pl

from pipeline.grading.conversation import Conversation, read_conversation
from pipeline.grading.drawing import draw_axes
from pipeline.grading.judge import Case, Judge, Judgement
from pipeline.grading.rules import (
    Finding,
    Scope,
    is_suspected,
    rule_identity,
    run_rules,
)
from pipeline.provenance import Counts
from pipeline.registry import UNKNOWN, Intent, Registry, Rule
from pipeline.registry.rules import Injection
from pipeline.sampling import UsualEffort, usual_effort
from pipeline.tables import GRADES, REDACTED_TRACES, STRATIFIED_SAMPLES

__all__ = ["Grading", "grade_traces"]

_BLOCKING: Final = ("medium", "high")
_CONTEXT: Final = ("intent", "intent_score", "stakes", "release", "weight", "total_tokens")


@dataclass(frozen=True)
class Grading:
    """The grades of a day.

    Attributes:
        frame: rows of `grades`, one a trace and check.
        counts: traces in, graded and filtered.
        judge_calls: conversations that went to the judge.
        judge_saved: conversations that did not: a rule of weight had failed, or no axis was drawn.
    """

    frame: pl.DataFrame
    counts: Counts
    judge_calls: int
    judge_saved: int


@dataclass(frozen=True)
class _Graded:
    """One trace on its way through the stage."""

    row: Mapping[str, Any]
    conversation: Conversation
    intent: Intent | None
    suspected: bool
    findings: list[tuple[Rule, Finding]]

    @property
    def blocked(self) -> bool:
        """Whether a rule of severity medium or high has failed."""
        return any(f.verdict == "fail" and r.severity in _BLOCKING for r, f in self.findings)


def grade_traces(
    redacted: pl.DataFrame, samples: pl.DataFrame, registry: Registry, judge: Judge
) -> Grading:
    """Grade every redacted trace that was sampled.

    Rules run on all of them. A trace that failed no rule of severity medium or high goes to the
    judge, on the axes that are drawn for it; rules outrank it, and on a trace with a suspected
    injection its pass is an unknown. A judge's grader id is its identity and, after an @, the
    snapshot that the provider says has answered: with another one its calibration is void.

    Args:
        redacted: rows of `redacted_traces`.
        samples: rows of `stratified_samples`; they give intent, stakes, release and weight.
        registry: the registry as of the window's end.
        judge: as `make_judge` makes it.

    Returns:
        The grades; `counts` are of traces, and a redacted trace without a sample is filtered.

    Raises:
        PendingCalls: the judge could not grade all; nothing may be published.
    """
    norms = usual_effort(samples, least=1)
    known = STRATIFIED_SAMPLES.conform(samples).select("trace_id", *_CONTEXT)
    traces = REDACTED_TRACES.conform(redacted)
    rows = traces.drop("release").join(known, on="trace_id", how="inner").sort("trace_id")
    intents = {intent.id: intent for intent in registry.intents}
    graded = [_rules(row, registry, intents, norms) for row in rows.iter_rows(named=True)]
    open_ones = [(g, _drawn(g, registry, judge)) for g in graded if not g.blocked]
    open_ones = [(g, drawn) for g, drawn in open_ones if drawn]
    judged = judge.judge([_case(g, drawn, judge) for g, drawn in open_ones])
    names = {rule.id: rule_identity(rule) for rule in registry.rules}
    records = [r for g in graded for r in _rule_rows(g, names)]
    severities = {"high": "high", "medium": "medium"}
    for (one, drawn), judgements in zip(open_ones, judged, strict=True):
        severity = severities.get(one.row["stakes"], "low")
        records += [
            _judge_row(one, judgement, judge.identity, severity)
            | {"rate_probability": drawn.get(judgement.axis, 1.0)}
            for judgement in judgements
        ]
    return Grading(
        GRADES.conform(pl.DataFrame(records, schema=GRADES.schema)),
        Counts(
            "traces",
            traces.height,
            rows.height,
            filtered={"no_sample": traces.height - rows.height},
        ),
        judge_calls=len(open_ones),
        judge_saved=len(graded) - len(open_ones),
    )


def _rules(
    row: Mapping[str, Any],
    registry: Registry,
    intents: Mapping[str, Intent],
    norms: Mapping[str, UsualEffort],
) -> _Graded:
    conversation = read_conversation(row)
    intent = intents.get(row["intent"])
    scope = Scope(
        intent,
        row["intent_score"],
        registry.intents,
        norms.get(row["intent"]),
        row["total_tokens"],
    )
    patterns = tuple(
        p for r in registry.rules if isinstance(r.params, Injection) for p in r.params.patterns
    )
    suspected = is_suspected(conversation, patterns)
    return _Graded(
        row, conversation, intent, suspected, run_rules(conversation, registry.rules, scope)
    )


def _drawn(graded: _Graded, registry: Registry, judge: Judge) -> Mapping[str, float]:
    row, settings = graded.row, registry.settings
    return draw_axes(
        row["trace_id"], row["stakes"], judge.axes, settings.judge, settings.sampling.seed
    )


def _case(graded: _Graded, drawn: Mapping[str, float], judge: Judge) -> Case:
    axes = None if len(drawn) == len(judge.axes) else tuple(drawn)
    return Case(graded.conversation, graded.intent, graded.row["intent_score"], axes)


def _rule_rows(graded: _Graded, names: Mapping[str, str]) -> list[dict[str, Any]]:
    return [
        _row(graded)
        | {
            "check": rule.id,
            "grader_id": names[rule.id],
            "layer": "rule",
            "axis": rule.axis,
            "verdict": finding.verdict,
            "score": {"pass": 1.0, "fail": 0.0}.get(finding.verdict),
            "severity": rule.severity,
            "reason": finding.reason,
            "evidence": list(finding.evidence),
            "subject": finding.subject,
            "error_class": finding.error_class,
        }
        for rule, finding in graded.findings
    ]


def _judge_row(
    graded: _Graded, judgement: Judgement, identity: str, severity: str
) -> dict[str, Any]:
    verdict, reason, code = judgement.verdict, judgement.reason, judgement.error_class
    if graded.suspected and verdict == "pass":
        verdict, code = "unknown", "injection_suspected"
        reason = "The judge passed it, but the trace carries a suspected injection."
    return _row(graded) | {
        "check": judgement.axis,
        "grader_id": f"{identity}@{judgement.snapshot}" if judgement.snapshot else identity,
        "layer": "judge",
        "axis": judgement.axis,
        "verdict": verdict,
        "score": judgement.score if verdict == judgement.verdict else None,
        "severity": severity,
        "reason": reason,
        "evidence": list(judgement.evidence),
        "subject": judgement.subject,
        "error_class": code,
    }


def _row(graded: _Graded) -> dict[str, Any]:
    row = graded.row
    return {
        "trace_id": row["trace_id"],
        "injection_suspected": graded.suspected,
        "rate_probability": 1.0,
        "user_key": row["user_key"],
        "intent": row["intent"] or UNKNOWN,
        "stakes": row["stakes"],
        "release": row["release"],
        "weight": row["weight"],
    }
