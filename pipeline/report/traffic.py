"""What came in, what was drawn and what it cost."""

from __future__ import annotations

import polars as pl

from pipeline.estimation import rate
from pipeline.registry import UNKNOWN
from pipeline.report.day import DayTables
from pipeline.report.estimates import weighted_total
from pipeline.report.facts import Fact, count, counted, estimated

__all__ = ["cost_facts", "intent_facts", "quarantine_facts", "traffic_facts"]


def traffic_facts(day: DayTables) -> list[Fact]:
    """Records read, traces seen, left out, drawn, redacted and graded: all exact counts."""
    drawn = day.samples.group_by("reason").len().sort("reason")
    return [
        count("records_read", day.read.records_in, label=day.read.unit),
        count("records_repeated", day.read.duplicates, label=day.read.unit),
        count("traces_seen", day.drawn.records_in),
        *counted("traces_left_out", day.drawn.filtered),
        count("traces_sampled", day.samples.height),
        *counted("traces_sampled_by", dict(drawn.iter_rows())),
        count("traces_redacted", day.redacted.height),
        count("traces_graded", day.grades["trace_id"].n_unique()),
    ]


def quarantine_facts(day: DayTables) -> list[Fact]:
    """Records that could not be read or redacted, by stage and reason."""
    by_reason = day.quarantined.group_by("stage", "reason").len().sort("stage", "reason")
    return [
        count("quarantined", day.quarantined.height),
        *(
            count("quarantined_by", number, f"{stage}/{reason}")
            for stage, reason, number in by_reason.iter_rows()
        ),
    ]


def intent_facts(day: DayTables) -> list[Fact]:
    """The share of all traffic whose intent nobody planned for."""
    unknown = (day.samples["intent"] == UNKNOWN).to_list()
    found = rate(unknown, day.samples["inclusion_probability"].to_list())
    return [estimated("unknown_intent_share", found), *_unplanned(day)]


def _unplanned(day: DayTables) -> list[Fact]:
    """What the week before found its users to come for that nobody planned, still asked for."""
    if day.intents_before is None or not day.drawn.records_in:
        return []
    asked = day.intents_before.filter((pl.col("kind") == "unplanned") & (pl.col("n") > 0))
    return [
        Fact(
            "unknown_intent",
            row["unknown_intent_id"],
            row["share"],
            row["share_low"],
            row["share_high"],
            row["n_all"],
            row["estimator"],
            label=f"{row['name']} ({row['trend']}, first seen on {row['first_seen']})",
            example=row["exemplars"][0] if row["exemplars"] else None,
        )
        for row in asked.sort("share", descending=True).iter_rows(named=True)
    ]


def cost_facts(day: DayTables) -> list[Fact]:
    """What the agent's own calls cost, as far as the traces state it."""
    rows = day.redacted.join(
        day.samples.select("trace_id", "inclusion_probability"), on="trace_id"
    ).sort("trace_id")
    stated = rows.filter(pl.col("cost_usd").is_not_null())
    found = weighted_total(stated["cost_usd"].to_list(), stated["inclusion_probability"].to_list())
    return [
        estimated("agent_cost_usd", found),
        count("agent_cost_unstated", rows.height - stated.height),
    ]
