"""Whether a weighted rate of failure fell or rose: conditional tests of rare events.

Failures of either side are taken as Poisson events in proportion to traffic. Weights are allowed
for by counting on the scale on which a sum of weights is as variable as a count (`Tally.unit`),
as Fay and Feuer do for rates standardised by weights (Statistics in Medicine 16 (1997) 791-801).
No finite-population correction: what is compared are two releases, not two finished days.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from pipeline.estimation.tally import Tally

__all__ = ["exposure_to_tell", "p_fell", "p_rose", "p_rose_by_weekday"]


def p_fell(before: Tally, after: Tally, ratio: float = 1.0) -> float:
    """The chance of so few failures after, were the rate after `ratio` times that before.

    Given m = k_before + k_after events in all, those after are Binomial(m, s) with
    s = ratio E_after / (ratio E_after + E_before), E being the exposures. So

        p = P(K <= k_after) = 1 - I_s(k_after + 1, k_before)

    with the regularised incomplete beta function I, which also takes effective counts that are no
    whole numbers. It is the exact conditional test of two Poisson rates where weights are equal.
    Source: Przyborowski and Wilenski, Biometrika 31 (1940) 313-323.

    Returns:
        1.0 where either side saw nothing, or nothing failed before.
    """
    from scipy.special import betainc

    if not before.n or not after.n or before.events <= 0:
        return 1.0
    return float(1 - betainc(after.events + 1, before.events, _share(before, after, ratio)))


def p_rose(before: Tally, after: Tally, ratio: float = 1.0) -> float:
    """The chance of so many failures after, were the rate after `ratio` times that before.

    As `p_fell`, on the other side: P(K >= k_after) = I_s(k_after, k_before + 1).
    """
    from scipy.special import betainc

    if not before.n or not after.n or after.events <= 0:
        return 1.0
    return float(betainc(after.events, before.events + 1, _share(before, after, ratio)))


def exposure_to_tell(before: Tally, after: Tally, error: float) -> float | None:
    """How many more traces must be looked at without a further failure before `p_fell` <= error.

    Solves 1 - I_s(k_after + 1, k_before) = error for the share s, and that for the exposure.
    None where nothing failed before: then no amount of traffic tells.
    """
    from scipy.special import betaincinv

    if not before.n or before.events <= 0:
        return None
    share = float(betaincinv(after.events + 1, before.events, 1 - error))
    if share >= 1:
        return None
    there = after.exposure if after.n else 0.0
    return max(before.exposure * share / (1 - share) - there, 0.0)


def p_rose_by_weekday(
    before: Sequence[tuple[float, float]], after: Sequence[tuple[float, float]]
) -> tuple[float, float]:
    """The chance of so many failures in a week, given what its weekdays usually see.

    Args:
        before: by weekday, (events, exposure) of the weeks before.
        after: the same of this week.

    Given the m_d events of weekday d in all, this week's are Binomial(m_d, s_d), with s_d its
    share of the weekday's exposure; their sum over the weekdays has the convolution of the seven
    as its distribution. A mode that is busy on Mondays, or a week that lacks a Sunday, so raises
    no alarm. Counts are rounded to whole numbers.

    Returns:
        P(K >= k) and the mean of K. Source: the exact test of a common ratio in stratified
        Poisson data; Breslow and Day, Statistical Methods in Cancer Research II (1987), 3.4.
    """
    import numpy as np
    from scipy.stats import binom

    spread = np.ones(1)
    mean = 0.0
    for (old, old_exposure), (new, new_exposure) in zip(before, after, strict=True):
        both = math.floor(old + new + 0.5)
        if not both or new_exposure <= 0:
            continue
        share = new_exposure / (new_exposure + old_exposure)
        spread = np.convolve(spread, binom.pmf(np.arange(both + 1), both, share))
        mean += both * share
    seen = math.floor(sum(new for new, _ in after) + 0.5)
    return float(min(spread[seen:].sum(), 1.0)) if seen < len(spread) else 0.0, mean


def _share(before: Tally, after: Tally, ratio: float) -> float:
    reach = ratio * after.exposure
    return reach / (reach + before.exposure)
