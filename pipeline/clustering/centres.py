"""Many rows as fewer centres, where all pairs of rows would not fit into memory."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipeline.clustering.tree import Matrix

__all__ = ["to_centres"]

_PASSES = 3  # over all rows; more moved no group on the data of tests/bench/modes.py
_BATCH = 2048


def to_centres(vectors: NDArray[np.floating], count: int) -> tuple[Matrix, list[int]]:
    """Stand for many unit vectors by at most `count` centres, and say which centre each row has.

    Mini-batch k-means (Sculley 2010) from starts spread evenly over the rows' order, on one
    thread: the same rows in the same order give the same centres. Centres are unit vectors.
    """
    if len(vectors) <= count:
        return np.asarray(vectors, dtype=np.float64), list(range(len(vectors)))
    from sklearn.cluster import MiniBatchKMeans
    from threadpoolctl import threadpool_limits

    rows = np.ascontiguousarray(vectors, dtype=np.float32)
    starts = rows[np.linspace(0, len(rows) - 1, count).astype(np.int64)]
    with threadpool_limits(limits=1):
        model = MiniBatchKMeans(
            n_clusters=count,
            init=starts,
            n_init=1,
            max_iter=_PASSES,
            batch_size=_BATCH,
            reassignment_ratio=0.0,
            random_state=0,
        ).fit(rows)
    used, of = np.unique(model.labels_, return_inverse=True)
    sums = np.zeros((len(used), rows.shape[1]))
    np.add.at(sums, of, rows)
    lengths = np.sqrt(np.square(sums).sum(axis=1, keepdims=True))
    return np.round(sums / np.maximum(lengths, 1e-12), 6), of.tolist()
