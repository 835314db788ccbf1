"""What one day offers for promotion: failures, borderline traces, passes at too high a cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import polars as pl

from pipeline.registry import UNKNOWN, Registry
from pipeline.sampling import UsualEffort, usual_effort

__all__ = ["COSTLY_PASS", "Candidate", "Candidates", "collect_candidates"]

COSTLY_PASS = "costly_pass"

_RANK = {"low": 1, "medium": 2, "high": 3}
_JUDGED = pl.col("layer") == "judge"


@dataclass(frozen=True)
class Candidate:
    """One trace and check that asks for a decision."""

    origin: Literal["failure", "borderline", "costly_pass"]
    trace_id: str
    check: str
    layer: str
    axis: str
    mode_id: str | None
    mode_name: str
    signature: str | None
    description: str
    reason: str
    evidence: tuple[str, ...]
    subject: str | None
    error_class: str | None
    severity: str
    intent: str
    stakes: str
    release: str | None
    weight: float | None
    user_key: str | None
    injection: bool
    grader_ids: tuple[str, ...]
    turns: int | None
    tokens: int | None
    signals: tuple[str, ...]
    asked_by: str


@dataclass(frozen=True)
class Candidates:
    """The candidates by (trace, check), how many records they came from, and the intents' norms."""

    found: tuple[Candidate, ...]
    records_in: int
    norms: Mapping[str, UsualEffort]


def collect_candidates(
    clusters: pl.DataFrame,
    grades: pl.DataFrame,
    redacted: pl.DataFrame,
    samples: pl.DataFrame,
    registry: Registry,
) -> Candidates:
    """Gather the day's candidates.

    Every row of `clusters` is one. A trace without a failure is borderline where a judge could
    not tell on some axis and something else speaks against it: negative feedback, a hand-over, or
    an anomaly score from the setting on; it is one candidate, under its first such axis. A trace
    without either that passed with `costly_factor` times its intent's median of turns or tokens
    is a costly pass. A grader's error makes no candidate.
    """
    settings = registry.settings.promotion
    norms = usual_effort(samples, settings.costly_norm)
    sampled = {row["trace_id"]: row for row in samples.to_dicts()}
    against = _speaks_against(redacted, samples, settings.borderline_anomaly)
    failures = _failures(clusters, grades, sampled)
    failing = {one.trace_id for one in failures}
    unsure = grades.filter(
        _JUDGED
        & (pl.col("verdict") == "unknown")
        & pl.col("trace_id").is_in(sorted(against))
        & ~pl.col("trace_id").is_in(sorted(failing))
    ).sort("trace_id", "check", "grader_id")
    borderline = [
        _from_grade("borderline", row, sampled, asked_by=against[row["trace_id"]])
        for row in unsure.unique("trace_id", keep="first", maintain_order=True).to_dicts()
    ]
    taken = failing | {one.trace_id for one in borderline}
    costly = _costly_passes(grades, sampled, norms, taken, settings.costly_factor)
    return Candidates(
        tuple(sorted([*failures, *borderline, *costly], key=lambda c: (c.trace_id, c.check))),
        len(failures) + unsure.height + len(costly),
        norms,
    )


def _speaks_against(
    redacted: pl.DataFrame, samples: pl.DataFrame, anomaly: float
) -> dict[str, str]:
    """Traces that something other than a grader speaks against, and what."""
    odd = samples.filter(pl.col("anomaly_score") >= anomaly).select("trace_id", "anomaly_score")
    found = {trace: f"its anomaly score is {score:.2f}" for trace, score in odd.iter_rows()}
    for row in redacted.select("trace_id", "feedback").iter_rows(named=True):
        feedback = row["feedback"] or {}
        if feedback.get("escalated"):
            found[row["trace_id"]] = "it was handed over to a person"
        spoken = [score for score in feedback.get("scores") or () if _negative(score)]
        if any(score["source"] == "human" for score in spoken):
            found[row["trace_id"]] = "a reviewer's verdict in the trace is negative"
        elif any(score["source"] == "user" for score in spoken):
            found[row["trace_id"]] = "the user's feedback is negative"
    return found


def _negative(score: Mapping[str, Any]) -> bool:
    label = (score["label"] or "").lower()
    worst = score["value"] is not None and score["value"] <= 0
    return worst or label in ("negative", "bad", "thumbs_down", "down", "dislike", "no")


