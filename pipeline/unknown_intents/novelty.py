"""How far a request is from every planned intent, and from where on that is too far.

Three measures, of which each sees what the others miss; x is a request's sentence vector:

    near(x)     = the cosine to the nearest exemplar
    relative(x) = min over intents c of (x - m_c)' W^-1 (x - m_c)  -  (x - m)' T^-1 (x - m)
    evidence(x) = the score of the nearest intent as sampling gives it, keywords and tools included

with m_c an intent's mean exemplar, m the mean of all, W and T their covariance within intents and
over all, shrunk after Ledoit and Wolf: the relative Mahalanobis distance (Ren et al. 2021, arXiv
2106.09022). A request is novel by

    novelty(x) = z(relative(x)) - z(near(x)) - 2 z(evidence(x))

where z counts in standard deviations from the mean of exemplars held out.

The threshold is calibrated, not guessed (split conformal, Vovk et al. 2005): each exemplar is
scored by a model that has not seen its fold, and the threshold is the smallest at which no more
than `false_alarms` of the n held out lie above it. That holds for requests worded as the exemplars
are; real ones stray farther. Figures: README.md beside this file.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from pipeline.ids import unit_interval
from pipeline.unknown_intents.cohesion import Cohesion, measure_cohesion

__all__ = ["Novelty", "Threshold", "calibrate", "fit_novelty"]

Matrix = NDArray[np.float64]
_FOLDS = 10
_EVIDENCE = 2.0  # weight of the evidence

Scale = tuple[tuple[float, float], tuple[float, float], tuple[float, float]]


@dataclass(frozen=True)
class Novelty:
    """The planned intents, ready to be measured against.

    `within` and `overall` are square roots of the inverse covariances, `softly` is the root of the
    first of them; `scale` has mean and
    standard deviation of each measure over held-out exemplars, whose novelty is `held_out`.
    """

    exemplars: Matrix
    labels: tuple[str, ...]
    means: Matrix
    within: Matrix
    softly: Matrix
    middle: Matrix
    overall: Matrix
    scale: Scale = ((0.0, 1.0),) * 3
    held_out: tuple[float, ...] = ()

    def score(self, vectors: Matrix, evidence: Matrix) -> Matrix:
        """How novel each row is, 4 decimals; higher is farther."""
        return _combine(*self.parts(vectors), evidence, self.scale)

    def parts(self, vectors: Matrix) -> tuple[Matrix, Matrix]:
        """The two measures of each row: relative distance and nearest cosine."""
        inside = _squared(vectors @ self.within, self.means @ self.within).min(axis=1)
        outside = np.square((vectors - self.middle) @ self.overall).sum(axis=1)
        return inside - outside, (vectors @ self.exemplars.T).max(axis=1)

    def view(self, vectors: Matrix) -> Matrix:
        """Rows as unit vectors in which intents lie apart and wordings of one intent together.

        Half whitened by the covariance within intents (to the power of -1/4): language, politeness
        and the names of things, which differ within every intent, count for less.
        """
        turned = (vectors - self.middle) @ self.softly
        lengths = np.sqrt(np.square(turned).sum(axis=1, keepdims=True))
        unit: Matrix = np.round(turned / np.maximum(lengths, 1e-12), 6)
        return unit

    def cohesion(self) -> Cohesion:
        """How like each other the exemplars of one intent are in this view."""
        return measure_cohesion(self.view(self.exemplars), self.labels)

    def nearest(self, vector: Matrix) -> str:
        """The intent whose exemplar has the highest cosine."""
        return self.labels[int(np.argmax(np.round(self.exemplars @ vector, 6)))]


@dataclass(frozen=True)
class Threshold:
    """From where on a request is far, and how often a planned one is so by mistake."""

    value: float
    false_alarms: int
    n: int


def fit_novelty(vectors: Matrix, labels: Sequence[str], evidence: Matrix) -> Novelty:
    """Measure the planned intents.

    Args:
        vectors: of the exemplars, a unit vector a row.
        labels: the intent of each; there must be two at least.
        evidence: of each exemplar, were it not one itself.
    """
    with threadpool_limits(limits=1):  # sums in one order, whatever else the machine does
        whole = _fit(vectors, labels)
        relative, near = _held_out(vectors, labels, whole)
    scale = _moments(relative), _moments(near), _moments(evidence)
    scores = _combine(relative, near, evidence, scale)
    return replace(whole, scale=scale, held_out=tuple(scores.tolist()))


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
    return Novelty(
        exemplars=vectors,
        labels=tuple(labels),
        means=means,
        within=_root(residuals.covariance_),
        softly=_root(residuals.covariance_, 0.25),
        middle=middle,
        overall=_root(total.covariance_),
    )


def _root(covariance: Matrix, power: float = 0.5) -> Matrix:
    """A root of the inverse, the square root unless told otherwise: an axis a column."""
    values, axes = np.linalg.eigh(covariance)
    root: Matrix = axes * np.maximum(values, 1e-9) ** -power
    return root


def _squared(rows: Matrix, columns: Matrix) -> Matrix:
    squares: Matrix = (
        np.square(rows).sum(axis=1)[:, None]
        + np.square(columns).sum(axis=1)[None, :]
        - 2 * rows @ columns.T
    )
    return squares


def _combine(relative: Matrix, near: Matrix, evidence: Matrix, scale: Scale) -> Matrix:
    (m1, s1), (m2, s2), (m3, s3) = scale
    novelty = (relative - m1) / s1 - (near - m2) / s2 - _EVIDENCE * (evidence - m3) / s3
    rounded: Matrix = np.round(novelty, 4)
    return rounded


def _moments(values: Matrix) -> tuple[float, float]:
    return float(values.mean()), float(max(values.std(), 1e-9))
