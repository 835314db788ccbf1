"""Which annotations still stand: a person may undo, or replace, what they themselves said."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from pipeline.review.annotation import Annotation

__all__ = ["standing_ids"]


def standing_ids(annotations: Mapping[str, Annotation]) -> frozenset[str]:
    """The ids of the annotations that nothing standing supersedes.

    Only a person's own annotations can supersede theirs, and only on the same trace. What undid
    something may be undone in turn: then the first thing stands again. Clocks play no part. In a
    ring, which only a file written by hand can make, all of it stands.

    Args:
        annotations: by id.
    """
    undone_by: dict[str, set[str]] = defaultdict(set)
    undoes: dict[str, list[str]] = {}
    for name, one in annotations.items():
        undoes[name] = [old for old in one.supersedes if _is_own(annotations.get(old), one)]
        for old in undoes[name]:
            undone_by[old].add(name)
    stands: dict[str, bool] = {}
    ready = [name for name in annotations if not undone_by[name]]
    while ready:
        name = ready.pop()
        stands[name] = not any(stands[newer] for newer in undone_by[name])
        ready += [
            old
            for old in dict.fromkeys(undoes[name])
            if old not in stands and stands.keys() >= undone_by[old]
        ]
    return frozenset(name for name in annotations if stands.get(name, True))


def _is_own(older: Annotation | None, newer: Annotation) -> bool:
    return (
        older is not None
        and older.annotator_id == newer.annotator_id
        and older.trace_id == newer.trace_id
    )
