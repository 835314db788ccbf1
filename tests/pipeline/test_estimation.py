"""Estimates and their intervals, against numbers worked out by hand and against simulation."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.estimation import (
    Confusion,
    agreement,
    kappa,
    mcc,
    rate,
    rogan_gladen,
    tnr,
    tpr,
    wilson,
)
from pipeline.sampling.draw import Eligible, draw

outcomes = st.lists(
    st.tuples(st.booleans(), st.floats(0.01, 1.0, allow_nan=False)), min_size=1, max_size=40
)


# --- Wilson ----------------------------------------------------------------------------------


def test_wilson_keeps_a_width_where_nothing_failed():
    # k = 0: low = 0, high = z²/(n + z²) = 3.8415 / 13.8415
    none = wilson(0, 10)
    assert (none.value, none.low, none.n) == (0.0, 0.0, 10)
    assert none.high == pytest.approx(0.27753, abs=1e-5)


def test_wilson_is_symmetric():
    # n = 10, p = 1/2: centre 1/2, half width 1.95996/1.38415 · sqrt(0.025 + 3.8415/400) = 0.26341
    half = wilson(5, 10)
    assert (half.low, half.high) == (
        pytest.approx(0.23659, abs=1e-5),
        pytest.approx(0.76341, abs=1e-5),
    )
    assert wilson(2, 9).low == pytest.approx(1 - wilson(7, 9).high)


def test_without_observations_there_is_no_number():
    assert wilson(0, 0).value is None
    assert rate([], []).value is None
    assert not rate([], []).defined


def test_a_share_above_one_is_refused():
    with pytest.raises(ValueError, match="3 of 2"):
        wilson(3, 2)


# --- the weighted rate -----------------------------------------------------------------------


def test_rate_by_hand():
    # w = 2, 2, 1 and y = 1, 0, 0: p = 2/5.
    # v = (0.5·4·0.6² + 0.5·4·0.4² + 0) / 5² = 1.04 / 25 = 0.0416; n_design = 0.24 / 0.0416 = 5.769
    # n_weights = 25 / (0.5·4 + 0.5·4) = 6.25, so 5.769 counts:
    # centre (0.4 + 3.8415/11.538) / 1.66588 = 0.43997; half width 1.17653 · 0.26544 = 0.31229
    found = rate([True, False, False], [0.5, 0.5, 1.0])
    assert found.value == pytest.approx(0.4)
    assert found.low == pytest.approx(0.12768, abs=1e-4)
    assert found.high == pytest.approx(0.75226, abs=1e-4)
    assert found.n == 3
    assert "Hajek" in found.estimator


def test_a_census_leaves_no_doubt():
    found = rate([True, False, False], [1.0, 1.0, 1.0])
    assert found.low == found.value == found.high == pytest.approx(1 / 3)


def test_equal_tiny_chances_give_wilsons_interval():
    # a simple random sample of a huge population: the effective n is n
    found = rate([True] * 3 + [False] * 17, [1e-9] * 20)
    plain = wilson(3, 20)
    assert (found.low, found.high) == (pytest.approx(plain.low), pytest.approx(plain.high))


def test_no_failure_seen_is_not_no_failure():
    # 10 traces for 100: n_weights = 100² / (0.9 · 10 · 100) = 11.1, high = z² / (11.1 + z²)
    found = rate([False] * 10, [0.1] * 10)
    assert (found.value, found.low) == (0.0, 0.0)
    assert found.high == pytest.approx(3.8415 / (100 / 9 + 3.8415), abs=1e-4)


@given(outcomes)
def test_the_interval_holds_the_rate_and_stays_a_share(rows):
    failed, chances = zip(*rows, strict=True)
    found = rate(failed, chances)
    assert 0 <= found.low <= found.value <= found.high <= 1


@given(outcomes, st.randoms())
def test_the_order_of_traces_does_not_matter(rows, shuffler):
    shuffled = list(rows)
    shuffler.shuffle(shuffled)
    assert rate(*zip(*rows, strict=True)) == rate(*zip(*shuffled, strict=True))


@pytest.mark.parametrize("chances", [[0.5], [0.0, 0.5], [1.5, 0.5], [float("nan"), 0.5]])
def test_impossible_chances_are_refused(chances):
    with pytest.raises(ValueError, match="probabilit"):
        rate([True, False], chances)


POPULATIONS = {
    "rare failures": [(160, 0.02), (80, 0.02), (40, 0.03), (20, 0.02), (5, 0.0), (3, 0.0)],
    "common failures": [(160, 0.2), (80, 0.1), (40, 0.3), (20, 0.5), (5, 0.4), (3, 0.3)],
    "all but always": [(160, 0.95), (80, 0.97), (40, 0.9), (20, 0.95), (5, 1.0), (3, 1.0)],
    "in the tail": [(160, 0.0), (80, 0.01), (40, 0.02), (20, 0.5), (5, 0.8), (3, 1.0)],
}


@pytest.mark.parametrize("shape", POPULATIONS)
def test_the_interval_covers_the_true_rate(shape):
    """Both draws over 300 seeds: at least 93 % of the intervals hold the rate of all traffic."""
    source = random.Random(7)
    traces, failed = [], {}
    for stratum, (size, share) in enumerate(POPULATIONS[shape]):
        for number in range(size):
            name = f"{stratum}-{number}"
            failed[name] = source.random() < share
            odd = source.random() < (0.5 if failed[name] else 0.1)
            traces.append(Eligible(name, str(stratum), stratum == 3, 0.4 if odd else 0.0))
    truth = sum(failed.values()) / len(failed)
    held, error, runs = 0, 0.0, 300
    for seed in range(runs):
        drawn = draw(traces, 80, 2, 0.15, str(seed))
        found = rate([failed[d.trace_id] for d in drawn], [d.probability for d in drawn])
        held += found.low <= truth <= found.high
        error += found.value - truth
    assert held / runs >= 0.93
    assert abs(error / runs) < 0.01


# --- agreement -------------------------------------------------------------------------------

TABLE = Confusion(tp=20, fp=5, fn=10, tn=15)


def test_the_table_counts_pairs_of_judge_and_people():
    pairs = [(True, True)] * 3 + [(True, False)] * 2 + [(False, True)] + [(False, False)] * 4
    assert Confusion.of(pairs) == Confusion(tp=3, fp=2, fn=1, tn=4)


def test_shares_of_the_table():
    assert agreement(TABLE).value == 35 / 50
    assert (tpr(TABLE).value, tpr(TABLE).n) == (20 / 30, 30)
    assert (tnr(TABLE).value, tnr(TABLE).n) == (15 / 20, 20)


def test_kappa_and_mcc_by_hand():
    # agreement 0.7; by chance 0.5·0.6 + 0.5·0.4 = 0.5; kappa = 0.2/0.5
    assert kappa(TABLE).value == pytest.approx(0.4)
    # (20·15 - 5·10) / sqrt(25·25·30·20) = 250/612.37
    assert mcc(TABLE).value == pytest.approx(0.40825, abs=1e-5)


def test_the_variance_is_that_of_fleiss_cohen_and_everitt():
    # their formula on the table with halves added: a b c d = 20.5 5.5 10.5 15.5, n = 52
    a, b, c, d, n = 20.5 / 52, 5.5 / 52, 10.5 / 52, 15.5 / 52, 52
    j, p = a + b, a + c
    po, pe = a + d, j * p + (1 - j) * (1 - p)
    k = (po - pe) / (1 - pe)
    first = a * (1 - (j + p) * (1 - k)) ** 2 + d * (1 - (2 - j - p) * (1 - k)) ** 2
    second = (1 - k) ** 2 * (b * (p + 1 - j) ** 2 + c * (1 - p + j) ** 2)
    variance = (first + second - (k - pe * (1 - k)) ** 2) / (n * (1 - pe) ** 2)
    found = kappa(TABLE)
    assert found.high - found.low == pytest.approx(2 * 1.95996 * math.sqrt(variance), rel=1e-4)


def test_mcc_interval_against_a_numerical_slope():
    cells = [20.5, 5.5, 10.5, 15.5]

    def phi(a, b, c, d):
        return (a * d - b * c) / math.sqrt((a + b) * (c + d) * (a + c) * (b + d))

    step, variance = 1e-5, 0.0
    for i, cell in enumerate(cells):
        up, down = list(cells), list(cells)
        up[i], down[i] = cell + step, cell - step
        variance += cell * ((phi(*up) - phi(*down)) / (2 * step)) ** 2
    found = mcc(TABLE)
    assert found.high - found.low == pytest.approx(2 * 1.95996 * math.sqrt(variance), rel=1e-4)


def test_a_judge_that_always_passes_has_no_mcc_and_a_kappa_of_nought():
    always = Confusion(tp=0, fp=0, fn=2, tn=38)
    assert agreement(always).value == 0.95
    assert kappa(always).value == 0.0
    assert mcc(always).value is None


def test_where_both_say_one_thing_only_kappa_is_not_defined():
    assert kappa(Confusion(tp=0, fp=0, fn=0, tn=40)).value is None
    assert tpr(Confusion(tp=0, fp=0, fn=0, tn=40)).value is None


cells = st.integers(0, 60)


@given(cells, cells, cells, cells)
def test_measures_of_agreement_stay_within_their_intervals(tp, fp, fn, tn):
    table = Confusion(tp, fp, fn, tn)
    for measure in (agreement, kappa, mcc, tpr, tnr):
        found = measure(table)
        if found.value is not None:
            assert -1 <= found.low <= found.value <= found.high <= 1


# --- the corrected rate ----------------------------------------------------------------------


def test_rogan_gladen_by_hand():
    # (0.2 + 0.9 - 1) / (0.8 + 0.9 - 1) = 0.1 / 0.7
    found = rogan_gladen(wilson(40, 200), wilson(40, 50), wilson(90, 100))
    assert found.value == pytest.approx(1 / 7)
    assert found.low < 1 / 7 < found.high
    assert found.n == 200


def test_a_perfect_judge_seen_on_everything_needs_no_correction():
    everything = rate([True, False, False, False], [1.0] * 4)
    certain = rate([True], [1.0])
    found = rogan_gladen(everything, certain, certain)
    assert found.low == found.value == found.high == 0.25


def test_a_judge_that_guesses_says_nothing_of_the_rate():
    assert rogan_gladen(wilson(40, 200), wilson(5, 10), wilson(5, 10)).value is None
    assert rogan_gladen(wilson(40, 200), wilson(0, 0), wilson(9, 10)).value is None


def test_the_corrected_interval_covers_the_true_rate():
    """Prevalence 10 %, TPR 0.8, TNR 0.95, estimated from 400 verdicts and 100 labels, 400 times."""
    source = random.Random(3)

    def hits(n, p):
        return sum(source.random() < p for _ in range(n))

    held = 0
    for _ in range(400):
        observed = wilson(hits(400, 0.1 * 0.8 + 0.9 * 0.05), 400)
        found = rogan_gladen(observed, wilson(hits(25, 0.8), 25), wilson(hits(75, 0.95), 75))
        held += found.low <= 0.1 <= found.high
    assert held / 400 >= 0.93
