"""What the day and the weeks before show: of a mode, and of a judge."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from pipeline.failures import resolve_modes
from pipeline.promotion.candidate import Candidate
from pipeline.promotion.scores import ModeHistory
from pipeline.registry import Registry

__all__ = ["Histories", "Trust"]


class Histories:
    """What the day and the weeks before show of each mode."""

    def __init__(
        self,
        candidates: Sequence[Candidate],
        modes_before: pl.DataFrame | None,
        registry: Registry,
    ) -> None:
        self._before = resolve_modes(modes_before, registry.failure_modes)
        self._known = {key for mode in self._before.values() for key in mode.signatures}
        self._today: dict[tuple[str, str], list[Candidate]] = {}
        for one in candidates:
            for key in self._keys(one):
                self._today.setdefault(key, []).append(one)

    @staticmethod
    def _keys(one: Candidate) -> tuple[tuple[str, str], tuple[str, str]]:
        mode = one.mode_id or f"{one.check}/{one.intent}"
        return (mode, ""), (mode, one.intent)

    def of(self, one: Candidate) -> ModeHistory:
        """The history of a candidate's mode, its own trace included."""
        if one.slow is not None:
            return one.slow.history
        whole, lesson = self._keys(one)
        today, alike = self._today[whole], self._today[lesson]
        before = self._before.get(one.mode_id or "")
        users = {c.user_key for c in today if c.user_key} | {
            c.trace_id for c in today if not c.user_key
        }
        releases = {c.release for c in today if c.release} | set(before.releases if before else ())
        seen_before = any(c.signature in self._known for c in alike)
        return ModeHistory(
            traces=len({c.trace_id for c in today}) + (before.size_total if before else 0),
            users=len(users) + (1 if before else 0),
            days=1 + (before.days_seen if before else 0),
            lesson=len({c.trace_id for c in alike}) + int(seen_before),
            first_seen=before.first_seen if before else None,
            releases=max(len(releases), 1),
        )


class Trust:
    """Which judges are trusted on which axes, by the calibration of the week before."""

    def __init__(self, calibration: pl.DataFrame | None) -> None:
        rows = [] if calibration is None else calibration.to_dicts()
        self._trusted = {(r["judge_id"], r["axis"]) for r in rows if r["trusted"]}
        self._measured = {(r["judge_id"], r["axis"]) for r in rows}
        self._known = {(judge.partition("@")[0], axis) for judge, axis in self._measured}

    def doubt(self, one: Candidate) -> str:
        """Why the verdict is not trusted; empty for rules and trusted judges."""
        if one.layer == "rule":
            return ""
        pairs = {(grader, one.axis) for grader in one.grader_ids}
        if pairs & self._trusted:
            return ""
        if pairs & self._measured:
            return f"The judge is not trusted on {one.axis}: last week's calibration says why."
        if {(grader.partition("@")[0], one.axis) for grader in one.grader_ids} & self._known:
            return "The provider's model has changed since the judge was calibrated."
        return f"The judge has not been calibrated on {one.axis} yet, so a person decides."
