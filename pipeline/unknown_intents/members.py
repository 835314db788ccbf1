"""Who came for the same: far requests in their groups, and those whom planned names hide."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.unknown_intents.cohesion import Cohesion
from pipeline.unknown_intents.grouping import Groups, group_far, middle_of

__all__ = ["Members", "gather", "own_neighbours"]

Matrix = NDArray[np.float64]
Rows = NDArray[np.int64]
_NEIGHBOURS = 10
_MEMBERS = 500  # of a large group that are asked for their neighbours


@dataclass(frozen=True)
class Members:
    """Row numbers of one group: `far` the far ones, `core` those of them in its midst, `rows` all.

    `known` is the place of the group among those of the week before, None for a new one.
    """

    far: tuple[int, ...]
    rows: tuple[int, ...]
    core: tuple[int, ...]
    known: int | None


def gather(
    vectors: Matrix,
    keys: Sequence[str],
    far: NDArray[np.bool_],
    exemplars: Matrix | None,
    known: Matrix,
    cohesion: Cohesion,
    fewest: int,
) -> tuple[list[Members], Groups]:
    """Gather the week's groups, and how the new ones among them were made.

    A request belongs to a group that is known from the week before if it is nearer to its middle
    than to any planned exemplar, and as near as members are; far requests that belong to none are
    grouped anew; groups as like each other as wordings of one planned intent are one. Last, a
    request that is not far joins the group whose middle is nearer than any planned exemplar.

    Args:
        vectors: of all requests, a unit vector a row.
        keys: of all requests; rows are sorted by them.
        far: which requests are far.
        exemplars: of the planned intents; None where there are none, and nobody joins.
        known: middles of the groups known from the week before, a unit vector a row.
        cohesion: of the planned intents.
        fewest: far requests that make a new group.
    """
    planned = np.full(len(vectors), 1.0)
    if exemplars is not None:
        planned = np.round((vectors @ exemplars.T).max(axis=1), 6)
    parts: list[tuple[Rows, int | None]] = []
    taken = _nearest(vectors, known, np.maximum(planned, cohesion.floor))
    parts += [(np.flatnonzero(taken == n), n) for n in range(len(known)) if (taken == n).any()]
    rest = np.flatnonzero(far & (taken < 0))
    groups = group_far(vectors[rest], [keys[row] for row in rest.tolist()], cohesion.cut)
    labels = np.array(groups.labels, dtype=np.int64)
    new = [rest[labels == n] for n in range(groups.count)]
    parts += [(own, None) for own in new if len(own) >= fewest]
    if not parts:
        return [], groups
    middles = np.vstack([middle_of(vectors[own]) for own, _ in parts])
    joins = _nearest(vectors, middles, planned)
    joins[far | (taken >= 0)] = -1  # they have their groups, or none
    parts = [(np.union1d(own, np.flatnonzero(joins == n)), at) for n, (own, at) in enumerate(parts)]
    merged = _merge(vectors, parts, cohesion.cut)
    return [_members(vectors, rows, far, cohesion.floor, at) for rows, at in merged], groups


def _members(
    vectors: Matrix, rows: Rows, far: NDArray[np.bool_], floor: float, known: int | None
) -> Members:
    own = rows[far[rows]]
    core = own[np.round(vectors[own] @ middle_of(vectors[rows]), 6) >= floor]
    return Members(tuple(own.tolist()), tuple(rows.tolist()), tuple(core.tolist()), known)


def own_neighbours(vectors: Matrix, rows: Sequence[int]) -> float:
    """How many of the nearest neighbours of a group's members are members: 0 to 1.

    The nearest ten among all requests, or as many as the group has others. Remnants that share no
    subject have their neighbours elsewhere.
    """
    own = np.array(rows, dtype=np.int64)
    if len(own) < 2:
        return 0.0
    inside = np.zeros(len(vectors), dtype=bool)
    inside[own] = True
    asked = own[:: -(-len(own) // _MEMBERS)]
    cosines = np.round(vectors[asked] @ vectors.T, 6)
    cosines[np.arange(len(asked)), asked] = -2.0  # nobody is a neighbour of its own
    nearest = np.argsort(-cosines, axis=1, kind="stable")[:, : min(_NEIGHBOURS, len(own) - 1)]
    return float(inside[nearest].mean())


def _nearest(vectors: Matrix, middles: Matrix, above: Matrix) -> Rows:
    """The nearest middle of each row, -1 where its cosine is not above the row's own limit."""
    if not len(middles):
        return np.full(len(vectors), -1, dtype=np.int64)
    cosines = np.round(vectors @ middles.T, 6)
    return np.where(cosines.max(axis=1) > above, cosines.argmax(axis=1), -1)


def _merge(
    vectors: Matrix, parts: Sequence[tuple[Rows, int | None]], least: float
) -> list[tuple[Rows, int | None]]:
    """Join the two likest groups while the mean cosine between their members is `least`.

    Two groups known as two stay two.
    """
    left = list(parts)
    while len(left) > 1:
        means = np.vstack([vectors[rows].mean(axis=0) for rows, _ in left])
        between = np.round(means @ means.T, 6)
        np.fill_diagonal(between, -1.0)
        old = np.array([at is not None for _, at in left])
        between[old[:, None] & old[None, :]] = -1.0
        one, other = sorted(divmod(int(between.argmax()), len(left)))
        if between[one, other] < least:
            break
        (rows, at), (more, also) = left[one], left.pop(other)
        left[one] = np.union1d(rows, more), at if at is not None else also
    return left
