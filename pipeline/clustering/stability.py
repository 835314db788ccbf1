"""Where to cut a tree: not by hand, but where resamples of the rows give the same groups.

Ten times four fifths of the rows are drawn, each row by a hash of its own key, and grouped anew.
A cut is as stable as its groups agree with those of all rows: the mean adjusted Rand index over
the draws, less one standard deviation, so that a cut that one draw in three tears apart does not
win by luck. Cuts that say nothing take no part: everything in one group or in two, or most rows
alone. Source: Ben-Hur, Elisseeff, Guyon, "A stability based method for discovering structure in
clustered data", PSB 2002; Lange et al., Neural Computation 16 (2004) 1299-1323.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.clustering.tree import Cut, Linkage, Matrix, grow_tree
from pipeline.ids import unit_interval

__all__ = ["Chosen", "choose_cut"]

_DRAWS, _SHARE = 10, 0.8
_TIE = 0.02  # stabilities that near are one: the finest of them, say callers, or the middle


@dataclass(frozen=True)
class Chosen:
    """The cut that was chosen and how stable it is; the stability is None where none could be."""

    cut: Cut
    stability: float | None


def choose_cut(
    vectors: Matrix,
    keys: Sequence[str],
    candidates: Sequence[Cut],
    linkage: Linkage,
    otherwise: Cut,
    fewest: int = 3,
) -> Chosen:
    """Choose the most stable of `candidates`.

    Among those within 0.02 of the best, the one in the middle of their list.

    Args:
        vectors: unit vectors, a row each, sorted by key.
        keys: what the draws are seeded with: the rows' own content.
        candidates: cuts, from coarse to fine.
        linkage: as for `grow_tree`.
        otherwise: the cut where no candidate says anything.
        fewest: groups that a cut must leave to take part.
    """
    whole = grow_tree(vectors, linkage)
    groups = [np.array(whole.cut(cut)) for cut in candidates]
    telling = [n for n, labels in enumerate(groups) if _says_something(labels, fewest)]
    if not telling:
        return Chosen(otherwise, None)
    scores = _agreements(vectors, keys, [candidates[n] for n in telling],
                         [groups[n] for n in telling], linkage)  # fmt: skip
    stable = scores.mean(axis=0) - scores.std(axis=0)
    near = [n for n in range(len(telling)) if stable[n] >= stable.max() - _TIE]
    middle = near[len(near) // 2]
    return Chosen(candidates[telling[middle]], round(float(scores[:, middle].mean()), 4))


def _says_something(labels: NDArray[np.int64], fewest: int) -> bool:
    _, sizes = np.unique(labels, return_counts=True)
    alone = int((sizes == 1).sum())
    return len(sizes) >= fewest and alone <= len(labels) / 2


def _agreements(
    vectors: Matrix,
    keys: Sequence[str],
    cuts: Sequence[Cut],
    groups: Sequence[NDArray[np.int64]],
    linkage: Linkage,
) -> Matrix:
    """Adjusted Rand indices, draws by cuts."""
    from sklearn.metrics import adjusted_rand_score

    scores = []
    for draw in range(_DRAWS):
        taken = np.array([unit_interval("resample", draw, key) < _SHARE for key in keys])
        tree = grow_tree(vectors[taken], linkage)
        scores.append(
            [
                adjusted_rand_score(whole[taken], tree.cut(cut))
                for cut, whole in zip(cuts, groups, strict=True)
            ]
        )
    agreed: Matrix = np.array(scores, dtype=np.float64)
    return agreed
