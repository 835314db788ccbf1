"""How far a request is from every planned intent, and from where on that is too far.

Two measures of a sentence vector x, of which each sees what the other misses:

    near(x)     = the cosine to the nearest exemplar
    relative(x) = min over intents c of (x - m_c)' W^-1 (x - m_c)  -  (x - m)' T^-1 (x - m)

with m_c an intent's mean exemplar, m the mean of all, W and T their covariance within intents and
over all, shrunk after Ledoit and Wolf: the relative Mahalanobis distance (Ren et al. 2021, arXiv
2106.09022). A request is novel by

    novelty(x) = z(relative(x)) - z(near(x))

where z counts in standard deviations from the mean of exemplars held out.

The threshold is calibrated, not guessed (split conformal, Vovk et al. 2005): each exemplar is
scored by a model that has not seen its fold, and the threshold is the smallest at which no more
than `false_alarms` of the n held out, or of one more, lie above it. That holds for requests worded
as the exemplars are; real ones stray farther, so traffic whose intent its tools confirm is taken
in as well where there is enough. Figures: README.md beside this file.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.ids import unit_interval

__all__ = ["Novelty", "Threshold", "calibrate", "fit_novelty", "held_out_scores"]

Matrix = NDArray[np.float64]
_FOLDS = 10


@dataclass(frozen=True)
class Novelty:
    """The planned intents, ready to be measured against.

    `within` and `overall` are square roots of the inverse covariances; `scale` has mean and
    standard deviation of relative and near over held-out exemplars.
    """

    exemplars: Matrix
    labels: tuple[str, ...]
    means: Matrix
    within: Matrix
    middle: Matrix
    overall: Matrix
    scale: tuple[float, float, float, float] = (0.0, 1.0, 0.0, 1.0)

    def score(self, vectors: Matrix) -> Matrix:
        """How novel each row is, 4 decimals; higher is farther."""
        relative, near = self.parts(vectors)
        m1, s1, m2, s2 = self.scale
        return np.round((relative - m1) / s1 - (near - m2) / s2, 4)

    def parts(self, vectors: Matrix) -> tuple[Matrix, Matrix]:
        """The two measures of each row: relative distance and nearest cosine."""
        inside = _squared(vectors @ self.within, self.means @ self.within).min(axis=1)
        outside = np.square((vectors - self.middle) @ self.overall).sum(axis=1)
        return inside - outside, (vectors @ self.exemplars.T).max(axis=1)

    def nearest(self, vector: Matrix) -> str:
        """The intent whose exemplar has the highest cosine."""
        return self.labels[int(np.argmax(np.round(self.exemplars @ vector, 6)))]


@dataclass(frozen=True)
class Threshold:
    """From where on a request is far, and how often a planned one is so by mistake."""

    value: float
    false_alarms: int
    n: int


def fit_novelty(vectors: Matrix, labels: Sequence[str]) -> Novelty:
    """Measure the planned intents; scales come from exemplars held out."""
    bare = _fit(vectors, labels)
    relative, near = _held_out(vectors, labels, bare)
    scale = (*_moments(relative), *_moments(near))
    return Novelty(bare.exemplars, bare.labels, bare.means, bare.within, bare.middle,
                   bare.overall, scale)  # fmt: skip


def held_out_scores(model: Novelty) -> Matrix:
    """The novelty of each exemplar by a model that has not seen its fold."""
    relative, near = _held_out(model.exemplars, model.labels, model)
    m1, s1, m2, s2 = model.scale
    return np.round((relative - m1) / s1 - (near - m2) / s2, 4)


def calibrate(scores: Sequence[float], false_alarms: float) -> Threshold:
    """The smallest threshold above which at most `false_alarms` of requests like these lie.

    It is the ceil((n + 1)(1 - false_alarms))-th smallest of n scores; with too few scores for
    that rank, the largest.
    """
    ordered = sorted(scores)
    rank = min(math.ceil((len(ordered) + 1) * (1 - false_alarms)), len(ordered))
    value = float(ordered[rank - 1])
    return Threshold(value, sum(score > value for score in ordered), len(ordered))


def _held_out(vectors: Matrix, labels: Sequence[str], whole: Novelty) -> tuple[Matrix, Matrix]:
    folds = np.array(
        [int(unit_interval("fold", np.round(row[:8], 4).tolist()) * _FOLDS) for row in vectors]
    )
    relative, near = whole.parts(vectors)
    for fold in range(_FOLDS):
        out = folds == fold
        rest = [label for label, gone in zip(labels, out, strict=True) if not gone]
        if out.any() and len(set(rest)) > 1:
            relative[out], near[out] = _fit(vectors[~out], rest).parts(vectors[out])
    return relative, near


def _fit(vectors: Matrix, labels: Sequence[str]) -> Novelty:
    from sklearn.covariance import LedoitWolf

    names = sorted(set(labels))
    of = np.array([names.index(label) for label in labels])
    means = np.vstack([vectors[of == n].mean(axis=0) for n in range(len(names))])
    middle = vectors.mean(axis=0)
    residuals = LedoitWolf(assume_centered=True).fit(vectors - means[of])
    total = LedoitWolf(assume_centered=True).fit(vectors - middle)
    return Novelty(vectors, tuple(labels), means, _root(residuals.covariance_), middle,
                   _root(total.covariance_))  # fmt: skip


def _root(covariance: Matrix) -> Matrix:
    """A square root of the inverse."""
    values, axes = np.linalg.eigh(covariance)
    root: Matrix = axes / np.sqrt(np.maximum(values, 1e-9))
    return root


def _squared(rows: Matrix, columns: Matrix) -> Matrix:
    squares: Matrix = (
        np.square(rows).sum(axis=1)[:, None]
        + np.square(columns).sum(axis=1)[None, :]
        - 2 * rows @ columns.T
    )
    return squares


def _moments(values: Matrix) -> tuple[float, float]:
    return float(values.mean()), float(max(values.std(), 1e-9))
