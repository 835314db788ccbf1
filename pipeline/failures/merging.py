"""Known modes that have become one failure; folding.py folds them.

Two known modes are one failure when their centroids were alike (`merge_similarity`) at the end of
the week before and are alike now, and when the failures of this week say so too: the mean cosine
between their signatures reaches `cluster_similarity`, and splitting.py would not part them again.
Groups are made by complete linkage, so what is unlike at the ends of a chain stays apart.

Merging and splitting cannot chase each other. Modes that came from one by splits are kin, and so
are those that were merged with one of them; kin is never merged but by a person. So every merge
leaves fewer families and no split makes one: what parted stays apart, and a stream that does not
change comes to rest. And what is merged here would not be split on the same failures.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from pipeline.failures.matching import Assignment
from pipeline.failures.records import ModeRecord
from pipeline.failures.signatures import Failures
from pipeline.failures.splitting import large_parts
from pipeline.failures.vectors import Matrix
from pipeline.registry import UNKNOWN, Registry

__all__ = ["alike_modes"]

_APART = -1.0  # the likeness of what must not be merged


def alike_modes(
    before: Mapping[str, ModeRecord],
    records: Mapping[str, ModeRecord],
    failures: Failures,
    assigned: Mapping[str, Assignment],
    vectors: Mapping[str, Matrix],
    registry: Registry,
) -> dict[str, str]:
    """Find known modes that are one failure: the ids that go -> the oldest, which stays.

    A mode that a person named is never the one that goes. One of whose failures, state or fix a
    person decided takes no part: its failures are those that were decided on.

    Args:
        before: the modes of the week before.
        records: those modes with this week's failures.
        failures: of this week.
        assigned: the mode of each of their signatures.
        vectors: of the signatures.
        registry: what people say, and thresholds.
    """
    spoken = {mode.id for mode in registry.failure_modes}
    keys: dict[str, list[str]] = defaultdict(list)
    for key, found in sorted(assigned.items()):
        keys[found.mode_id].append(key)
    ids = sorted(keys.keys() & before.keys() & records.keys() - _decided(registry, records))
    if len(ids) < 2:
        return {}
    limits = registry.settings.failures
    alike = np.minimum(
        _likeness([before[one] for one in ids]), _likeness([records[one] for one in ids])
    )
    means = np.vstack([np.vstack([vectors[key] for key in keys[one]]).mean(axis=0) for one in ids])
    alike[np.round(means @ means.T, 6) < limits.cluster_similarity] = _APART
    for same in (
        [one in spoken or None for one in ids],
        [records[one].split_from and "parted" for one in ids],
        _families(ids, records),
    ):
        alike[_equal(same)] = _APART
    sizes = dict(failures.rows["signature"].value_counts().iter_rows())
    heirs: dict[str, str] = {}
    for rows in _groups(alike, limits.merge_similarity):
        members = [ids[row] for row in rows]
        together = sorted(key for one in members for key in keys[one])
        if len(large_parts(together, vectors, sizes, limits.split_similarity)) > 1:
            continue
        kept = min(members, key=lambda one: (one not in spoken, records[one].first_seen, one))
        heirs |= {one: kept for one in members if one != kept}
    return heirs


def _decided(registry: Registry, records: Mapping[str, ModeRecord]) -> set[str]:
    """Modes of which people said more than a name: claims, states, merges, fixes."""
    decided = {
        mode.id
        for mode in registry.failure_modes
        if mode.checks or mode.error_classes or mode.merged_into or mode.state != "open"
    }
    fixed = {fix.mode for fix in registry.fixes}
    return decided | {name for name, one in records.items() if fixed & {name, *one.merged_from}}


def _families(ids: Sequence[str], records: Mapping[str, ModeRecord]) -> list[str]:
    """Of each mode the one that it came from by splits, itself if it came from none."""
    holder = {old: name for name, one in records.items() for old in (name, *one.merged_from)}
    families = []
    for name in ids:
        seen: list[str] = []
        while name not in seen:
            seen.append(name)
            origin = records[name].split_from if name in records else None
            name = holder.get(origin, origin) if origin else name
        families.append(name if name == seen[-1] else min(seen))
    return families


def _equal(labels: Sequence[object]) -> NDArray[np.bool_]:
    """Which pairs of rows have one label; None equals nothing."""
    return np.array([[a is not None and a == b for b in labels] for a in labels])


def _likeness(records: Sequence[ModeRecord]) -> Matrix:
    """Cosines of centroids; -1 between planned and unplanned, and between sizes of vectors."""
    cosines = np.full((len(records), len(records)), _APART)
    kinds = [(one.intent == UNKNOWN, len(one.centroid)) for one in records]
    for kind in sorted(set(kinds)):
        rows = [n for n, own in enumerate(kinds) if own == kind]
        stacked = np.array([records[n].centroid for n in rows], dtype=float)
        cosines[np.ix_(rows, rows)] = np.round(stacked @ stacked.T, 6)
    return cosines


def _groups(alike: Matrix, floor: float) -> list[list[int]]:
    """Groups of at least two rows of which every pair reaches the floor (complete linkage)."""
    np.fill_diagonal(alike, 1.0)
    if not (alike - 2 * np.eye(len(alike)) >= floor).any():
        return []
    from sklearn.cluster import AgglomerativeClustering

    model = AgglomerativeClustering(
        n_clusters=None,
        metric="precomputed",
        linkage="complete",
        distance_threshold=round(1.0 - floor, 6) + 1e-9,
    ).fit(np.maximum(np.round(1.0 - alike, 6), 0.0))
    found: dict[int, list[int]] = defaultdict(list)
    for row, label in enumerate(model.labels_.tolist()):
        found[label].append(row)
    return sorted(rows for rows in found.values() if len(rows) > 1)
