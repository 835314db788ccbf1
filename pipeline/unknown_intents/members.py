"""Who else came for what a group of far requests came for: planned names may hide them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.unknown_intents.grouping import middle_of

__all__ = ["Members", "gather"]

Matrix = NDArray[np.float64]


@dataclass(frozen=True)
class Members:
    """Row numbers of one group, three times: each holds the one before.

    `far` are the far requests it was made of; `rows` also those nearer to its middle than to any
    planned exemplar; `widest` all that are nearer to any one of `far` than to any exemplar.
    """

    far: tuple[int, ...]
    rows: tuple[int, ...]
    widest: tuple[int, ...]


def gather(
    vectors: Matrix,
    far: NDArray[np.int64],
    labels: Sequence[int],
    exemplars: Matrix | None,
) -> list[Members]:
    """Gather each group's members among all requests; a request joins the nearest group only.

    Args:
        vectors: of all requests, a unit vector a row.
        far: row numbers of the far ones.
        labels: their groups.
        exemplars: of the planned intents; None where there are none, and nobody joins.
    """
    groups = [far[np.array(labels) == n] for n in sorted(set(labels))]
    if exemplars is None or not groups:
        return [Members(*([tuple(own.tolist())] * 3)) for own in groups]
    planned = np.round((vectors @ exemplars.T).max(axis=1), 6)
    to_middle = np.round(vectors @ np.vstack([middle_of(vectors[own]) for own in groups]).T, 6)
    joins = to_middle.max(axis=1) > planned
    joins[far] = False  # they have their groups
    found = []
    for n, own in enumerate(groups):
        joined = np.flatnonzero(joins & (to_middle.argmax(axis=1) == n))
        rows = np.union1d(own, joined)
        reached = np.round((vectors @ vectors[own].T).max(axis=1), 6) > planned
        widest = np.union1d(rows, np.flatnonzero(reached))
        found.append(Members(*(tuple(part.tolist()) for part in (own, rows, widest))))
    return found
