"""The failure modes as the lake has them now, for those who read them in a terminal."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from pipeline.failures.lifecycle.words import Known, Part
from pipeline.failures.signatures import collect_failures
from pipeline.failures.slow.modes import slow_mode_id, slow_modes
from pipeline.lake import Lake, MissingPartition
from pipeline.registry import Registry
from pipeline.tables import (
    EVAL_SUITE,
    FAILURE_MODE_CLUSTERS,
    FAILURE_MODES,
    GRADES,
    MODE_RATES,
    MODE_STATES,
    SLOW_FAILURES,
    Table,
)
from pipeline.windows import Window

__all__ = [
    "Lives",
    "folded_since",
    "known_modes",
    "known_slow_modes",
    "read_lives",
    "what_it_was",
]


@dataclass(frozen=True)
class Lives:
    """The modes as the latest closed week left them.

    `states` are the rows of `mode_states` with `active_cases`; `modes` those of `failure_modes`;
    `life` the weeks in which a state changed; `rates` the weekly rates by release, oldest first;
    `cases` the cases of the suite; `slow` the rows of `slow_failures` of intents, oldest first.
    All of them carry the `failure_mode_id` that a mode has now.
    """

    week: Window
    states: pl.DataFrame
    modes: pl.DataFrame
    life: pl.DataFrame
    rates: pl.DataFrame
    cases: pl.DataFrame
    slow: pl.DataFrame


def read_lives(lake: Lake) -> Lives:
    """Read them.

    Raises:
        MissingPartition: no week was closed yet; the message says what to run.
    """
    weeks = lake.windows(MODE_STATES)
    if not weeks:
        raise MissingPartition(
            "no week was closed yet, so no failure mode has a state; run the days up to a Sunday: "
            + lake.place.make("backfill", "YYYY-MM-DD", "YYYY-MM-DD")
        )
    modes = lake.read(FAILURE_MODES, weeks[-1])
    now = _folded(modes)
    current = pl.col("failure_mode_id").replace(now)
    suite = lake.read(EVAL_SUITE, None) if lake.exists(EVAL_SUITE, None) else EVAL_SUITE.empty()
    cases = suite.with_columns(current)
    covering = (
        cases.filter(pl.col("status") == "active")
        .group_by("failure_mode_id")
        .agg(active_cases=pl.len())
    )
    states = lake.read(MODE_STATES, weeks[-1]).join(covering, on="failure_mode_id", how="left")
    before = pl.col("state").shift().over("failure_mode_id")
    life = _weekly(lake, MODE_STATES).with_columns(current).sort("failure_mode_id", "week")
    return Lives(
        weeks[-1],
        states.with_columns(pl.col("active_cases").fill_null(0)).sort("failure_mode_id"),
        modes,
        life.filter(pl.col("state").ne_missing(before)),
        _weekly(lake, MODE_RATES).with_columns(current).sort("failure_mode_id", "week", "release"),
        cases,
        _slow(lake),
    )


def _slow(lake: Lake) -> pl.DataFrame:
    rows = _weekly(lake, SLOW_FAILURES).filter(scope="intent")
    ids = [slow_mode_id(*key) for key in rows.select("subject", "metric").iter_rows()]
    return rows.with_columns(failure_mode_id=pl.Series(ids, dtype=pl.String)).sort(
        "failure_mode_id", "week"
    )


def known_modes(lake: Lake) -> Known:
    """Every id that the lake has, also those that days founded since the last closed week.

    Those of slow failures are among them, of every intent and metric of any closed week.
    """
    weeks = lake.windows(FAILURE_MODES)
    names: dict[str, str] = {}
    folded: dict[str, str] = {}
    if weeks:
        modes = lake.read(FAILURE_MODES, weeks[-1])
        names |= dict(modes.select("failure_mode_id", "name").iter_rows())
        folded |= _folded(modes)
    names |= known_slow_modes(lake)
    since = weeks[-1].days[-1].first if weeks else None
    days = [d for d in lake.windows(FAILURE_MODE_CLUSTERS) if since is None or d.first > since]
    fresh = (
        lake.read(FAILURE_MODE_CLUSTERS, days, ["failure_mode_id", "name"]).unique().sort(pl.all())
    )
    for mode, name in fresh.iter_rows():
        if mode not in folded:
            names.setdefault(mode, name)
    return Known(names, folded)


def what_it_was(lake: Lake, mode: str, registry: Registry) -> Part | None:
    """What the days say of a mode: the codes of the failures it had; None if the lake has none."""
    its = pl.col("failure_mode_id") == mode
    past = (
        lake.read(FAILURE_MODES, week).filter(its) for week in lake.windows(FAILURE_MODES)[::-1]
    )
    last = next((row for row in past if row.height), FAILURE_MODES.empty())
    signatures = last["signatures"].explode().drop_nulls().to_list()
    found, name = [], mode
    for day in lake.windows(FAILURE_MODE_CLUSTERS):
        own = lake.read(FAILURE_MODE_CLUSTERS, day).filter(
            its | pl.col("signature").is_in(signatures)
        )
        if own.height and lake.exists(GRADES, day):
            rows = collect_failures(lake.read(GRADES, day), registry).rows
            found.append(rows.join(own, on=["trace_id", "check"], how="semi"))
            name = next(iter(own.filter(its)["name"]), name)
    parts = pl.concat(found) if found else None
    if parts is None or parts.is_empty():
        return None
    return Part(
        next(iter(last["name"]), name),
        *(tuple(parts[code].unique().sort()) for code in ("check", "error_class", "intent")),
    )


def folded_since(lake: Lake, mode: str) -> Window | None:
    """The first of the latest weeks in a row that have a mode folded into another."""
    since = None
    for week in reversed(lake.windows(FAILURE_MODES)):
        if mode not in _folded(lake.read(FAILURE_MODES, week, ["failure_mode_id", "merged_from"])):
            break
        since = week
    return since


def known_slow_modes(lake: Lake) -> dict[str, str]:
    """The modes of slow failures, by id, that any closed week may have cases of."""
    named = ["scope", "subject", "metric"]
    return slow_modes(lake.read(SLOW_FAILURES, lake.windows(SLOW_FAILURES), named))


def _folded(modes: pl.DataFrame) -> dict[str, str]:
    return {
        old: mode
        for mode, merged in modes.select("failure_mode_id", "merged_from").iter_rows()
        for old in merged or ()
    }


def _weekly(lake: Lake, table: Table) -> pl.DataFrame:
    """Every week of a table, with its `week`."""
    none = table.empty().with_columns(pl.lit(None, pl.Date).alias("week"))
    weeks = (
        lake.read(table, week).with_columns(pl.lit(week.first, pl.Date).alias("week"))
        for week in lake.windows(table)
    )
    return pl.concat([none, *weeks])