def _failures(
    clusters: pl.DataFrame, grades: pl.DataFrame, sampled: Mapping[str, Mapping[str, Any]]
) -> list[Candidate]:
    """The clusters' rows, each with the gravest verdict behind it and all graders that agree."""
    rank = pl.col("severity").replace_strict(_RANK, default=1, return_dtype=pl.Int64)
    failing = grades.filter(pl.col("verdict") == "fail").with_columns(rank.alias("rank"))
    spoken: dict[tuple[str, str], list[dict[str, Any]]] = {}
    ordered = failing.sort("rank", "grader_id", descending=[True, False])
    for row in ordered.iter_rows(named=True):
        spoken.setdefault((row["trace_id"], row["check"]), []).append(row)
    found = []
    for row in clusters.sort("trace_id", "check").iter_rows(named=True):
        verdicts = spoken[row["trace_id"], row["check"]]
        # a rule that says the same outranks the judge
        layer = "rule" if any(v["layer"] == "rule" for v in verdicts) else "judge"
        grade = verdicts[0] | {"layer": layer}
        graders = tuple(sorted({v["grader_id"] for v in verdicts}))
        found.append(_from_grade("failure", grade, sampled, cluster=row, graders=graders))
    return found


def _costly_passes(
    grades: pl.DataFrame,
    sampled: Mapping[str, Mapping[str, Any]],
    norms: Mapping[str, UsualEffort],
    taken: set[str],
    factor: float,
) -> list[Candidate]:
    passed = grades.filter(pl.col("verdict") == "pass").sort("trace_id", "check", "grader_id")
    found = []
    for row in passed.unique("trace_id", keep="first", maintain_order=True).to_dicts():
        seen = sampled.get(row["trace_id"])
        norm = norms.get(row["intent"])
        if row["trace_id"] in taken or seen is None or norm is None:
            continue
        if (seen["turns"] or 0) > factor * norm.turns or (
            (seen["total_tokens"] or 0) > factor * norm.tokens > 0
        ):
            said = (
                f"It passed with {seen['turns']} turns and {seen['total_tokens']} tokens, where "
                f"the median of its intent is {norm.turns:g} and {norm.tokens:g}."
            )
            found.append(
                _from_grade(
                    "costly_pass",
                    row
                    | {
                        "check": COSTLY_PASS,
                        "layer": "rule",
                        "axis": "helpfulness",
                        "reason": said,
                        "severity": "low",
                        "subject": None,
                        "error_class": COSTLY_PASS,
                        "grader_id": COSTLY_PASS,
                        "evidence": [f"sample:{row['trace_id']}"],
                    },
                    sampled,
                )
            )
    return found


def _from_grade(
    origin: Literal["failure", "borderline", "costly_pass"],
    grade: Mapping[str, Any],
    sampled: Mapping[str, Mapping[str, Any]],
    *,
    cluster: Mapping[str, Any] | None = None,
    graders: tuple[str, ...] = (),
    asked_by: str = "",
) -> Candidate:
    seen = sampled.get(grade["trace_id"], {})
    return Candidate(
        origin=origin,
        trace_id=grade["trace_id"],
        check=grade["check"],
        layer=grade["layer"],
        axis=grade["axis"] or grade["check"],
        mode_id=cluster["failure_mode_id"] if cluster else None,
        mode_name=cluster["name"] if cluster else origin.replace("_", " "),
        signature=cluster["signature"] if cluster else None,
        description=cluster["description"] if cluster else grade["reason"] or "",
        reason=grade["reason"] or "",
        evidence=tuple(grade["evidence"] or ()),
        subject=grade["subject"],
        error_class=grade["error_class"],
        severity=grade["severity"] or "low",
        intent=grade["intent"] or UNKNOWN,
        stakes=grade["stakes"] or "low",
        release=grade["release"],
        weight=grade["weight"],
        user_key=grade["user_key"],
        injection=bool(grade["injection_suspected"]),
        grader_ids=graders or (grade["grader_id"],),
        turns=seen.get("turns"),
        tokens=seen.get("total_tokens"),
        signals=tuple(seen.get("signals") or ()),
        asked_by=asked_by,
    )
