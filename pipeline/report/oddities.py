"""What a reader would wonder about: said in words, each with its number."""

from __future__ import annotations

import polars as pl

from pipeline.report.day import DayTables
from pipeline.report.facts import Fact, count

__all__ = ["oddity_facts"]


def oddity_facts(day: DayTables) -> list[Fact]:
    """Oddities of the day, the metric being `oddity` and the slice a short code."""
    found = [
        ("no_traces", int(day.drawn.records_in == 0), "no traces came in"),
        (
            "partial_traces",
            int((day.redacted["completeness"] == "partial").sum()),
            "sampled traces that lack spans, graded on what is there",
        ),
        (
            "grader_errors",
            day.grades.filter(pl.col("verdict") == "error").height,
            "verdicts that are a grader's error, counted neither as pass nor as fail",
        ),
        (
            "injection_suspected",
            day.grades.filter(pl.col("injection_suspected").fill_null(False))[
                "trace_id"
            ].n_unique(),
            "sampled traces with a suspected prompt injection",
        ),
        (
            "ungraded_traces",
            day.redacted.join(day.grades, on="trace_id", how="anti").height,
            "redacted traces without any verdict",
        ),
        (
            "no_modes_before",
            int(day.modes_before is None and day.clusters.height > 0),
            "the week before has no failure modes, so every mode counts as new",
        ),
    ]
    facts = [count("oddity", number, code, label) for code, number, label in found if number]
    flags = (
        day.redacted.select("trace_id", "flags")
        .explode("flags")
        .drop_nulls("flags")
        .group_by("flags")
        .agg(pl.col("trace_id").n_unique())
        .sort("flags")
    )
    return facts + [
        count("oddity", number, f"flag/{flag}", f"sampled traces flagged {flag}")
        for flag, number in flags.iter_rows()
    ]
