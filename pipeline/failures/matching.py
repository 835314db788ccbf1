"""Which mode a failure belongs to: a person's word, a known signature, likeness, or a new one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pipeline.failures.clustering import group_signatures
from pipeline.failures.known import KnownModes, claiming_mode
from pipeline.failures.signatures import Signature
from pipeline.failures.vectors import Matrix, centre
from pipeline.ids import digest
from pipeline.registry import NamedMode
from pipeline.registry.settings import Failures as Thresholds

__all__ = ["Assignment", "founded_id", "match_signatures"]


@dataclass(frozen=True)
class Assignment:
    """The mode of one signature; `provisional` where it was founded by these very failures."""

    mode_id: str
    similarity: float
    provisional: bool


def founded_id(signatures: Sequence[str]) -> str:
    """The id of a mode founded by these signature keys: a digest of the smallest.

    So a day that saw half of a mode's signatures, and the week that saw all of them, found it
    under one id whenever the day saw the smallest; `consolidate_modes` records the other ids.
    """
    return f"fm-{digest(min(signatures), size=6)}"


def match_signatures(
    signatures: Mapping[str, Signature],
    vectors: Mapping[str, Matrix],
    known: KnownModes,
    named: Sequence[NamedMode],
    thresholds: Thresholds,
) -> dict[str, Assignment]:
    """Give every signature its mode.

    First a named mode that claims it, then the known mode that has its signature, then the
    known mode whose centroid is nearest if its cosine reaches `match_similarity`; what is left
    is grouped with its like and founds modes. Depends on the set of signatures alone.
    """
    found: dict[str, Assignment] = {}
    novel: list[str] = []
    for key in sorted(signatures):
        claim = claiming_mode(signatures[key], named)
        if claim is not None:
            found[key] = Assignment(known.resolve(claim.id), 1.0, False)
        elif key in known.by_signature:
            found[key] = Assignment(known.resolve(known.by_signature[key]), 1.0, False)
        else:
            near = known.nearest(vectors[key], signatures[key].intent)
            if near is not None and near[1] >= thresholds.match_similarity:
                found[key] = Assignment(near[0], round(near[1], 6), False)
            else:
                novel.append(key)
    return found | _found_modes(novel, signatures, vectors, known, thresholds)


def _found_modes(
    novel: Sequence[str],
    signatures: Mapping[str, Signature],
    vectors: Mapping[str, Matrix],
    known: KnownModes,
    thresholds: Thresholds,
) -> dict[str, Assignment]:
    import numpy as np

    if not novel:
        return {}
    stacked = np.vstack([vectors[key] for key in novel])
    founded: dict[str, Assignment] = {}
    for rows in group_signatures(
        [signatures[key] for key in novel], stacked, thresholds.cluster_similarity
    ):
        own = founded_id([novel[row] for row in rows])
        mode_id = known.resolve(own)
        middle = centre(stacked[rows])
        for row in rows:
            likeness = round(float(np.clip(stacked[row] @ middle, 0, 1)), 4)  # as the centroid
            founded[novel[row]] = Assignment(mode_id, likeness, mode_id not in known.names)
    return founded
