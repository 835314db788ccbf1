"""Weekly tables of how failure modes fare: their rates, their states, and what creeps up."""

from __future__ import annotations

import polars as pl

from pipeline.tables.schema import Column, Table
from pipeline.tables.weekly import FAILURE_MODES

__all__ = ["MODE_RATES", "MODE_STATES", "SLOW_FAILURES"]

_MODE = {"failure_mode_id": FAILURE_MODES.columns["failure_mode_id"]}


def _estimate(name: str, meaning: str) -> dict[str, Column]:
    """The columns of a rate that never stands alone."""
    return {
        name: Column(pl.Float64, meaning),
        f"{name}_low": Column(pl.Float64, f"{name}: lower end of the 95 % interval"),
        f"{name}_high": Column(pl.Float64, f"{name}: upper end of the 95 % interval"),
        f"{name}_n": Column(pl.Int64, f"{name}: graded traces it rests on"),
    }


MODE_RATES = Table(
    "mode_rates",
    "week",
    ("failure_mode_id", "release"),
    _MODE
    | {
        "release": Column(pl.String, "release of the service; empty where traces name none"),
        "n": Column(pl.Int64, "graded traces of the release that week"),
        "seen": Column(pl.Int64, "of those, found in the mode"),
        "traffic": Column(pl.Float64, "estimated conversations of the release: sum of weights w"),
        "failures": Column(pl.Float64, "estimated conversations in the mode: sum of w, failing"),
        "rate": Column(pl.Float64, "failures / traffic"),
        "low": Column(pl.Float64, "lower end of the 95 % interval of the rate"),
        "high": Column(pl.Float64, "upper end of the 95 % interval of the rate"),
        "estimator": Column(pl.String, "how the rate was estimated"),
        "squares": Column(pl.Float64, "sum of w², which intervals and tests need"),
        "squares_failing": Column(pl.Float64, "sum of w² over those in the mode"),
        "traffic_by_weekday": Column(pl.List(pl.Float64), "traffic, Monday to Sunday"),
        "failures_by_weekday": Column(pl.List(pl.Float64), "failures, Monday to Sunday"),
        "first_failure": Column(pl.Date, "day of the first failure that week"),
        "last_failure": Column(pl.Date, "day of the last failure that week"),
    },
)

MODE_STATES = Table(
    "mode_states",
    "week",
    ("failure_mode_id",),
    _MODE
    | {
        "name": FAILURE_MODES.columns["name"],
        "state": Column(
            pl.String,
            "new, ongoing, escalating, fixed_unverified, verified, regressed, quiet, ignored or "
            "archived",
        ),
        "since": Column(pl.Date, "Monday of the week in which it came to be in this state"),
        "reason": Column(pl.String, "why, in a sentence"),
        "first_seen": FAILURE_MODES.columns["first_seen"],
        "last_seen": FAILURE_MODES.columns["last_seen"],
        "releases": FAILURE_MODES.columns["releases"],
        "seen": Column(pl.Int64, "traces found in the mode this week"),
        "failures": Column(pl.Float64, "estimated conversations in the mode this week"),
    }
    | _estimate("rate", "share of all conversations of the week")
    | {
        "expected": Column(pl.Float64, "failures that its own history lets expect this week"),
        "band_p": Column(pl.Float64, "chance of so many, were the mode as it used to be"),
        "fix_release": Column(pl.String, "release for which the latest fix is claimed"),
        "fix_from": Column(pl.Date, "day from which the claim holds"),
        "fix_verdict": Column(
            pl.String, "not_enough_data, verified, refuted or regressed; null without a claim"
        ),
        "fix_p": Column(pl.Float64, "p of the test behind the verdict"),
        "fix_needs": Column(pl.Int64, "traces of the release still to be graded, none failing"),
    }
    | _estimate("before", "share before the claimed release")
    | _estimate("after", "share from the claimed release on")
    | {
        "open_since": Column(pl.Date, "day from which failures count as before the fix"),
        "verified_on": Column(pl.Date, "last day of the week that verified the fix"),
        "regressed_on": Column(pl.Date, "first failing day of the return"),
        "regressed_release": Column(pl.String, "release that failed that day"),
        "estimator": Column(pl.String, "how its rates were estimated"),
    },
)

SLOW_FAILURES = Table(
    "slow_failures",
    "week",
    ("scope", "subject", "metric"),
    {
        "scope": Column(pl.String, "what is watched: intent, release or mode"),
        "subject": Column(pl.String, "which intent, release or failure_mode_id"),
        "metric": Column(pl.String, "turns, tokens, cost_usd, retries or complaints"),
        "value": Column(pl.Float64, "weighted mean a conversation this week"),
        "low": Column(pl.Float64, "lower end of the 95 % interval of the mean"),
        "high": Column(pl.Float64, "upper end of the 95 % interval of the mean"),
        "n": Column(pl.Int64, "traces it rests on"),
        "estimator": Column(pl.String, "how the mean was estimated"),
        "effective_n": Column(pl.Float64, "traces of equal weight that tell as much"),
        "variance": Column(pl.Float64, "between conversations of the week, weighted"),
        "passing": Column(pl.Float64, "the same mean over traces in which no check failed"),
        "passing_n": Column(pl.Int64, "traces in which no check failed"),
        "weeks": Column(pl.Int64, "weeks in the trend; null where there are too few"),
        "first_week": Column(pl.Date, "Monday of the first of them"),
        "rise": Column(pl.Float64, "of the fitted line over these weeks, as a share"),
        "p_value": Column(pl.Float64, "chance of such a rise by week-to-week scatter"),
        "q_value": Column(pl.Float64, "p_value allowing for all trends tested that week"),
        "still_p": Column(pl.Float64, "p_value of the later half of the weeks, four at least"),
        "creeping": Column(pl.Boolean, "it creeps up: rise, q_value and still_p pass the settings"),
        "since": Column(
            pl.Date, "Monday of the first week in a row that found it; null: not creeping"
        ),
        "baseline": Column(
            pl.Float64, "passing (of a mode: value) in the first third of the weeks of the trend"
        ),
        "passing_share": Column(
            pl.Float64, "of the rise to the last third, that traces without a failed check show"
        ),
    },
)
