"""The modes that stand already: those of the weeks before, and those that people named."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from pipeline.failures.signatures import Signature
from pipeline.failures.vectors import Matrix
from pipeline.registry import UNKNOWN, NamedMode

__all__ = ["KnownModes", "claiming_mode", "read_known"]


@dataclass(frozen=True)
class KnownModes:
    """What the weeks before know, by id, with people's merges applied.

    `folded` maps ids that were merged away to what they became; `centroids` are those of modes of
    one length of vectors and one sort: it has ids, and a row for each. Another embedder gives
    another length, and a mode that rests keeps the old one.
    """

    names: Mapping[str, str]
    by_signature: Mapping[str, str]
    folded: Mapping[str, str]
    centroids: Mapping[tuple[int, bool], tuple[Sequence[str], Matrix]]

    def resolve(self, mode_id: str) -> str:
        """The id under which a mode lives now."""
        seen = {mode_id}
        while (after := self.folded.get(mode_id)) is not None and after not in seen:
            mode_id = after
            seen.add(after)
        return mode_id

    def nearest(self, vector: Matrix, intent: str) -> tuple[str, float] | None:
        """The mode whose centroid is nearest and its cosine, among those of planned or unplanned.

        Ties go to the smallest id. None where no mode of that sort is known by vectors of this
        length.
        """
        sort = (len(vector), intent == UNKNOWN)
        if sort not in self.centroids:
            return None
        ids, centroids = self.centroids[sort]
        cosines = np.round(centroids @ vector, 6)
        best = int(np.argmax(cosines))
        return self.resolve(ids[best]), float(np.clip(cosines[best], 0, 1))


def read_known(modes: pl.DataFrame | None, named: Sequence[NamedMode]) -> KnownModes:
    """Read the `failure_modes` of the week before (None or empty in the first week).

    A merge that the table remembers is over once people's entry for the mode claims failures of
    its own again, or another mode is merged into it; else two modes could become each other.
    """
    rows = [] if modes is None else modes.sort("failure_mode_id").to_dicts()
    folded = {old: row["failure_mode_id"] for row in rows for old in row["merged_from"]}
    merges = {mode.id: mode.merged_into for mode in named if mode.merged_into}
    alive = {mode.id for mode in named if mode.checks or mode.error_classes} | {*merges.values()}
    folded = {old: new for old, new in folded.items() if old not in alive} | merges
    by_signature = {key: row["failure_mode_id"] for row in rows for key in row["signatures"]}
    alike: dict[tuple[int, bool], list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        alike[len(row["centroid"]), row["intent"] == UNKNOWN].append(row)
    return KnownModes(
        names={row["failure_mode_id"]: row["name"] for row in rows},
        by_signature=by_signature,
        folded=folded,
        centroids={
            sort: (
                [row["failure_mode_id"] for row in own],
                np.array([row["centroid"] for row in own], dtype=float),
            )
            for sort, own in alike.items()
        },
    )


def claiming_mode(signature: Signature, named: Sequence[NamedMode]) -> NamedMode | None:
    """The narrowest of the named modes that claim a failure; ties go to the smallest id."""
    parts = (signature.check, signature.intent, signature.error_class)
    claims = [mode for mode in named if mode.claims(*parts)]
    return min(
        claims,
        key=lambda m: (not m.error_classes, not m.intents, not m.checks, m.id),
        default=None,
    )
