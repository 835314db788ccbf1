"""What the judge did, and what the rules saved it."""

from __future__ import annotations

import polars as pl

from pipeline.registry import Registry
from pipeline.report.day import DayTables
from pipeline.report.facts import Fact, count

__all__ = ["judge_facts"]


def judge_facts(day: DayTables, registry: Registry) -> list[Fact]:
    """Traces put before the judge, those that the rules settled, and what the judge costs.

    The embedded judge costs nothing. What another one costs only the ledger knows, which no
    published figure may depend on: `pipeline.report.paid` reads it for the page.
    """
    judged = day.grades.filter(pl.col("layer") == "judge")["trace_id"].n_unique()
    graded = day.grades["trace_id"].n_unique()
    facts = [
        count("judge_calls", judged),
        count("judge_saved", graded - judged),
    ]
    if registry.settings.judge.engine == "embedded":
        facts.append(count("judge_cost_usd", 0.0, label="the embedded judge is free"))
    return facts
