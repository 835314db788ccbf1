"""What failed, how surely, in which modes, and what was decided on it."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from pipeline.promotion import BLOCKS
from pipeline.report.day import DayTables
from pipeline.report.estimates import failure_rate, weighted_count
from pipeline.report.facts import Fact, count, estimated
from pipeline.report.outcomes import ANY, axis_outcomes, mode_observations

__all__ = ["axis_facts", "decision_facts", "judge_ids", "mode_facts", "trust_facts"]


def judge_ids(grades: pl.DataFrame) -> str | None:
    """The judges of the day, joined; None where none took part."""
    found = grades.filter(pl.col("layer") == "judge")["grader_id"].unique().sort().to_list()
    return ", ".join(found) or None


def axis_facts(day: DayTables) -> list[Fact]:
    """Failure rate per axis and for any; traces seen failing, and those nobody could tell of."""
    outcomes = axis_outcomes(day.grades)
    judged = set(day.grades.filter(pl.col("layer") == "judge")["axis"].to_list())
    judge = judge_ids(day.grades)
    facts = []
    for axis in sorted({ANY, *outcomes["axis"].to_list()}):
        rows = outcomes.filter(pl.col("axis") == axis)
        by_judge = judge if axis in judged or (axis == ANY and judged) else None
        facts.append(estimated("failure_rate", failure_rate(rows), axis, judge_id=by_judge))
        facts.append(count("failing_traces", int(rows["failed"].sum()), axis))
        facts.append(count("unknown_traces", int(rows["unknown"].sum()), axis))
    open_ones = (
        day.grades.filter(~pl.col("verdict").is_in(["pass", "fail"]))
        .group_by("layer", "verdict")
        .len()
        .sort("layer", "verdict")
    )
    return facts + [
        count("verdicts_open", number, f"{layer}/{verdict}")
        for layer, verdict, number in open_ones.iter_rows()
    ]


def trust_facts(day: DayTables) -> list[Fact]:
    """Whether each judge of the day was trusted on each axis by the week before, and why."""
    judging = (
        day.grades.filter(pl.col("layer") == "judge")
        .select("grader_id", "axis")
        .unique()
        .sort("axis", "grader_id")
    )
    before = day.calibration_before
    known = (
        {}
        if before is None
        else {(row["judge_id"], row["axis"]): row for row in before.iter_rows(named=True)}
    )
    facts = []
    for judge, axis in judging.iter_rows():
        report = known.get((judge, axis))
        facts.append(
            Fact(
                "judge_trusted",
                f"{axis}/{judge}" if judging["axis"].is_duplicated().any() else axis,
                float(bool(report and report["trusted"])),
                n=report["n"] if report else 0,
                judge_id=judge,
                label=report["reason"] if report else _why_none(judge, known),
            )
        )
    return facts


def _why_none(judge: str, known: Mapping[tuple[str, str], object]) -> str:
    before = {name for name, _ in known}
    if any(name.partition("@")[0] == judge.partition("@")[0] for name in before):
        return "the provider's model has changed since: the calibration of the week before is void"
    return "no calibration report of the week before"


def mode_facts(day: DayTables) -> list[Fact]:
    """Each failure mode of the day: how many traces it is estimated to have hit, and one of them.

    A mode is new when the week before did not know it, nor any mode it was merged into.
    """
    known = _known_modes(day.modes_before)
    seen = mode_observations(day.grades, day.clusters)
    judge = judge_ids(day.grades)
    facts = []
    for (mode,), rows in day.clusters.sort("trace_id", "check").group_by(
        "failure_mode_id", maintain_order=True
    ):
        found = weighted_count(seen.filter(pl.col("failure_mode_id") == mode))
        best = rows.sort(["similarity", "trace_id"], descending=[True, False])
        facts.append(
            estimated(
                "known_mode" if mode in known else "new_mode",
                found,
                str(mode),
                judge_id=judge if (rows["layer"] == "judge").any() else None,
                label=best["name"][0],
                example=best["trace_id"][0],
            )
        )
    return facts


def _known_modes(before: pl.DataFrame | None) -> set[str]:
    if before is None:
        return set()
    return {*before["failure_mode_id"], *before["merged_from"].explode().drop_nulls()}


def decision_facts(day: DayTables) -> list[Fact]:
    """Decisions, and what keeps candidates from being promoted, counted; one may have several."""
    by_decision = dict(day.decisions.group_by("decision").len().iter_rows())
    blocks = (
        day.decisions.select("decision", "case_id", "trace_id", "blocked_by")
        .explode("blocked_by")
        .drop_nulls("blocked_by")
        .group_by("decision", "blocked_by")
        .len()
        .sort("decision", "blocked_by")
    )
    return [
        *(count("decided", by_decision.get(d, 0), d) for d in ("promoted", "review", "rejected")),
        *(
            count("decided_because", number, f"{decision}/{code}", label=BLOCKS[code])
            for decision, code, number in blocks.iter_rows()
        ),
    ]
