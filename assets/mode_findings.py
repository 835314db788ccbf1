"""What must hold of the weekly tables that follow failure modes and unknown intents over time."""

from __future__ import annotations

import polars as pl

from assets.findings import Finding
from pipeline.lake import Lake
from pipeline.registry import Registry
from pipeline.tables import (
    FAILURE_MODES,
    GRADES,
    MODE_RATES,
    MODE_STATES,
    SLOW_FAILURES,
    UNKNOWN_INTENTS,
)
from pipeline.windows import Window, previous_week

__all__ = [
    "claims_name_modes",
    "entries_reach_modes",
    "every_mode_has_a_state",
    "modes_persist",
    "rates_cover_the_traffic",
    "trends_are_sound",
    "unknown_intents_persist",
]


def modes_persist(lake: Lake, registry: Registry, week: Window) -> Finding:
    """Each mode of the week before is still there, or folded into one that is."""
    before = previous_week(week)
    if not lake.exists(FAILURE_MODES, before):
        return Finding(True, {"before": 0})
    old = set(lake.read(FAILURE_MODES, before)["failure_mode_id"])
    now = lake.read(FAILURE_MODES, week)
    kept = set(now["failure_mode_id"]) | set(now["merged_from"].explode().drop_nulls())
    return Finding(old <= kept, {"before": len(old), "lost": len(old - kept)})


def entries_reach_modes(lake: Lake, registry: Registry, week: Window) -> Finding:
    """No entry of people names or closes a mode that lives on as another: it would do nothing."""
    folded = set(lake.read(FAILURE_MODES, week)["merged_from"].explode().drop_nulls())
    mute = [
        mode
        for mode in registry.failure_modes
        if mode.id in folded and not (mode.checks or mode.error_classes or mode.merged_into)
    ]
    return Finding(not mute, {"entries": len(registry.failure_modes), "of_folded": len(mute)})


def rates_cover_the_traffic(lake: Lake, registry: Registry, week: Window) -> Finding:
    """Each mode is measured on every graded trace of the week, and each failing trace is in one."""
    days = [day for day in week.days if lake.exists(GRADES, day)]
    graded = lake.read(GRADES, days, ["trace_id", "verdict"])
    failing = graded.filter(pl.col("verdict") == "fail")["trace_id"].n_unique()
    rates = lake.read(MODE_RATES, week)
    by_mode = rates.group_by("failure_mode_id").agg(pl.col("n").sum())
    short = by_mode.filter(pl.col("n") != graded["trace_id"].n_unique()).height
    placed = int(rates["seen"].sum())
    return Finding(
        not short and placed >= failing,
        {"failing": failing, "placed": placed, "modes_measured_short": short},
    )


def every_mode_has_a_state(lake: Lake, registry: Registry, week: Window) -> Finding:
    """Each failure mode of the week has one state, and no state is of another."""
    modes = set(lake.read(FAILURE_MODES, week)["failure_mode_id"])
    states = set(lake.read(MODE_STATES, week)["failure_mode_id"])
    return Finding(
        modes == states, {"without_a_state": len(modes - states), "unknown": len(states - modes)}
    )


def claims_name_modes(lake: Lake, registry: Registry, week: Window) -> Finding:
    """Each fix that people claim names a mode of the week, one folded into it, or a named one."""
    modes = lake.read(FAILURE_MODES, week, ["failure_mode_id", "merged_from"])
    known = {*modes["failure_mode_id"], *modes["merged_from"].explode().drop_nulls()}
    known |= {mode.id for mode in registry.failure_modes}
    unknown = [fix for fix in registry.fixes if fix.mode not in known]
    return Finding(not unknown, {"claims": len(registry.fixes), "of_no_mode": len(unknown)})


def trends_are_sound(lake: Lake, registry: Registry, week: Window) -> Finding:
    """Chances lie between 0 and 1, q is not below p, and what creeps up has both."""
    rows = lake.read(SLOW_FAILURES, week)
    p, q = pl.col("p_value"), pl.col("q_value")
    sound = p.is_between(0, 1) & q.is_between(0, 1) & (q >= p - 1e-9)
    untested = p.is_null() & q.is_null() & ~pl.col("creeping")
    wrong = rows.filter(~(sound.fill_null(False) | untested)).height
    return Finding(not wrong, {"measures": rows.height, "unsound": wrong})


def unknown_intents_persist(lake: Lake, registry: Registry, week: Window) -> Finding:
    """Each unknown intent that the week before saw is still there, asked for or quiet."""
    before = previous_week(week)
    if not lake.exists(UNKNOWN_INTENTS, before):
        return Finding(True, {"before": 0})
    active = lake.read(UNKNOWN_INTENTS, before).filter(pl.col("n") > 0)
    now = set(lake.read(UNKNOWN_INTENTS, week)["unknown_intent_id"])
    lost = set(active["unknown_intent_id"]) - now
    return Finding(not lost, {"before": active.height, "lost": len(lost)})
