"""Which axes of a trace the judge is asked about, and with what probability."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pipeline.ids import unit_interval
from pipeline.registry import Axis
from pipeline.registry.settings import Judge as JudgeSettings

__all__ = ["draw_axes"]


def draw_axes(
    trace_id: str, stakes: str, axes: Sequence[Axis], settings: JudgeSettings, seed: str
) -> Mapping[str, float]:
    """The axes drawn for a trace, each with its probability; high stakes are never left out.

    Whether an axis is drawn hangs on the seed, the trace and the axis alone, so a change of one
    rate, or another trace, moves no other.
    """
    chances = {axis.id: _rate(settings, axis.id, stakes) for axis in axes}
    return {
        axis: chance
        for axis, chance in chances.items()
        if chance >= 1 or unit_interval(seed, "judge", axis, trace_id) < chance
    }


def _rate(settings: JudgeSettings, axis: str, stakes: str) -> float:
    by_stakes = settings.rates.get(axis, {})
    return {"low": by_stakes.get("low", 1.0), "medium": by_stakes.get("medium", 1.0)}.get(
        stakes, 1.0
    )
