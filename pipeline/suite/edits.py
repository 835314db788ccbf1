"""What people changed in the suite's file, and how it meets what the pipeline would write."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.ids import digest
from pipeline.suite.yaml_text import write_yaml

_ORDER = (
    "title",
    "mode",
    "check",
    "intent",
    "stakes",
    "severity",
    "category",
    "split",
    "status",
    "input",
    "expected",
    "checks",
    "recorded",
    "tools",
    "birth",
    "expires_when",
    "provenance",
)
__all__ = ["Merged", "edited_fields", "merge_case", "settle", "stamp"]

OWNED = ("history", "generated")
"""Fields that are the pipeline's alone."""


@dataclass(frozen=True)
class Merged:
    """A case after the merge: its fields, those that a person changed, those changed twice."""

    case: dict[str, Any]
    edited: tuple[str, ...]
    conflicts: tuple[str, ...]


def stamp(case: Mapping[str, Any]) -> dict[str, Any]:
    """Return a case as the pipeline writes it, with a digest of each field in `generated`."""
    fields = _arrange({name: value for name, value in case.items() if name != "generated"})
    return fields | {
        "generated": {n: _mark(fields[n]) for n in sorted(fields) if n not in (*OWNED, "id")}
    }


def edited_fields(case: Mapping[str, Any]) -> tuple[str, ...]:
    """The fields of a case in the file that differ from what the pipeline last wrote."""
    marks = case.get("generated") or {}
    changed = [n for n, mark in marks.items() if n not in case or _mark(case[n]) != mark]
    added = [n for n in case if n not in marks and n not in (*OWNED, "id")]
    return tuple(sorted([*changed, *added]))


def merge_case(written: Mapping[str, Any], theirs: Mapping[str, Any] | None) -> Merged:
    """Lay what the pipeline would write over the case in the file, a person's edits winning.

    A field that was edited keeps the person's value and the digest it was edited from, so that
    it stays theirs on every later run; where the pipeline's own value has changed since, that is
    a conflict, listed until the edit is undone. A field that a person took out stays out.
    """
    fresh = stamp(written)
    if theirs is None:
        return Merged(fresh, (), ())
    mine = edited_fields(theirs)
    before = theirs.get("generated") or {}
    merged: dict[str, Any] = {}
    marks: dict[str, str] = {}
    conflicts = []
    kept_edits = []
    for name, value in fresh.items():
        if name in (*OWNED, "id"):
            continue
        new = fresh["generated"][name]
        theirs_now = _mark(theirs[name]) if name in theirs else None
        if name in mine and theirs_now != new:
            kept_edits.append(name)
            marks[name] = before.get(name, new)
            if name in theirs:
                merged[name] = theirs[name]
            if before.get(name, new) != new:
                conflicts.append(name)
        else:
            merged[name], marks[name] = value, new
    extra = {n: v for n, v in theirs.items() if n not in fresh and n not in before}
    case = _arrange(merged | extra | {n: fresh[n] for n in ("id", "history") if n in fresh})
    case["generated"] = {name: marks[name] for name in sorted(marks)}
    return Merged(case, tuple(sorted([*kept_edits, *extra])), tuple(sorted(conflicts)))


def settle(case: Mapping[str, Any], pipelines: Mapping[str, Any], *, mine: bool) -> dict[str, Any]:
    """Settle conflicts of a case: either version, and from now on no conflict.

    Args:
        case: as it stands in the file.
        pipelines: by field what the pipeline would write.
        mine: keep the file's version, still as an edit; else take the pipeline's.
    """
    marks = dict(case.get("generated") or {}) | {n: _mark(v) for n, v in pipelines.items()}
    fields = dict(case) if mine else {**case, **pipelines}
    return _arrange(fields) | {"generated": {name: marks[name] for name in sorted(marks)}}


def _arrange(case: Mapping[str, Any]) -> dict[str, Any]:
    """One order of fields: the id, what a person reads first, their own, the history."""
    first = [name for name in ("id", *_ORDER) if name in case]
    own = sorted(name for name in case if name not in (*first, "history"))
    last = [name for name in ("history",) if name in case]
    return {name: case[name] for name in (*first, *own, *last)}


def _mark(value: Any) -> str:
    try:
        return digest(value, size=4)
    except TypeError:  # what a person may write and JSON has no word for: 2^70
        return digest(write_yaml(value), size=4)
