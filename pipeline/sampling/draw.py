"""The two draws: a stratified one, and one by anomaly; every chance of being drawn is known.

Both rank traces by a keyed hash of their id, so the draw does not depend on the order of rows, and
a trace that arrives late displaces at most one other in each draw.

First draw. Census strata are taken whole. What is left of the budget goes to the other strata:
one trace each, then up to the floor, then in proportion by highest averages N_h / (2k - 1)
(Sainte-Laguë). The method of largest remainders is the more usual one, but there one more trace
can move seats between strata that it has nothing to do with (the population paradox: Balinski and
Young, Fair Representation, 1982), which would break the promise above.

Second draw. Priority sampling (Duffield, Lund and Thorup, Journal of the ACM 54 (2007), 32): of
the traces outside the census the m with the least u/a are taken, u the hash in [0, 1) and a the
anomaly score. Given the others' hashes, trace i is taken when u_i / a_i is below t_i, the m-th
least of the others, so its chance is min(1, a_i · t_i): known, proportional to a, and weighting
by its inverse is unbiased. A Poisson draw by a would have a random size, and its chances would all
move with each trace that is added.

The cap. A share of the day's traces may be a limit that no budget and no census passes. The budget
is first cut to it; what is then still too much (a census, a trace for every stratum) is thinned by
a simple draw under a hash of its own: m of the d that were drawn, so each chance is multiplied by
m/d. Two-phase sampling (Särndal, Swensson and Wretman, Model Assisted Survey Sampling, 1992, 9.3):
whatever was drawn first, the second weight is right, so the product is unbiased.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from pipeline.ids import unit_interval

Reason = Literal["census", "capped_census", "proportional", "anomaly"]

__all__ = ["Drawn", "Eligible", "allocate", "draw", "draw_by_anomaly"]


@dataclass(frozen=True)
class Eligible:
    """A trace that may be drawn."""

    trace_id: str
    stratum: str
    census: bool
    anomaly: float


@dataclass(frozen=True)
class Drawn:
    """A drawn trace: its stratum's size and sample, its chance in (0, 1], and by which draw.

    `capped_census` is what a cap left of a census: its chance is below 1.
    """

    trace_id: str
    population: int
    sample: int
    probability: float
    reason: Reason


def draw(
    traces: Sequence[Eligible],
    budget: int | Literal["all"],
    floor: int,
    anomaly_share: float,
    seed: str,
    largest_share: float = 1.0,
) -> list[Drawn]:
    """Draw from one day's traces, never more than `largest_share` of them.

    The census counts against the budget and may exceed it; the strata outside it get one trace
    each even then, so that every trace has a chance and rates stay unbiased. Otherwise no more than
    `budget` are drawn: `anomaly_share` of what the census leaves goes to the second draw, and a
    trace that both draws pick is counted once.

    Args:
        traces: with distinct ids; their order does not matter.
        budget: traces a day, or "all" for every trace.
        floor: a stratum below it is taken whole, budget permitting.
        anomaly_share: from 0 to below 1.
        seed: key of the hash.
        largest_share: above 0 and at most 1; a day of fewer than 1 / `largest_share` traces has
            none drawn.

    Returns:
        The drawn traces by id; the chance is 1 - (1 - n_h/N_h)(1 - p2), p2 of the second draw,
        times what the cap left.
    """
    ordered = sorted(traces, key=lambda trace: trace.trace_id)
    most = int(largest_share * len(ordered) + 1e-9)  # 0.29 * 100 is a little less than 29
    if most < len(ordered):
        budget = most if budget == "all" else min(budget, most)
        return _thin(_draw(ordered, budget, floor, anomaly_share, seed), most, seed)
    return _draw(ordered, budget, floor, anomaly_share, seed)


def _draw(
    ordered: Sequence[Eligible],
    budget: int | Literal["all"],
    floor: int,
    anomaly_share: float,
    seed: str,
) -> list[Drawn]:
    population = Counter(trace.stratum for trace in ordered)
    sample = dict(population)
    second: dict[str, float] = {}
    chosen: set[str] = set()
    if budget != "all":
        open_to = [trace for trace in ordered if not trace.census]
        left = max(budget - (len(ordered) - len(open_to)), 0)
        by_anomaly = int(anomaly_share * left)
        sample |= allocate(Counter(t.stratum for t in open_to), left - by_anomaly, floor)
        chosen, second = draw_by_anomaly(
            {trace.trace_id: trace.anomaly for trace in open_to}, by_anomaly, seed
        )
    first = _first_of_each(ordered, sample, seed)
    drawn = []
    for trace in ordered:
        name, stratum = trace.trace_id, trace.stratum
        if name in first or name in chosen:
            missed = (1 - sample[stratum] / population[stratum]) * (1 - second.get(name, 0.0))
            whole = budget == "all" or trace.census
            reason: Reason = "census" if whole else "proportional" if name in first else "anomaly"
            drawn.append(Drawn(name, population[stratum], sample[stratum], 1 - missed, reason))
    return drawn


def _thin(drawn: list[Drawn], most: int, seed: str) -> list[Drawn]:
    """Keep `most` of the drawn, each with the same chance; all where there are no more."""
    if len(drawn) <= most:
        return drawn
    ranked = sorted(drawn, key=lambda one: (unit_interval(seed, "cap", one.trace_id), one.trace_id))
    kept = {one.trace_id for one in ranked[:most]}
    return [
        replace(
            one,
            probability=one.probability * most / len(drawn),
            reason="capped_census" if one.reason == "census" else one.reason,
        )
        for one in drawn
        if one.trace_id in kept
    ]


def allocate(population: Mapping[str, int], seats: int, floor: int) -> dict[str, int]:
    """Share `seats` among strata: one each whatever `seats` is, the floor, then in proportion.

    Returns:
        The sample of each stratum, from 1 to its population.
    """
    further: list[tuple[int, float, int, str]] = []
    for stratum, size in population.items():
        further += [(0, k, -size, stratum) for k in range(2, min(floor, size) + 1)]
        further += [(1, -size / (2 * k - 1), -size, stratum) for k in range(floor + 1, size + 1)]
    granted = Counter(stratum for *_, stratum in sorted(further)[: max(seats - len(population), 0)])
    return {stratum: 1 + granted[stratum] for stratum in population}


def draw_by_anomaly(
    scores: Mapping[str, float], size: int, seed: str
) -> tuple[set[str], dict[str, float]]:
    """Draw `size` traces with chances in proportion to their scores; a score of 0 has none.

    Returns:
        The drawn ids, and the chance of each trace that has one.
    """
    ranks = sorted(
        (unit_interval(seed, "anomaly", name) / score, name)
        for name, score in scores.items()
        if score > 0
    )
    if size == 0:
        return set(), {}
    chosen = {name for _, name in ranks[:size]}
    if len(ranks) <= size:
        return chosen, dict.fromkeys(chosen, 1.0)
    beyond, within = ranks[size][0], ranks[size - 1][0]
    return chosen, {
        name: min(1.0, scores[name] * (beyond if name in chosen else within)) for _, name in ranks
    }


def _first_of_each(
    traces: Sequence[Eligible], sample: Mapping[str, int], seed: str
) -> frozenset[str]:
    """The ids that come first in their stratum by keyed hash."""
    ranked = sorted((unit_interval(seed, t.trace_id), t.trace_id, t.stratum) for t in traces)
    taken: Counter[str] = Counter()
    first = set()
    for _, name, stratum in ranked:
        if taken[stratum] < sample[stratum]:
            taken[stratum] += 1
            first.add(name)
    return frozenset(first)
