"""What people said of a trace, as it bears on a case: confirmed, rejected, or nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import polars as pl

__all__ = ["Voices", "hear_people"]

_AGAINST = -2  # blind votes that take a case out


class Voices:
    """People's votes: every person's last verdict on a trace counts once."""

    def __init__(
        self,
        overall: dict[str, Counter[str]],
        axes: dict[tuple[str, str], Counter[str]],
        seen: dict[str, Counter[str]],
        corrections: dict[str, str],
    ) -> None:
        self._overall = overall
        self._axes = axes
        self._seen = seen
        self._corrections = corrections

    def on(self, trace_id: str, check: str, layer: str) -> int:
        """Votes that the trace fails `check`, minus votes that it does not.

        On a judge's axis a vote on that axis comes before the overall verdict; on a rule the
        overall verdict counts. `partial` is no vote.
        """
        fails, holds = self._count(trace_id, check, layer)
        return fails - holds

    def tell(self, trace_id: str, check: str, layer: str) -> str:
        """How people voted on `check` and what follows, in a sentence; empty where nobody did."""
        fails, holds = self._count(trace_id, check, layer)
        if not fails + holds:
            return ""
        counts = f"{fails} said that it failed, {holds} that it did not"
        if fails == holds:
            return f"{counts}: they are divided."
        if fails < holds:
            return f"{counts}: that speaks against it."
        if not self.asks(trace_id):
            return f"{counts}: to bring it in, somebody with the case in view has to confirm it."
        return f"{counts}: that brings it into the suite."

    def _count(self, trace_id: str, check: str, layer: str) -> tuple[int, int]:
        axis = self._axes.get((trace_id, check))
        votes = axis if layer == "judge" and axis else self._overall.get(trace_id, Counter())
        return votes["bad"] + votes["fail"], votes["good"] + votes["pass"]

    def asks(self, trace_id: str) -> bool:
        """Whether people who had the case in view want it: more of them said bad than good.

        Who judged blind spoke of the conversation: that says that it failed, not that it makes a
        test that the suite lacks.
        """
        seen = self._seen.get(trace_id, Counter())
        return seen["bad"] > seen["good"]

    def rejects(self, trace_id: str) -> bool:
        """Whether people who had the case in view turned it down: more said good than bad."""
        seen = self._seen.get(trace_id, Counter())
        return seen["good"] > seen["bad"]

    def take_out(self, votes: int, traces: Iterable[str]) -> bool:
        """Whether `votes`, of one case, take it out of the suite that has it.

        One that had the case in view does; who judged blind never saw it, and two are needed.
        """
        return votes <= _AGAINST or (votes < 0 and any(map(self.rejects, traces)))

    def correction(self, trace_id: str) -> str | None:
        """What should have been said in its last turn, as the latest to write it did; or None."""
        return self._corrections.get(trace_id)


def hear_people(annotations: pl.DataFrame) -> Voices:
    """Count the annotations (schema of `pipeline.review.annotations`)."""
    overall: dict[str, Counter[str]] = {}
    axes: dict[tuple[str, str], Counter[str]] = {}
    seen: dict[str, Counter[str]] = {}
    last = annotations.sort("annotated_at", "annotation_id").unique(
        ["trace_id", "annotator_id"], keep="last", maintain_order=True
    )
    for row in last.iter_rows(named=True):
        overall.setdefault(row["trace_id"], Counter())[row["verdict"]] += 1
        for label in row["axes"] or ():
            axes.setdefault((row["trace_id"], label["axis"]), Counter())[label["verdict"]] += 1
        if not row["blind"]:
            seen.setdefault(row["trace_id"], Counter())[row["verdict"]] += 1
    written = annotations.filter(pl.col("corrected_output").is_not_null())
    ordered = written.sort("annotated_at", "annotation_id")
    corrections = dict(ordered.select("trace_id", "corrected_output").iter_rows())
    return Voices(overall, axes, seen, corrections)
