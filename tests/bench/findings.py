"""What the pipeline finds of what the simulator planted: recall, precision, and coverage.

The ground truth is read here and nowhere else. `CAUGHT_BY` says which checks name which planted
kind; "found" is the weaker question whether any check failed the trace at all.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import polars as pl

from pipeline.datadir import DataDir
from pipeline.embedding import sentence_embedder
from pipeline.estimation import rate, wilson
from pipeline.grading import grade_traces, make_judge
from pipeline.ingest import assemble_day
from pipeline.redaction import Redactor, load_key, load_policy, redact_traces
from pipeline.registry import Registry, load_registry
from pipeline.sampling import draw_sample
from pipeline.simulate import simulate
from pipeline.windows import Window, days_between

__all__ = ["CAUGHT_BY", "Graded", "coverage", "grade_everything", "score_kinds"]

CAUGHT_BY: Mapping[str, frozenset[str]] = {
    "unplanned_intent": frozenset(
        {"faithfulness", "helpfulness", "completeness", "retrieval_miss", "source_cited"}
    ),
    "late_drift": frozenset({"language_drift", "constraint_forgotten", "register_drift"}),
    "empty_result_as_fact": frozenset({"empty_result_asserted"}),
    "retrieval_miss_invented": frozenset({"retrieval_miss", "faithfulness", "cited_source_exists"}),
    "prompt_injection": frozenset({"injection"}),
    "timeout_no_tool_answer": frozenset({"no_tool_fallback", "tool_failure_ignored"}),
    "wrong_tool": frozenset({"right_tool"}),
    "missing_citation": frozenset({"source_cited", "cited_source_exists"}),
    "malformed_json": frozenset({"json_contract"}),
    "wrong_language": frozenset({"answer_language", "language_drift"}),
    "refund_above_limit": frozenset({"refund_limit"}),
    "reasked_question": frozenset({"asked_again"}),
    "loop": frozenset({"call_loop"}),
    "half_answer": frozenset({"completeness"}),
    "cold_tone": frozenset({"tone"}),
    "unhelpful_correct": frozenset({"helpfulness", "completeness"}),
}


@dataclass(frozen=True)
class Graded:
    """Everything of one simulation, graded: failing checks, sampling at a budget, and the truth."""

    traces: pl.DataFrame
    """trace_id, day, kinds, checks (failing), by_rule, judged."""
    samples: pl.DataFrame
    """trace_id, inclusion_probability, day at the small budget."""
    redacted: pl.DataFrame
    """Rows of `redacted_traces`."""
    sampled: pl.DataFrame
    """Rows of `stratified_samples`, of everything."""


def grade_everything(folder: Path, *, seed: int, phrases: str, days: int, budget: int) -> Graded:
    """Simulate `days` days and grade every trace; sample each day at `budget` as well."""
    place = DataDir(folder)
    start = date(2026, 11, 2)
    wording = "held_out" if phrases == "held_out" else "tuned"
    simulate(folder, start=start, days=days, seed=seed, phrases=wording)
    place.keys.mkdir(parents=True, exist_ok=True)
    key = load_key(place.keys / "surrogate.key", {}, create=True)
    content = load_key(place.keys / "content.key", {}, create=True)
    redactor = Redactor(load_policy(place.registry / "pii_policy.yaml"), key)
    graded, sampled, kept, all_samples = [], [], [], []
    for window in days_between(start, start + timedelta(days=days - 1)):
        registry = load_registry(place.registry, window)
        raw = assemble_day(place, window, registry, content.subkey("user")).traces
        everything = draw_sample(raw, _with_budget(registry, "all"), sentence_embedder()).frame
        drawn = draw_sample(raw, _with_budget(registry, budget), sentence_embedder()).frame
        redacted, _ = redact_traces(raw.filter(~pl.col("opted_out")), redactor, content)
        judge = make_judge(registry, place.ledger)
        grades = grade_traces(redacted, everything, registry, judge).frame
        graded.append(_by_trace(grades, window))
        kept.append(redacted)
        all_samples.append(everything)
        sampled.append(drawn.select("trace_id", "inclusion_probability", day=pl.lit(window.key)))
    truth = pl.read_parquet(place.simulated / "ground_truth.parquet")
    kinds = truth.select("trace_id", kinds="failure_kinds", intent="intent")
    return Graded(
        pl.concat(graded).join(kinds, on="trace_id"),
        pl.concat(sampled),
        pl.concat(kept),
        pl.concat(all_samples),
    )


def _with_budget(registry: Registry, budget: int | str) -> Registry:
    settings = registry.settings
    sampling = settings.sampling.model_copy(update={"budget_per_day": budget})
    changed = settings.model_copy(update={"sampling": sampling})
    return Registry(
        changed, registry.intents, registry.rules, registry.rubric,
        registry.failure_modes, registry.digests,
    )  # fmt: skip


def _by_trace(grades: pl.DataFrame, window: Window) -> pl.DataFrame:
    failing = pl.col("verdict") == "fail"
    return grades.group_by("trace_id").agg(
        checks=pl.col("check").filter(failing).unique().sort(),
        by_rule=(failing & (pl.col("layer") == "rule")).any(),
        judged=(pl.col("layer") == "judge").any(),
        day=pl.lit(window.key),
    )


def score_kinds(traces: pl.DataFrame) -> pl.DataFrame:
    """One row a planted kind: planted, found at all, named by its checks, precision of those."""
    rows = []
    for kind, checks in CAUGHT_BY.items():
        has = pl.col("kinds").list.contains(kind)
        fires = pl.col("checks").list.set_intersection(sorted(checks)).list.len() > 0
        # A check may name several kinds: it is right on a trace that carries any of them.
        right = [other for other, names in CAUGHT_BY.items() if names & checks]
        planted = traces.filter(has)
        named = planted.filter(fires).height
        fired = traces.filter(fires)
        true = fired.filter(pl.col("kinds").list.set_intersection(right).list.len() > 0).height
        recall, precision = wilson(named, planted.height), wilson(true, fired.height)
        rows.append(
            {
                "kind": kind,
                "planted": planted.height,
                "found by any check": planted.filter(pl.col("checks").list.len() > 0).height,
                "named": named,
                "recall": recall.value,
                "recall low": recall.low,
                "fired": fired.height,
                "precision": precision.value,
                "precision low": precision.low,
            }
        )
    return pl.DataFrame(rows, infer_schema_length=None)


def coverage(graded: Graded) -> pl.DataFrame:
    """How often a day's 95 % interval at the small budget covers the day's true rate.

    Two truths: what the same graders say of all traffic (the interval's own promise), and what
    was planted (which the graders' misses and false alarms also move).
    """
    failed = pl.col("checks").list.len() > 0
    planted = pl.col("kinds").list.set_difference(["oddity"]).list.len() > 0
    hits = {"graders on all traffic": 0, "planted": 0}
    widths, days = [], graded.samples["day"].unique().sort().to_list()
    for key in days:
        everyone = graded.traces.filter(day=key).with_columns(failed=failed, planted=planted)
        drawn = graded.samples.filter(day=key).join(everyone, on="trace_id")
        estimate = rate(drawn["failed"].to_list(), drawn["inclusion_probability"].to_list())
        if estimate.low is None or estimate.high is None:
            continue
        widths.append(estimate.high - estimate.low)
        for name, column in (("graders on all traffic", "failed"), ("planted", "planted")):
            true = float(everyone[column].to_numpy().mean())
            hits[name] += estimate.low <= true <= estimate.high
    return pl.DataFrame(
        [
            {"true rate": name, "days": len(days), "covered": hit,
             "mean width": sum(widths) / max(len(widths), 1)}
            for name, hit in hits.items()
        ]
    )  # fmt: skip
