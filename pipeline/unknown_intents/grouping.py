"""Far requests in groups, each as coarse as a planned intent is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.clustering import Cut, choose_cut, grow_tree, to_centres

__all__ = ["Groups", "group_far", "middle_of"]

Matrix = NDArray[np.float64]
_LARGEST = 1500  # rows in one tree


@dataclass(frozen=True)
class Groups:
    """The group of each row, how many there are, and how far resamples agree with them."""

    labels: tuple[int, ...]
    count: int
    stability: float | None


def group_far(vectors: Matrix, keys: Sequence[str], least: float) -> Groups:
    """Group unit vectors by average linkage: joined while the mean cosine between them is `least`.

    What is like nothing else stays alone or in a group of few, rather than in one of remnants.

    Args:
        vectors: a row a request, sorted by key.
        keys: what the draws that measure stability are seeded with.
        least: as planned intents have it: `Cohesion.cut`.
    """
    if not len(vectors):
        return Groups((), 0, None)
    centres, of = to_centres(vectors, _LARGEST)
    first: dict[int, str] = {}
    for key, centre in zip(keys, of, strict=True):
        first.setdefault(centre, key)
    cut = Cut(similarity=least)
    named = [first[n] for n in range(len(centres))]
    chosen = choose_cut(centres, named, [cut], "average", cut)
    labels = grow_tree(centres, "average").cut(cut)
    return Groups(tuple(labels[c] for c in of), max(labels) + 1, chosen.stability)


def middle_of(vectors: Matrix) -> Matrix:
    """The unit vector in the middle of rows, 4 decimals."""
    mean = vectors.mean(axis=0)
    middle: Matrix = np.round(mean / max(float(np.sqrt(np.square(mean).sum())), 1e-12), 4)
    return middle
