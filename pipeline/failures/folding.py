"""Modes that live on as another: by a person's word, by losing all signatures, or by likeness."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from pipeline.failures.known import KnownModes
from pipeline.failures.matching import Assignment
from pipeline.failures.records import ModeRecord, absorb
from pipeline.failures.vectors import centre
from pipeline.registry import Registry

__all__ = ["fold_modes", "move_ids", "settled_heirs"]


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


def _between(kept: ModeRecord, gone: ModeRecord) -> tuple[float, ...]:
    sizes = np.array([[kept.size_total], [gone.size_total]], dtype=float)
    middle = (np.array([kept.centroid, gone.centroid]) * sizes).sum(axis=0) / sizes.sum()
    return tuple(centre(middle[None, :]).tolist())
