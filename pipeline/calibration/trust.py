"""When a judge is trusted on an axis: enough labels, enough agreement, and better than chance."""

from __future__ import annotations

import math

from pipeline.estimation import Confusion, Estimate
from pipeline.registry.settings import Calibration as Thresholds

__all__ = ["doubt_of", "praise_of"]


def doubt_of(
    table: Confusion, agreed: Estimate, beyond_chance: Estimate, thresholds: Thresholds
) -> str | None:
    """Why the judge is not trusted, or None."""
    if table.n == 0:
        return "No labelled trace to compare with: look at some with: caselaw review"
    assert agreed.value is not None
    if table.n < thresholds.labels:
        return f"Only {table.n} labelled traces, {thresholds.labels} are needed."
    if agreed.value < thresholds.agreement:
        return (
            f"Agreement {agreed.value:.3f} on {table.n} traces is below {thresholds.agreement:.3f}."
        )
    if table.tp + table.fn == 0:
        return f"People failed none of {table.n} traces: nothing shows that it finds failures."
    if beyond_chance.value is None or beyond_chance.value <= 0:
        return f"Agreement {agreed.value:.3f} on {table.n} traces is no better than chance (kappa)."
    return None


def praise_of(agreed: Estimate, thresholds: Thresholds) -> str:
    """Why a judge of whom nothing is doubted is trusted."""
    value = agreed.value if agreed.value is not None else math.nan
    return (
        f"Agreement {value:.3f} on {agreed.n} traces reaches {thresholds.agreement:.3f}, "
        "and is better than chance."
    )
