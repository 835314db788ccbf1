"""The scores of P.R.O.M.O.T.E., with numbers worked out by hand."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from pipeline.promotion.costs import Norm, cost_ratio, usual_costs
from pipeline.promotion.scores import ModeHistory, patterned
from pipeline.registry.settings import Promotion
from tests.pipeline.promotion.hand_made import apart, redacted, samples

LIMITS = Promotion()  # three traces make a pattern

SPREAD = [
    # traces, users, days, releases: half of (traces - 1) / 2, and a quarter a kind of spread
    ((1, 1, 1, 1), 0.0),
    ((2, 1, 1, 1), 0.25),
    ((3, 1, 1, 1), 0.5),
    ((3, 2, 1, 1), 0.75),
    ((3, 1, 1, 2), 0.75),
    ((3, 2, 2, 1), 1.0),
    ((3, 2, 2, 2), 1.0),  # two kinds are full marks
]


@pytest.mark.parametrize(("seen", "expected"), SPREAD)
def test_a_pattern_recurs_over_traces_users_days_and_releases(
    seen: tuple[int, int, int, int], expected: float
) -> None:
    traces, users, days, releases = seen
    history = ModeHistory(traces, users, days, traces, date(2026, 11, 2), releases)
    assert patterned(history, LIMITS) == expected


NORM = Norm(turns=2.0, tokens=400.0, traces=9, latency_ms=5_000.0)
USED = [
    ((2, 400, 10_000.0), 1.0),  # all as usual: 10 s over two turns are 5 s a turn
    ((6, 400, 10_000.0), 3.0),
    ((2, 1000, 10_000.0), 2.5),
    ((2, 400, 40_000.0), 4.0),
    ((None, None, None), 1.0),  # nothing is known
    ((2, 400, None), 1.0),
]


@pytest.mark.parametrize(("used", "expected"), USED)
def test_cost_is_the_largest_of_turns_tokens_and_latency_over_the_norm(
    used: tuple[int | None, int | None, float | None], expected: float
) -> None:
    assert cost_ratio(*used, NORM) == expected
    assert cost_ratio(*used, None) == 1.0


def test_the_norm_of_latency_is_the_median_by_turn_where_enough_traces_tell_it() -> None:
    chats = [apart(n, turns=n % 2 + 1, tokens=400) for n in range(6)]
    times = pl.Series("latency_ms", [1_000.0, 4_000.0, 3_000.0, None, 5_000.0, 12_000.0])
    told = redacted(chats).with_columns(times)
    # by turn, of traces with one and two turns in turn: 1000, 2000, 3000, -, 5000, 6000
    found = usual_costs(samples(chats), told, 5)["track_parcel"]
    assert (found.turns, found.tokens, found.latency_ms) == (1.5, 400.0, 3_000.0)
    # one trace too few: turns and tokens have a norm, latency has none and counts for nothing
    fewer = usual_costs(samples(chats), told, 6)["track_parcel"]
    assert fewer.latency_ms == 0.0
    assert cost_ratio(1, 400, 99_000.0, fewer) == 1.0
