"""Modes that drift apart: one whose failures of the week fall into groups too unlike for one name.

A mode grows by likeness to its centroid, one signature at a time, so after a while its ends may
have little in common. They part where the mean cosine between them is below `split_similarity`,
which lies under the floors by which modes are founded and matched: what was joined for a good
reason does not come apart the week after. The part nearest to the old centroid keeps the id.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

import numpy as np

from pipeline.failures.clustering import group_vectors
from pipeline.failures.matching import Assignment
from pipeline.failures.records import ModeRecord
from pipeline.failures.signatures import Failures
from pipeline.failures.vectors import Matrix, centre
from pipeline.ids import digest
from pipeline.registry import Registry

__all__ = ["large_parts", "split_modes"]

_FEWEST = 3  # failures on each side: fewer are no second kind, but an outlier


def split_modes(
    records: Mapping[str, ModeRecord],
    failures: Failures,
    assigned: Mapping[str, Assignment],
    vectors: Mapping[str, Matrix],
    registry: Registry,
) -> dict[str, tuple[str, str]]:
    """Find the signatures that leave their mode: key -> (new mode, the mode it comes from).

    A mode that a person named or claims failures for is never split: a person's word stands.
    """
    words = {mode.id for mode in registry.failure_modes}
    sizes = dict(failures.rows["signature"].value_counts().iter_rows())
    keys: dict[str, list[str]] = defaultdict(list)
    for key, found in sorted(assigned.items()):
        if found.mode_id in records and found.mode_id not in words:
            keys[found.mode_id].append(key)
    floor = registry.settings.failures.split_similarity
    leaving: dict[str, tuple[str, str]] = {}
    for mode_id, own in keys.items():
        large = large_parts(own, vectors, sizes, floor)
        if len(large) < 2:
            continue
        old = np.array(records[mode_id].centroid)
        stays = max(large, key=lambda g: (_likeness(g, vectors, old), min(g)))
        for group in large:
            if group is not stays:
                new = f"fm-{digest('split', mode_id, min(group), size=6)}"
                leaving |= dict.fromkeys(group, (new, mode_id))
    return leaving


def large_parts(
    keys: Sequence[str], vectors: Mapping[str, Matrix], sizes: Mapping[str, int], floor: float
) -> list[list[str]]:
    """The groups into which sorted signatures fall at a floor, those of three failures or more."""
    labels = group_vectors(np.vstack([vectors[key] for key in keys]), floor)
    groups: dict[int, list[str]] = defaultdict(list)
    for key, label in zip(keys, labels, strict=True):
        groups[label].append(key)
    return [group for group in groups.values() if sum(sizes[key] for key in group) >= _FEWEST]


def _likeness(keys: list[str], vectors: Mapping[str, Matrix], old: Matrix) -> float:
    middle = centre(np.vstack([vectors[key] for key in keys]))
    return round(float(middle @ old), 6) if middle.shape == old.shape else 0.0
