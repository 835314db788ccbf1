"""Tests of rates and trends, against numbers worked out by hand and against simulation."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.estimation import (
    EMPTY,
    Line,
    Prior,
    Tally,
    exposure_to_tell,
    false_discovery,
    fit_line,
    p_fell,
    p_rising,
    p_rose,
    p_rose_by_weekday,
    rate,
    shared_scatter,
    tally,
    tally_rate,
    total,
)

outcomes = st.lists(
    st.tuples(st.booleans(), st.floats(0.01, 1.0, allow_nan=False)), min_size=1, max_size=40
)


def plain(seen: int, n: int, weight: float = 1.0) -> Tally:
    """So many failures among so many traces of one weight."""
    w = weight
    return Tally(n, seen, n * w, seen * w, n * w * w, seen * w * w)


@given(outcomes)
def test_a_tally_has_the_rate_of_its_traces(rows: list[tuple[bool, float]]) -> None:
    failed, probability = [y for y, _ in rows], [p for _, p in rows]
    known, found = rate(failed, probability), tally_rate(tally(failed, probability))
    assert (found.value, found.n, found.estimator) == (
        pytest.approx(known.value), known.n, known.estimator,
    )  # fmt: skip
    assert found.low == pytest.approx(known.low, abs=1e-4)
    assert found.high == pytest.approx(known.high, abs=1e-4)


@given(outcomes, outcomes)
def test_tallies_of_two_days_add_up(
    one: list[tuple[bool, float]], two: list[tuple[bool, float]]
) -> None:
    parts = [tally([y for y, _ in rows], [p for _, p in rows]) for rows in (one, two)]
    whole = tally([y for y, _ in one + two], [p for _, p in one + two])
    assert total(parts).failures == pytest.approx(whole.failures)
    assert total(parts).squares == pytest.approx(whole.squares)
    assert total(reversed(parts)) == total(parts)


def test_of_equal_weights_the_events_are_the_failures_that_were_seen() -> None:
    some = plain(3, 40, weight=5.0)
    assert (some.unit, some.events, some.exposure) == (5.0, 3.0, 40.0)
    # weights 1 and 3 fail, mean weight (1 + 9 + 9) / 7: u = (1 + 9 + m²) / (1 + 3 + m)
    uneven = Tally(3, 2, 7.0, 4.0, 19.0, 10.0)
    m = 19 / 7
    assert uneven.unit == pytest.approx((10 + m * m) / (4 + m))


def test_five_failures_before_and_none_after_the_same_traffic() -> None:
    # given five in all, none falls on the later half with chance 1/2^5
    assert p_fell(plain(5, 100), plain(0, 100)) == pytest.approx(1 / 32)
    assert p_fell(plain(5, 100, 4.0), plain(0, 100, 4.0)) == pytest.approx(1 / 32)
    # twice the traffic after: (1/3)^5; one failure after, same traffic: (1 + 6) / 2^6
    assert p_fell(plain(5, 100), plain(0, 200)) == pytest.approx(3.0**-5)
    assert p_fell(plain(5, 100), plain(1, 100)) == pytest.approx(7 / 64)
    # against half of the rate: the later half counts as a quarter of 1.5: (2/3)^5
    assert p_fell(plain(5, 100), plain(0, 100), 0.5) == pytest.approx((2 / 3) ** 5)


def test_three_failures_after_ten_clean_weeks() -> None:
    assert p_rose(plain(0, 1000), plain(3, 100)) == pytest.approx(11.0**-3)
    assert p_rose(plain(0, 300), plain(1, 100)) == pytest.approx(0.25)  # a stray one


def test_where_nothing_was_seen_nothing_is_said() -> None:
    some = plain(4, 50)
    assert p_fell(EMPTY, some) == p_fell(some, EMPTY) == p_rose(some, EMPTY) == 1.0
    assert p_fell(plain(0, 50), some) == 1.0
    assert p_rose(some, plain(0, 50)) == 1.0


def test_how_much_more_traffic_would_tell() -> None:
    # (E / (E + a))^3 = 0.05 for E = 100: a = 100 (0.05^(-1/3) - 1) = 171.44; 60 are there
    more = exposure_to_tell(plain(3, 100), plain(0, 60), 0.05)
    assert more == pytest.approx(171.44 - 60, abs=0.01)
    assert p_fell(plain(3, 100), plain(0, 60 + round(more) + 1)) <= 0.05
    assert exposure_to_tell(plain(3, 100), EMPTY, 0.05) == pytest.approx(171.44, abs=0.01)
    assert exposure_to_tell(plain(0, 100), plain(0, 60), 0.05) is None


def test_a_mode_that_is_busy_on_mondays_raises_no_alarm_on_a_monday() -> None:
    # 40 on four Mondays, none else. A week that is its Monday alone sees its ten: 50 in all, of
    # which the day has a fifth, so ten are the mean. Had weekdays been one, 1.43 would be.
    quiet = [(0.0, 400.0)] * 6
    p, mean = p_rose_by_weekday([(40.0, 400.0), *quiet], [(10.0, 100.0), *[(0.0, 0.0)] * 6])
    assert mean == pytest.approx(10.0)
    assert p > 0.5
    assert p_rose(plain(40, 2800), plain(10, 100)) < 1e-4


def test_weekdays_are_added_up_exactly() -> None:
    # two weekdays, one old event each, equal exposures; this week saw one on both:
    # each is Binomial(2, 1/2); P(sum >= 2) = P(Binomial(4, 1/2) >= 2) = 11/16
    p, mean = p_rose_by_weekday([(1.0, 10.0)] * 2, [(1.0, 10.0)] * 2)
    assert (p, mean) == (pytest.approx(11 / 16), pytest.approx(2.0))


@pytest.mark.parametrize("after_weight", [1, 8])
def test_a_rate_that_did_not_fall_passes_as_often_as_is_stated(after_weight: int) -> None:
    """Strata taken whole beside strata of which one in some is drawn, all failing alike."""
    draws = np.random.default_rng(7)
    passed, rounds = 0, 3000
    for _ in range(rounds):
        sides = []
        for weight in (5, after_weight):
            seen = draws.poisson(0.03 * 150, size=2)
            sides.append(plain(int(seen[0]), 150) + plain(int(seen[1]), 150, float(weight)))
        passed += p_fell(*sides) <= 0.05
    assert passed / rounds <= 0.06


def test_a_line_by_hand() -> None:
    # x 0..3, y 1, 2, 2, 3: slope 0.6; residuals -.1 .3 -.3 .1: s² = .2/2; S = 5; t = .6/√.02
    found = fit_line([0, 1, 2, 3], [1.0, 2.0, 2.0, 3.0], [1.0] * 4, [0.05] * 4)
    assert found is not None
    assert (found.slope, found.first, found.last) == pytest.approx((0.6, 1.1, 2.9))
    assert (found.scatter, found.across, found.excess) == pytest.approx((0.1, 5.0, 2.0))
    # t = 4.2426 on two degrees of freedom: P(T >= t) = 1/2 - t / (2 sqrt(2 + t²)) = 0.025658
    assert p_rising(found) == pytest.approx(0.025658, abs=1e-6)
    assert found.rise == pytest.approx(1.8 / 1.1)
    falling = fit_line([0, 1, 2, 3], [3.0, 2.0, 2.0, 1.0], [1.0] * 4, [0.05] * 4)
    assert falling is not None
    assert p_rising(falling) == pytest.approx(1 - 0.025658, abs=1e-6)


def test_what_others_know_of_the_scatter_counts_beside_a_lines_own() -> None:
    # prior: excess 1 with 2 degrees. s~² = (2 · 1 · .05 + 2 · .1) / 4 = .075, t = .6 / √.015 on
    # four degrees: 4.899; P(T >= t) = .004019
    line = fit_line([0, 1, 2, 3], [1.0, 2.0, 2.0, 3.0], [1.0] * 4, [0.05] * 4)
    assert line is not None
    assert p_rising(line, Prior(1.0, 2.0)) == pytest.approx(0.004019, abs=2e-5)


def test_lines_that_scatter_alike_share_nearly_all_and_unlike_ones_little() -> None:
    def lines(excess: list[float]) -> list[Line]:
        return [Line(1, 1, 0, 40.0, e, 1.0, 8) for e in excess]

    alike = shared_scatter(lines([2.0] * 10))
    assert alike is not None
    assert alike.degrees == 200  # as much as a prior may have
    # one value e: log e0 = log e - digamma(3) + log 3 + (digamma(100) - log 100)
    assert alike.excess == pytest.approx(2 * np.exp(-0.922784 + 1.098612 - 0.005008), rel=1e-4)
    unlike = shared_scatter(lines([0.1, 0.5, 1.0, 8.0, 60.0, 300.0]))
    assert unlike is not None
    assert unlike.degrees < 2
    assert shared_scatter(lines([1.0, 2.0])) is None


def test_a_line_without_scatter_a_flat_one_and_too_short_a_one() -> None:
    up = fit_line([0, 1, 2], [1, 2, 3], [1] * 3, [0] * 3)
    down = fit_line([0, 1, 2], [3, 2, 1], [1] * 3, [0] * 3)
    assert up is not None
    assert down is not None
    assert (p_rising(up), p_rising(down), up.excess) == (0.0, 1.0, None)
    assert fit_line([0, 1, 2], [4, 4, 4], [1] * 3, [0] * 3) is None
    assert fit_line([0, 1], [1, 2], [1, 1], [0, 0]) is None


def test_benjamini_and_hochberg_by_hand() -> None:
    # sorted .01 .02 .04 .5, m = 4: .04, .04, .0533, .5; in the order given
    assert false_discovery([0.04, 0.01, 0.5, 0.02]) == pytest.approx([0.16 / 3, 0.04, 0.5, 0.04])
    assert false_discovery([]) == []


@pytest.mark.parametrize("wander", [[1.0], [1.0, 1.5, 3.0, 8.0]], ids=["calm", "of four kinds"])
def test_steady_measures_seldom_creep(wander: list[float]) -> None:
    """Eighty steady measures over eight weeks: any finding at all in about 5 % of weeks."""
    draws = np.random.default_rng(11)
    rounds, alarms = 60, 0
    for _ in range(rounds):
        found: list[float] = []
        for kind in range(4):
            wide = wander[kind % len(wander)] ** 0.5
            lines = [
                fit_line(range(8), draws.normal(9, wide, 8).tolist(), [1.0] * 8, [1.0] * 8)
                for _ in range(20)
            ]
            known = [line for line in lines if line]
            found += [p_rising(line, shared_scatter(known)) for line in known]
        alarms += min(false_discovery(found)) <= 0.05
    assert alarms / rounds <= 0.12
