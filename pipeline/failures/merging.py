"""Modes that become one: by a person's word, by taking over all signatures, or by likeness.

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
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from pipeline.failures.known import KnownModes
from pipeline.failures.matching import Assignment
from pipeline.failures.records import ModeRecord, absorb
from pipeline.failures.signatures import Failures
from pipeline.failures.splitting import large_parts
from pipeline.failures.vectors import Matrix, centre
from pipeline.registry import UNKNOWN, Registry

__all__ = ["alike_modes", "fold_modes", "move_ids", "settled_heirs"]

_APART = -1.0  # the likeness of what must not be merged


def settled_heirs(
    records: Mapping[str, ModeRecord], known: KnownModes, assigned: Mapping[str, Assignment]
) -> dict[str, str]:
    """Modes that a person merged, and those whose every signature another took over: old -> new."""
    heirs: dict[str, str] = {}
    for mode_id, record in sorted(records.items()):
        target = known.resolve(mode_id)
        if target == mode_id and not record.signatures:
            was_its = (k for k in assigned if known.by_signature.get(k) == mode_id)
            target = min((assigned[k].mode_id for k in was_its), default=mode_id)
        if target != mode_id:
            heirs[mode_id] = target
    return heirs


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


def fold_modes(
    records: Mapping[str, ModeRecord], heirs: Mapping[str, str], *, alike: bool = False
) -> dict[str, ModeRecord]:
    """Fold modes into their heirs, through as many steps as it takes; a ring stays as it is.

    With `alike` the centroid becomes that of both, weighted by failures, so that the failures of
    either still find it; a person's merge may join what is unlike, and leaves it where it is.
    """
    folded = dict(records)
    for gone, target in sorted(heirs.items()):
        seen = {gone}
        while target in heirs and target not in seen:
            seen.add(target)
            target = heirs[target]
        if target == gone:
            continue
        leaving = folded.pop(gone)
        if target in folded:
            kept = folded[target]
            folded[target] = absorb(kept, leaving)
            if alike:
                folded[target] = replace(
                    folded[target],
                    centroid=_between(kept, leaving),
                    split_from=kept.split_from or leaving.split_from,
                )
        else:
            renamed = replace(leaving, failure_mode_id=target, name="", merged_from=())
            folded[target] = replace(
                renamed, merged_from=tuple(sorted({*leaving.merged_from, gone}))
            )
    return {  # who lives again under an id of their own is no other's past
        name: replace(one, merged_from=tuple(o for o in one.merged_from if o not in folded))
        for name, one in folded.items()
    }


def move_ids(
    records: Mapping[str, ModeRecord],
    known: KnownModes,
    heirs: Mapping[str, str],
    registry: Registry,
) -> dict[str, ModeRecord]:
    """Let the ids that people merged elsewhere since follow their word.

    What was counted stays where it is: the weeks before are not told apart again.
    """
    moved = dict(records)
    said = {mode.id for mode in registry.failure_modes if mode.merged_into} - moved.keys()
    for old in sorted(said):
        target = known.resolve(old)
        target = heirs.get(target, target)
        holder = next((name for name, one in moved.items() if old in one.merged_from), target)
        if holder == target or target not in moved:
            continue
        left = tuple(one for one in moved[holder].merged_from if one != old)
        gained = tuple(sorted({*moved[target].merged_from, old}))
        moved[holder] = replace(moved[holder], merged_from=left)
        moved[target] = replace(moved[target], merged_from=gained)
    return moved


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


def _between(kept: ModeRecord, gone: ModeRecord) -> tuple[float, ...]:
    sizes = np.array([[kept.size_total], [gone.size_total]], dtype=float)
    middle = (np.array([kept.centroid, gone.centroid]) * sizes).sum(axis=0) / sizes.sum()
    return tuple(centre(middle[None, :]).tolist())
