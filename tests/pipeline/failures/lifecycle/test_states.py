"""The life of a mode, week by week: what people claim, and what production says of it."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

from pipeline.failures.lifecycle.releases import releases_from
from pipeline.registry import NamedMode
from tests.pipeline.failures.lifecycle.weeks import Life, monday, repeated

OLD = {"2.5.0": (4, 100)}
MENDED = {"2.6.0": (0, 100)}


def test_new_then_ongoing_then_quiet() -> None:
    life = Life()
    assert life.live(OLD, OLD, {"2.5.0": (0, 100)}) == ["new", "ongoing", "quiet"]
    assert life.row["since"] == monday(2)
    assert (life.row["rate"], life.row["rate_n"]) == (0.0, 100)
    assert life.row["first_seen"] == monday(0) + timedelta(days=2)


def test_four_times_as_many_as_its_own_weeks_is_escalating_and_twice_is_not() -> None:
    life = Life()
    states = life.live(*repeated(OLD, 4), {"2.5.0": (8, 100)})
    # 16 before in 400, 8 in 100: P(Bin(24, 1/5) >= 8) = .089
    assert states[-1] == "ongoing"
    assert life.row["band_p"] == pytest.approx(0.0892, abs=1e-3)
    life = Life()
    assert life.live(*repeated(OLD, 4), {"2.5.0": (16, 100)})[-1] == "escalating"
    assert life.row["expected"] == pytest.approx(8.0)  # four traces, of the weight two
    assert "8 conversations were to be expected" in life.row["reason"]


def test_a_mode_without_three_weeks_of_history_never_escalates() -> None:
    life = Life()
    assert life.live(OLD, OLD, {"2.5.0": (40, 100)}) == ["new", "ongoing", "ongoing"]
    assert life.row["band_p"] is None


def test_ten_times_the_traffic_with_ten_times_the_failures_is_nothing_new() -> None:
    life = Life()
    assert life.live(*repeated(OLD, 4), {"2.5.0": (40, 1000)})[-1] == "ongoing"


def test_a_bursty_mode_has_a_wider_band() -> None:
    calm, bursty = Life(), Life()
    calm.live(*repeated({"2.5.0": (8, 100)}, 6), {"2.5.0": (18, 100)})
    bursty.live(*[{"2.5.0": (k, 100)} for k in (1, 15, 0, 18, 2, 12)], {"2.5.0": (18, 100)})
    assert calm.row["state"] == "escalating"
    assert bursty.row["state"] == "ongoing"


def test_steady_modes_escalate_no_more_often_than_is_stated() -> None:
    draws = np.random.default_rng(3)
    alarms, weeks = 0, 0
    for _ in range(40):
        life = Life()
        counts = draws.poisson(6, 12)
        states = life.live(*({"2.5.0": (int(k), 200)} for k in counts))
        alarms += states.count("escalating")
        weeks += len(states) - 3
    assert alarms / weeks <= 0.02  # band_false_alarm is .01


def test_a_fix_is_verified_by_production() -> None:
    life = Life()
    life.live(OLD, OLD)
    life.claim("2.6.0")
    # nobody runs the release yet: eight failures in 200; then 60 and 120 clean traces of it
    states = life.live({"2.5.0": (4, 100)}, {"2.5.0": (1, 40), "2.6.0": (0, 60)})
    assert states[0] == "fixed_unverified"
    # 13 in 340 before, none in 60 after: (340/400)^13 = .121
    assert states[1] == "fixed_unverified"
    assert life.row["fix_verdict"] == "not_enough_data"
    assert life.row["fix_p"] == pytest.approx((340 / 400) ** 13, rel=1e-4)
    # (340 / (340 + a))^13 = .05: a = 88.1, of which 60 are there
    assert life.row["fix_needs"] == 29
    assert "about 29 more without a failure would tell" in life.row["reason"]
    assert life.live({"2.6.0": (0, 60)}) == ["verified"]
    row = life.row
    assert (row["before"], row["before_n"]) == (pytest.approx(13 / 340, abs=1e-6), 340)
    assert (row["after"], row["after_n"]) == (0.0, 120)
    assert row["after_high"] > 0
    assert row["verified_on"] == monday(5) - timedelta(days=1)
    assert life.live(MENDED) == ["verified"]
    assert row["since"] == monday(4)


def test_a_release_that_never_runs_leaves_the_claim_open() -> None:
    life = Life()
    life.live(OLD)
    life.claim("9.9.9")
    assert life.live(OLD, OLD) == ["fixed_unverified"] * 2
    assert life.row["reason"] == "no traffic of release 9.9.9 or later yet"
    assert life.row["after"] is None


def test_a_fix_that_does_not_show_is_refuted_and_the_mode_is_ongoing() -> None:
    life = Life()
    life.live(OLD, OLD)
    life.claim("2.6.0")
    assert life.live({"2.6.0": (4, 100)}, {"2.6.0": (4, 100)})[-1] == "ongoing"
    assert life.row["fix_verdict"] == "refuted"
    assert "the fix does not show: 4 % of conversations before" in life.row["reason"]


def test_a_stray_failure_does_not_reopen_and_a_return_does_under_the_old_id() -> None:
    life = Life()
    life.live(*repeated(OLD, 3))
    life.claim("2.6.0")
    assert life.live(*repeated(MENDED, 3))[-1] == "verified"
    assert life.live({"2.6.0": (1, 100)}) == ["verified"]
    assert "1 seen since fit its rate" in life.row["reason"]
    # 2.7.0 brings it back: 1 in 400 mended, 4 in 100 now: P(Bin(5, 1/5) >= 4) = .0067
    assert life.live({"2.6.0": (0, 50), "2.7.0": (4, 50)}) == ["regressed"]
    row = life.row
    assert row["failure_mode_id"] == "loop"
    assert (row["regressed_on"], row["regressed_release"]) == (
        monday(7) + timedelta(days=2), "2.7.0",
    )  # fmt: skip
    assert row["reason"].startswith(f"failed again from {row['regressed_on']} on release 2.7.0")
    # and stays so, however quiet, until somebody claims again
    assert life.live({"2.7.0": (0, 100)}) == ["regressed"]


def test_the_release_that_brought_it_back_is_named_not_the_one_with_a_stray_failure() -> None:
    life = Life()
    life.live(*repeated(OLD, 3))
    life.claim("2.6.0")
    life.live(*repeated(MENDED, 4))
    assert life.live({"2.6.0": (1, 100), "2.7.0": (6, 40)}) == ["regressed"]
    assert life.row["regressed_release"] == "2.7.0"


def test_two_failures_in_a_week_may_still_be_noise() -> None:
    life = Life()
    life.live(*repeated(OLD, 3))
    life.claim("2.6.0")
    life.live(*repeated(MENDED, 2))
    assert life.row["state"] == "verified"
    # none in 200, two in 100: 1/9
    assert life.live({"2.6.0": (2, 100)}) == ["verified"]


def test_a_faint_return_adds_up_over_four_weeks() -> None:
    life = Life()
    life.live(*repeated(OLD, 3))
    life.claim("2.6.0")
    life.live(*repeated(MENDED, 10))
    # one a week: alone it is noise (1/11), four in 400 after none in 1,000 are (2/7)^4 = .0067
    states = life.live(*repeated({"2.6.0": (1, 100)}, 4))
    assert states == ["verified"] * 3 + ["regressed"]
    assert life.row["regressed_on"] == monday(13) + timedelta(days=2)


def test_a_second_claim_arms_the_mode_anew() -> None:
    life = Life()
    life.live(*repeated(OLD, 3))
    life.claim("2.6.0")
    life.live(*repeated(MENDED, 3), {"2.7.0": (6, 100)})
    assert life.row["state"] == "regressed"
    life.claim("2.8.0")
    assert life.live({"2.7.0": (5, 100)}) == ["fixed_unverified"]
    # only what failed since its return counts as before: 11 in 200
    assert life.row["before_n"] == 200
    assert life.row["verified_on"] is None
    assert life.live({"2.8.0": (0, 100)}, {"2.8.0": (0, 100)})[-1] == "verified"
    assert life.row["before"] == pytest.approx(11 / 200)


def test_a_claim_on_a_merged_id_counts_for_the_mode_it_lives_on_as() -> None:
    life = Life(merged_from=("m-old",))
    life.live(OLD)
    life.claim("2.6.0", mode="m-old")
    assert life.live(OLD) == ["fixed_unverified"]
    assert life.unknown == ()


def test_a_claim_on_a_mode_that_nobody_knows_is_told_and_changes_nothing() -> None:
    life = Life()
    life.claim("2.6.0", mode="no_such_mode")
    assert life.live(OLD) == ["new"]
    assert life.unknown == ("no_such_mode",)


def test_a_person_outranks_everything_and_a_withdrawn_claim_leaves_nothing() -> None:
    life = Life(named=(NamedMode(id="loop", name="Loop", state="ignored"),))
    life.claim("2.6.0")
    assert life.live(OLD) == ["ignored"]
    life.named = ()
    assert life.live(OLD) == ["fixed_unverified"]
    life.fixes.clear()
    assert life.live(OLD) == ["ongoing"]
    assert life.row["fix_verdict"] is None


def test_a_verified_mode_that_rests_is_archived_and_its_return_still_a_regression() -> None:
    life = Life()
    life.live(*repeated(OLD, 3))
    life.claim("2.6.0")
    assert life.live(*repeated(MENDED, 15))[-1] == "archived"
    assert life.live({"2.9.0": (5, 100)}) == ["regressed"]


def test_a_fix_that_leaves_too_much_says_how_much() -> None:
    life = Life()
    life.live(*repeated({"2.5.0": (30, 1000)}, 3))
    life.claim("2.6.0")
    life.live(*repeated({"2.6.0": (8, 1000)}, 3))
    assert life.row["state"] == "fixed_unverified"
    assert "the rate fell, but 27% of it is left and a fix may leave 25%" in life.row["reason"]


def test_traffic_without_a_release_is_on_neither_side() -> None:
    life = Life()
    life.live({"": (9, 100), "2.5.0": (0, 100)})
    life.claim("2.6.0")
    life.live({"": (9, 100), "2.6.0": (0, 100)})
    assert (life.row["before_n"], life.row["after_n"]) == (100, 100)
    assert life.row["fix_verdict"] == "not_enough_data"


def test_two_ids_that_became_one_have_their_failures_added_and_their_traffic_counted_once() -> None:
    life = Life()
    life.live(OLD)
    twin = dict(life.rates[0], failure_mode_id="m-twin", failures=2.0, seen=1, squares_failing=4.0)
    life.rates.append(twin)
    life.merged_from = ("m-twin",)
    life.claim("2.6.0")
    life.live({"2.6.0": (0, 100)})
    assert (life.row["before"], life.row["before_n"]) == (pytest.approx(5 / 100), 100)


def test_the_same_weeks_give_the_same_states_whatever_the_order_of_the_rows() -> None:
    one, two = Life(), Life()
    one.live(OLD, OLD, {"2.5.0": (9, 100), "2.6.0": (1, 40)})
    two.rates = []
    two.live(OLD, OLD, {"2.6.0": (1, 40), "2.5.0": (9, 100)})
    assert one.states is not None
    assert two.states is not None
    assert one.states.equals(two.states)


@pytest.mark.parametrize(
    ("claimed", "after"),
    [
        ("2.9", {"2.9.0", "2.10.1", "v3"}),
        ("2.10.0", {"2.10.1", "v3"}),
        ("2.6.0", {"2.6.1", "2.9.0", "2.10.1", "v3"}),
        ("nightly", {"nightly", "canary"}),
        ("unheard-of", set()),
    ],
)
def test_releases_from_a_claimed_one(claimed: str, after: set[str]) -> None:
    calendar = {r: monday(n) for n, r in enumerate(
        ["2.6.0-rc1", "2.9.0", "2.6.1", "2.10.1", "v3", "nightly", "canary"])}  # fmt: skip
    calendar["same-week"] = monday(5)
    assert releases_from(claimed, calendar) == after


def test_a_false_fix_is_seldom_verified_though_looked_at_every_week() -> None:
    """Eight weekly looks at a fix that changed nothing, of a mode seen three times a week."""
    draws = np.random.default_rng(5)
    verified, rounds = 0, 60
    for _ in range(rounds):
        life = Life()
        life.live(*({"2.5.0": (int(k), 150)} for k in draws.poisson(3, 4)))
        life.claim("2.6.0")
        states = life.live(*({"2.6.0": (int(k), 150)} for k in draws.poisson(3, 8)))
        verified += "verified" in states
    assert verified / rounds <= 0.1


def test_the_frame_has_one_row_a_mode_and_survives_an_empty_week() -> None:
    life = Life()
    life.live(OLD, {})
    assert life.states is not None
    assert life.states.height == 1
    assert life.row["rate"] is None
    assert life.states.schema["since"] == pl.Date
    assert isinstance(life.row["since"], date)
