"""Modes that the days of a week founded apart, and which of them are one by the week's end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from pipeline.failures.clustering import group_signatures
from pipeline.failures.known import KnownModes
from pipeline.failures.matching import Assignment, match_signatures
from pipeline.failures.signatures import Failures, Signature
from pipeline.failures.vectors import Matrix, centre
from pipeline.registry import Registry
from pipeline.windows import Window

__all__ = ["Founded", "fold_founded", "replay_days"]


@dataclass(frozen=True)
class Founded:
    """A mode that some day founded: when, under which id, with which signatures."""

    on: int
    mode_id: str
    signatures: tuple[str, ...]


def replay_days(
    failures: Failures,
    vectors: Mapping[str, Matrix],
    known: KnownModes,
    registry: Registry,
    window: Window,
) -> list[Founded]:
    """The modes that each day founded, as `assign_modes` does, with the names in force then."""
    founded = []
    for number, day in enumerate(window.days):
        named = [mode for mode in registry.failure_modes if mode.effective_from <= day.first]
        signatures = failures.on(day.first).signatures
        modes = match_signatures(signatures, vectors, known, named, registry.settings.failures)
        groups: dict[str, list[str]] = {}
        for key, found in modes.items():
            if found.provisional:
                groups.setdefault(found.mode_id, []).append(key)
        founded += [Founded(number, mode, tuple(sorted(k))) for mode, k in sorted(groups.items())]
    return founded


def fold_founded(
    founded: list[Founded],
    at_end: Mapping[str, Assignment],
    signatures: Mapping[str, Signature],
    vectors: Mapping[str, Matrix],
    registry: Registry,
) -> tuple[dict[str, str], dict[str, str]]:
    """Fold what days founded: the week's id of every new signature, and old id -> kept id."""
    parts = _join_shared(founded, at_end)
    parts.sort(key=lambda part: part[0])
    floor = registry.settings.failures.cluster_similarity
    middles = [centre(np.vstack([vectors[key] for key in keys])) for keys, _ in parts]
    leaders = [signatures[keys[0]] for keys, _ in parts]
    final: dict[str, str] = {}
    folded: dict[str, str] = {}
    stacked = np.vstack(middles) if middles else np.zeros((0, 0))
    for rows in group_signatures(leaders, stacked, floor):
        members = [one for row in rows for one in parts[row][1]]
        kept = min(members, key=lambda one: (one.on, one.mode_id)).mode_id
        final |= {key: kept for row in rows for key in parts[row][0]}
        folded |= {one.mode_id: kept for one in members if one.mode_id != kept}
    for one in founded:
        if one.mode_id not in folded and one.mode_id not in final.values():
            # a person's entry took its failures over before the week was out
            heir = at_end[one.signatures[0]]
            folded[one.mode_id] = final.get(one.signatures[0], heir.mode_id)
    return final, folded


def _join_shared(
    founded: list[Founded], at_end: Mapping[str, Assignment]
) -> list[tuple[list[str], list[Founded]]]:
    """Join founded modes that share a signature or an id: (new signatures, founded modes)."""
    parts: list[tuple[set[str], list[Founded]]] = []
    for one in founded:
        keys = {key for key in one.signatures if at_end[key].provisional}
        if not keys:
            continue
        members = [one]
        apart = []
        for other_keys, others in parts:
            if other_keys & keys or any(o.mode_id == one.mode_id for o in others):
                keys |= other_keys
                members = others + members
            else:
                apart.append((other_keys, others))
        parts = [*apart, (keys, members)]
    return [(sorted(keys), members) for keys, members in parts]
