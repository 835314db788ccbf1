"""The two draws: whom they take, with which chance, and what one more trace changes."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from pipeline.sampling.draw import Eligible, allocate, draw, draw_by_anomaly

strata = st.sampled_from(["a", "b", "c", "d", "e"])
days = st.dictionaries(
    st.integers(0, 10_000).map("t{}".format),
    st.tuples(strata, st.sampled_from([0.0, 0.0, 0.2, 0.4, 0.7])),
    max_size=70,
).map(
    lambda day: [Eligible(n, stratum, stratum == "e", score) for n, (stratum, score) in day.items()]
)
budgets = st.integers(1, 60)
floors = st.integers(1, 4)
shares = st.sampled_from([0.0, 0.15, 0.5])


def day_of(**sizes: int) -> list[Eligible]:
    """Strata of the given sizes; "high" is a census."""
    return [
        Eligible(f"{stratum}-{number}", stratum, stratum == "high", 0.0)
        for stratum, size in sizes.items()
        for number in range(size)
    ]


# --- examples --------------------------------------------------------------------------------


def test_seats_follow_size_once_everyone_has_the_floor():
    # 20 seats, floor 2: c has 1, so c takes 1; 17 - of a 60 and b 30 the averages 60/(2k-1) and
    # 30/(2k-1) give a twice as many as b: 13 and 6
    assert allocate({"a": 60, "b": 30, "c": 1}, 20, 2) == {"a": 13, "b": 6, "c": 1}


def test_a_stratum_below_its_floor_is_taken_whole():
    assert allocate({"a": 100, "b": 3}, 10, 5) == {"a": 7, "b": 3}


def test_every_stratum_has_a_seat_even_where_the_budget_has_none():
    assert allocate({"a": 9, "b": 5, "c": 1}, 0, 3) == {"a": 1, "b": 1, "c": 1}


def test_high_stakes_are_a_census_and_count_against_the_budget():
    drawn = draw(day_of(low=90, high=10), 30, 2, 0.0, "seed")
    assert Counter(d.reason for d in drawn) == {"census": 10, "proportional": 20}
    chances = {d.reason: d.probability for d in drawn}
    assert chances == {"census": 1.0, "proportional": pytest.approx(20 / 90)}


def test_a_census_may_exceed_the_budget():
    drawn = draw(day_of(low=90, other=5, high=50), 30, 2, 0.15, "seed")
    assert Counter(d.reason for d in drawn) == {"census": 50, "proportional": 2}


def test_all_grades_every_trace():
    drawn = draw(day_of(low=5, high=2), "all", 2, 0.15, "seed")
    assert [d.trace_id for d in drawn] == sorted(t.trace_id for t in day_of(low=5, high=2))
    assert {(d.probability, d.reason) for d in drawn} == {(1.0, "census")}


def test_an_empty_day_has_an_empty_sample():
    assert draw([], 30, 2, 0.15, "seed") == []


def test_another_seed_draws_others():
    day = day_of(low=200)
    assert draw(day, 20, 2, 0.0, "one") != draw(day, 20, 2, 0.0, "two")


def test_both_draws_make_the_chance():
    # 100 traces, budget 20, half of it by anomaly: n_h/N_h = 10/100. Three traces have a score and
    # ten places wait for them, so their second chance is 1, and all three are in.
    day = [Eligible(f"t{n}", "s", False, 0.5 if n < 3 else 0.0) for n in range(100)]
    drawn = {d.trace_id: d for d in draw(day, 20, 2, 0.5, "seed")}
    assert {drawn[f"t{n}"].probability for n in range(3)} == {1.0}
    plain = [d.probability for n, d in drawn.items() if n not in {"t0", "t1", "t2"}]
    assert plain == [pytest.approx(0.1)] * len(plain)


def test_a_cap_cuts_the_budget_first():
    # 100 traces, at most 15 of them: 10 of high stakes stay a census, 5 are left for the others.
    drawn = draw(day_of(low=90, high=10), 30, 2, 0.0, "seed", 0.15)
    assert Counter(d.reason for d in drawn) == {"census": 10, "proportional": 5}
    chances = {d.reason: d.probability for d in drawn}
    assert chances == {"census": 1.0, "proportional": pytest.approx(5 / 90)}


def test_a_census_above_the_cap_is_one_no_more_and_says_so():
    # 60 of high stakes and one of each other stratum are 62; the cap of 40 leaves 31 of them.
    drawn = draw(day_of(low=15, other=2, high=60), 30, 2, 0.0, "seed", 31 / 77)
    assert len(drawn) == 31
    assert {d.reason for d in drawn} <= {"capped_census", "proportional"}
    chances = {d.trace_id.partition("-")[0]: d.probability for d in drawn}
    assert chances["high"] == pytest.approx(31 / 62)
    assert chances.get("low", 1 / 30) == pytest.approx(1 / 15 * 31 / 62)


def test_all_under_a_cap_is_as_many_as_the_cap_allows():
    drawn = draw(day_of(low=10, other=10), "all", 2, 0.0, "seed", 0.5)
    assert len(drawn) == 10
    assert {(d.probability, d.reason) for d in drawn} == {(0.5, "proportional")}


def test_a_day_too_small_for_one_trace_under_the_cap_has_none():
    assert draw(day_of(low=9), 30, 2, 0.0, "seed", 0.1) == []
    assert len(draw(day_of(low=10), 30, 2, 0.0, "seed", 0.1)) == 1


# --- properties ------------------------------------------------------------------------------


@given(days, budgets, floors, shares, st.randoms())
def test_the_order_of_traces_does_not_matter(day, budget, floor, share, shuffler):
    shuffled = list(day)
    shuffler.shuffle(shuffled)
    assert draw(day, budget, floor, share, "s") == draw(shuffled, budget, floor, share, "s")


@given(days, budgets, floors, shares)
def test_chances_are_chances_and_budgets_are_kept(day, budget, floor, share):
    drawn = draw(day, budget, floor, share, "s")
    assert all(0 < d.probability <= 1 for d in drawn)
    assert len({d.trace_id for d in drawn}) == len(drawn)
    census = sum(t.census for t in day)
    others = len({t.stratum for t in day if not t.census})
    by_anomaly = int(share * max(budget - census, 0))
    assert len(drawn) <= max(budget, census + others + by_anomaly)
    assert len(drawn) >= min(len(day), census + others)


@given(days, budgets | st.just("all"), floors, shares, st.sampled_from([0.1, 0.29, 0.5, 0.9]))
def test_no_more_than_the_cap_is_ever_drawn(day, budget, floor, share, most):
    drawn = draw(day, budget, floor, share, "s", most)
    assert len(drawn) <= most * len(day) + 1e-9
    assert all(0 < d.probability <= 1 for d in drawn)
    assert all((d.probability < 1) for d in drawn if d.reason == "capped_census")
    assert draw(day, budget, floor, share, "s", 1.0) == draw(day, budget, floor, share, "s")


@given(days, budgets, floors, shares)
def test_every_stratum_is_seen_and_the_census_is_whole(day, budget, floor, share):
    drawn = {d.trace_id for d in draw(day, budget, floor, share, "s")}
    assert {t.stratum for t in day if t.trace_id in drawn} == {t.stratum for t in day}
    assert {t.trace_id for t in day if t.census} <= drawn


@given(days, strata, budgets, floors)
def test_a_late_trace_displaces_at_most_one_in_the_first_draw(day, stratum, budget, floor):
    before = {d.trace_id for d in draw(day, budget, floor, 0.0, "s")}
    late = Eligible("late", stratum, stratum == "e", 0.0)
    after = {d.trace_id for d in draw([*day, late], budget, floor, 0.0, "s")}
    assert len(before - after) <= 1


@given(days, st.sampled_from([0.2, 0.9]), st.integers(0, 20))
def test_a_late_trace_displaces_at_most_one_in_the_second_draw(day, score, size):
    scores = {t.trace_id: t.anomaly for t in day}
    before, _ = draw_by_anomaly(scores, size, "s")
    after, _ = draw_by_anomaly(scores | {"late": score}, size, "s")
    assert len(before - after) <= 1


@given(days, st.integers(1, 20))
def test_the_second_draw_takes_as_many_as_it_may_and_only_the_odd_ones(day, size):
    scores = {t.trace_id: t.anomaly for t in day}
    odd = {name for name, score in scores.items() if score > 0}
    drawn, chances = draw_by_anomaly(scores, size, "s")
    assert drawn <= odd
    assert len(drawn) == min(size, len(odd))
    assert set(chances) == odd


@given(days, strata, st.integers(1, 60), floors)
def test_more_traces_of_a_stratum_never_cost_it_a_seat(day, stratum, seats, floor):
    sizes = Counter(t.stratum for t in day)
    assume(sizes)
    grown = sizes + Counter([stratum])
    before, after = allocate(sizes, seats, floor), allocate(grown, seats, floor)
    assert after[stratum] >= before.get(stratum, 0)
    assert all(1 <= after[name] <= grown[name] for name in grown)


# --- unbiasedness ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("budget", "largest_share"), [(12, 1.0), (40, 1.0), (40, 0.25), ("all", 0.5)]
)
def test_weights_add_up_to_the_population(budget, largest_share):
    """Over 2,000 seeds the mean of sum(1/pi) is N, and of the odd ones' weights their number."""
    day = [
        Eligible(
            f"{stratum}{n}", stratum, stratum == "e", 0.6 if n % 7 == 0 else 0.2 * (n % 5 == 0)
        )
        for stratum, size in {"a": 60, "b": 25, "c": 3, "e": 4}.items()
        for n in range(size)
    ]
    odd = {t.trace_id for t in day if t.anomaly > 0}
    runs, total, of_odd = 2_000, 0.0, 0.0
    for seed in range(runs):
        for d in draw(day, budget, 2, 0.25, f"seed {seed}", largest_share):
            total += 1 / d.probability
            of_odd += (d.trace_id in odd) / d.probability
    assert total / runs == pytest.approx(len(day), rel=0.02)
    assert of_odd / runs == pytest.approx(len(odd), rel=0.03)


def test_weights_add_up_where_the_cap_thins_a_census():
    """Over 2,000 seeds: 77 traces, 62 drawn, of which the cap leaves 31."""
    day = day_of(low=15, other=2, high=60)
    runs, total, of_high = 2_000, 0.0, 0.0
    for seed in range(runs):
        for d in draw(day, 30, 2, 0.25, f"seed {seed}", 31 / 77):
            total += 1 / d.probability
            of_high += d.trace_id.startswith("high") / d.probability
    assert total / runs == pytest.approx(77, rel=0.02)
    assert of_high / runs == pytest.approx(60, rel=0.02)
