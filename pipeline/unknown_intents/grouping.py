"""Far requests in groups, and everyone else who came for the same."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.clustering import Cut, choose_cut, grow_tree, to_centres

__all__ = ["Groups", "group_far", "middle_of"]

Matrix = NDArray[np.float64]
_LARGEST = 1500  # rows in one tree
_FEWEST_GROUPS = 3  # fewer tell nothing of what is stable
_MOST_GROUPS = 60
_STEP = 1.2  # each candidate has so many times the groups of the one before


@dataclass(frozen=True)
class Groups:
    """The group of each row, how many there are, and how stable the choice of that number is."""

    labels: tuple[int, ...]
    count: int
    stability: float | None


def group_far(vectors: Matrix, keys: Sequence[str], fewest: int) -> Groups:
    """Group unit vectors by Ward's method into the number of groups that resamples agree on.

    Every row has a group: there is no noise. Rows must be sorted by key; the keys seed the draws.
    A group has twice `fewest` rows on average at least: finer ones could not be shown, and fewer
    rows than make three such groups are one.
    """
    if len(vectors) < _FEWEST_GROUPS * 2 * fewest:
        return Groups((0,) * len(vectors), min(len(vectors), 1), None)
    centres, of = to_centres(vectors, _LARGEST)
    first: dict[int, str] = {}
    for key, centre in zip(keys, of, strict=True):
        first.setdefault(centre, key)
    named = [first[n] for n in range(len(centres))]
    candidates = _candidates(len(centres), len(vectors) // (2 * fewest))
    chosen = choose_cut(
        centres, named, candidates, "ward", Cut(groups=1), _FEWEST_GROUPS, prefer="plateau"
    )
    labels = grow_tree(centres, "ward").cut(chosen.cut)
    return Groups(tuple(labels[c] for c in of), max(labels) + 1, chosen.stability)


def middle_of(vectors: Matrix) -> Matrix:
    """The unit vector in the middle of rows, 4 decimals."""
    mean = vectors.mean(axis=0)
    middle: Matrix = np.round(mean / max(float(np.sqrt(np.square(mean).sum())), 1e-12), 4)
    return middle


def _candidates(rows: int, showable: int) -> list[Cut]:
    """3 groups, and on by a fifth each to as many as could be shown, 60 at most."""
    most = max(_FEWEST_GROUPS, min(rows // 3, showable, _MOST_GROUPS))
    steps = range(math.ceil(math.log(max(most, 3) / 3, _STEP)) + 1)
    counts = sorted({min(round(3 * _STEP**step), most) for step in steps})
    return [Cut(groups=count) for count in counts]
