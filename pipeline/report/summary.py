"""The run summary: one day's figures, a pure function of its tables."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from pipeline.provenance import Counts
from pipeline.registry import Registry
from pipeline.report.day import DayTables
from pipeline.report.facts import frame_of
from pipeline.report.findings import axis_facts, decision_facts, mode_facts, trust_facts
from pipeline.report.judging import judge_facts
from pipeline.report.lives import life_facts
from pipeline.report.oddities import oddity_facts
from pipeline.report.traffic import cost_facts, intent_facts, quarantine_facts, traffic_facts
from pipeline.windows import Window

__all__ = ["Summary", "summarise"]


@dataclass(frozen=True)
class Summary:
    """The figures of one day as rows of `run_summaries`; the page is made of them alone."""

    window: Window
    frame: pl.DataFrame
    counts: Counts


def summarise(day: DayTables, registry: Registry) -> Summary:
    """Sum up a day: traffic, failures, modes, decisions, judging, cost and oddities.

    Args:
        day: the day's tables, as `read_day` takes them from the lake.
        registry: the registry as of the day's end.

    Returns:
        A Summary whose frame fits `run_summaries`; every estimate carries its interval, n,
        estimator and judge. It holds ids, labels of our own and numbers, no text of a trace.
    """
    facts = [
        *traffic_facts(day),
        *quarantine_facts(day),
        *intent_facts(day),
        *cost_facts(day),
        *axis_facts(day),
        *trust_facts(day),
        *mode_facts(day),
        *life_facts(day),
        *decision_facts(day),
        *judge_facts(day, registry),
        *oddity_facts(day),
    ]
    return Summary(day.window, frame_of(facts), Counts("figures", len(facts), len(facts)))
