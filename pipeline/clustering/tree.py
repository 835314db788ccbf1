"""A tree of merges over vectors, and the groups that a cut through it leaves.

No noise points and no randomness: every row ends in one group. Equal distances are settled by the
rows' order, so callers sort rows by something of their own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

__all__ = ["Cut", "Linkage", "Matrix", "Tree", "grow_tree"]

Matrix = NDArray[np.float64]
Linkage = Literal["average", "ward"]


@dataclass(frozen=True)
class Cut:
    """Where to cut: into so many groups, or where the mean cosine between groups falls below."""

    groups: int | None = None
    similarity: float | None = None

    def merges(self, heights: Matrix) -> int:
        """How many of the merges, in the order of their heights, are made."""
        if self.groups is not None:
            return max(len(heights) + 1 - max(self.groups, 1), 0)
        assert self.similarity is not None
        return int(np.searchsorted(heights, round(1.0 - self.similarity, 6) + 1e-9, "right"))


@dataclass(frozen=True)
class Tree:
    """Merges of `size` rows: `children[m]` are joined at `heights[m]` and called `size + m`."""

    size: int
    children: NDArray[np.int64]
    heights: Matrix

    def cut(self, at: Cut) -> list[int]:
        """The group of each row, numbered by the groups' first rows."""
        parent = list(range(self.size + len(self.children)))
        for merge, (left, right) in enumerate(self.children[: at.merges(self.heights)]):
            parent[left] = parent[right] = self.size + merge
        for node in range(len(parent) - 1, -1, -1):  # a parent has a higher number
            parent[node] = parent[parent[node]]
        numbers: dict[int, int] = {}
        return [numbers.setdefault(parent[row], len(numbers)) for row in range(self.size)]


def grow_tree(vectors: Matrix, linkage: Linkage) -> Tree:
    """Merge the two nearest groups until one is left.

    `average` merges by the mean pairwise cosine of unit vectors, heights are 1 - cosine; `ward`
    by the growth of the squared spread. Cosines are rounded to 6 decimals: the BLAS and its
    threads cannot tip one over a floor. Memory is 8 bytes times the square of the rows.
    """
    if len(vectors) < 2:
        return Tree(len(vectors), np.zeros((0, 2), dtype=np.int64), np.zeros(0))
    from sklearn.cluster import AgglomerativeClustering

    fed, metric = vectors, "euclidean"
    if linkage == "average":
        fed = np.round(1.0 - np.clip(vectors @ vectors.T, -1.0, 1.0), 6)
        np.fill_diagonal(fed, 0.0)
        metric = "precomputed"
    model = AgglomerativeClustering(
        n_clusters=1,
        metric=metric,
        linkage=linkage,
        compute_full_tree=True,
        compute_distances=True,
    ).fit(fed)
    heights = np.maximum.accumulate(np.asarray(model.distances_, dtype=np.float64))
    return Tree(len(vectors), np.asarray(model.children_, dtype=np.int64), heights)
