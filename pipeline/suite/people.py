"""What people said of a trace, as it bears on a case: confirmed, rejected, or nothing."""

from __future__ import annotations

from collections import Counter

import polars as pl

__all__ = ["Voices", "hear_people"]


class Voices:
    """People's votes: every person's last verdict on a trace counts once."""

    def __init__(
        self, overall: dict[str, Counter[str]], axes: dict[tuple[str, str], Counter[str]]
    ) -> None:
        self._overall = overall
        self._axes = axes

    def on(self, trace_id: str, check: str, layer: str) -> int:
        """Votes that the trace fails `check`, minus votes that it does not.

        On a judge's axis a vote on that axis comes before the overall verdict; on a rule the
        overall verdict counts. `partial` is no vote.
        """
        axis = self._axes.get((trace_id, check))
        votes = axis if layer == "judge" and axis else self._overall.get(trace_id, Counter())
        return votes["bad"] + votes["fail"] - votes["good"] - votes["pass"]


def hear_people(annotations: pl.DataFrame) -> Voices:
    """Count the annotations (schema of `pipeline.review.annotations`)."""
    overall: dict[str, Counter[str]] = {}
    axes: dict[tuple[str, str], Counter[str]] = {}
    last = annotations.sort("annotated_at", "annotation_id").unique(
        ["trace_id", "annotator_id"], keep="last", maintain_order=True
    )
    for row in last.iter_rows(named=True):
        overall.setdefault(row["trace_id"], Counter())[row["verdict"]] += 1
        for label in row["axes"] or ():
            axes.setdefault((row["trace_id"], label["axis"]), Counter())[label["verdict"]] += 1
    return Voices(overall, axes)
