"""How like each other requests of one planned intent are: the yardstick for groups nobody planned.

Measured on the intents' own exemplars, in the view in which groups are made, so that no cut and no
floor is set by hand:

    alike = mean cosine of two exemplars of one intent
    found = share of exemplars that are nearer to the middle of their intent's others than to any
            exemplar of another intent: as if their intent were an unplanned group

Groups are made as coarse as planned intents are: joined while the mean cosine between them is at
least 85 % of `alike`. A member of such a group has a cosine of about the
root of `alike` to its middle. Figures: README.md beside this file.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Cohesion", "measure_cohesion"]

Matrix = NDArray[np.float64]
_CUT = 0.85  # of `alike`: intents are not all as like themselves as the mean of them
_LEAST = 0.05  # of either figure: intents with an exemplar or two say nothing


@dataclass(frozen=True)
class Cohesion:
    """`alike` from 0 to 1, `found` from 0 to 1, both 4 decimals."""

    alike: float
    found: float

    @property
    def cut(self) -> float:
        """The mean cosine between groups from which they are one."""
        return self.alike * _CUT

    @property
    def floor(self) -> float:
        """The cosine to a group's middle below which nobody is taken for a member."""
        return math.sqrt(self.alike)


def measure_cohesion(vectors: Matrix, labels: Sequence[str]) -> Cohesion:
    """Measure it.

    Args:
        vectors: of the exemplars, a unit vector a row, in the view in which groups are made.
        labels: the intent of each.
    """
    of = np.unique(np.array(labels), return_inverse=True)[1]
    cosines = np.round(vectors @ vectors.T, 6)
    same = of[:, None] == of[None, :]
    others = np.where(same, -1.0, cosines).max(axis=1)
    np.fill_diagonal(same, False)
    if not same.any():
        return Cohesion(1.0, 1.0)
    middles = same @ vectors
    lengths = np.sqrt(np.square(middles).sum(axis=1))
    own = np.round((vectors * middles).sum(axis=1) / np.maximum(lengths, 1e-12), 6)
    several = same.any(axis=1)
    return Cohesion(
        round(max(float(cosines[same].mean()), _LEAST), 4),
        round(max(float((own > others)[several].mean()), _LEAST), 4),
    )
