"""The suite: what all days, people's verdicts and the file that people edit make together."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl

from pipeline.failures import ModeRecord, merged_ids, resolve_modes
from pipeline.promotion.cases import split_of
from pipeline.provenance import Counts
from pipeline.registry import Registry
from pipeline.suite.choosing import Chosen, choose_cases
from pipeline.suite.edits import edited_fields, merge_case
from pipeline.suite.file import parse_suite, read_tombstones, render_suite
from pipeline.suite.folding import fold_candidates, read_entries
from pipeline.suite.people import hear_people
from pipeline.tables import EVAL_SUITE

__all__ = ["Suite", "assemble_suite"]

_TRACES_LISTED = 20


@dataclass(frozen=True)
class Suite:
    """The suite: `text` is the file, `frame` fits `eval_suite`, `counts` are candidates.

    `conflicts` names fields ("case id: field") that a person and the pipeline both changed; the
    person's version is in the file. `kept` are ids in the file that no candidate stands behind.
    """

    text: str
    frame: pl.DataFrame
    counts: Counts
    conflicts: tuple[str, ...]
    kept: tuple[str, ...]


def assemble_suite(
    promoted: pl.DataFrame,
    annotations: pl.DataFrame,
    modes: pl.DataFrame | None,
    existing: str | None,
    registry: Registry,
    erased: Collection[str] = frozenset(),
) -> Suite:
    """Decide the suite.

    Args:
        promoted: `promoted_cases` of all days, with a `day` (pl.Date).
        annotations: people's verdicts, schema of `pipeline.review.annotations`.
        modes: `failure_modes` of the latest week, or None.
        existing: the text of `cases_from_prod.yaml` as it is, or None.
        registry: named modes and settings.
        erased: ids of cases that went when a person was erased; so did those that the file names
            as its tombstones.

    A case comes in when its day promoted it, when all days show the pattern that its day lacked,
    or when more people call its trace bad than good; and then not beyond `cases_per_lesson` cases
    of one mode and intent. It leaves only when more people call it good than bad. What is
    published stays, under its id.

    Raises:
        SuiteFileError: the existing file is broken; nothing was written.
    """
    erased = frozenset(erased) | read_tombstones(existing)
    published = {name: case for name, case in parse_suite(existing).items() if name not in erased}
    limits = registry.settings.promotion
    records = resolve_modes(modes, registry.failure_modes)
    every = read_entries(promoted, merged_ids(modes, registry.failure_modes))
    entries = [entry for entry in every if entry.case_id not in erased]
    folds = fold_candidates(entries, published, limits.duplicate_similarity)
    chosen, filtered, gone = choose_cases(
        folds, entries, published, hear_people(annotations), registry
    )
    written = {one.fold.case_id: _write(one, records, registry) for one in chosen}
    merged = {name: merge_case(case, published.get(name)) for name, case in sorted(written.items())}
    kept = sorted(name for name in published if name not in merged and name not in gone)
    final = {name: one.case for name, one in merged.items()}
    final |= {name: published[name] for name in kept}
    cases = [final[name] for name in sorted(final)]
    filtered |= {"erased": len(every) - len(entries)} if len(every) > len(entries) else {}
    joined = sum(len(one.fold.entries) - 1 for one in chosen)
    rows = [_row(case, edited_fields(case)) for case in cases]
    frame = pl.DataFrame(rows, schema=EVAL_SUITE.schema) if rows else EVAL_SUITE.empty()
    return Suite(
        render_suite(cases, erased),
        EVAL_SUITE.conform(frame),
        Counts("candidates", len(every), len(chosen), joined, filtered=filtered),
        tuple(f"{name}: {field}" for name, one in merged.items() for field in one.conflicts),
        tuple(kept),
    )


def _write(one: Chosen, records: Mapping[str, ModeRecord], registry: Registry) -> dict[str, Any]:
    """The case as the pipeline would write it today."""
    names = {mode_id: record.name for mode_id, record in records.items()}
    names |= {mode.id: mode.name for mode in registry.failure_modes}
    mode = dict(one.head.case["mode"])
    mode["id"] = one.head.mode_id
    mode["name"] = names.get(one.head.mode_id or "", mode["name"])
    origin = {k: v for k, v in one.head.case["provenance"].items() if k != "twin_of"}
    days = [entry.day for entry in one.fold.entries]
    traces = list(dict.fromkeys(entry.trace_id for entry in one.fold.entries))
    return one.head.case | {
        "id": one.fold.case_id,
        "mode": mode,
        "split": split_of(one.fold.group, registry.settings.promotion),
        "status": "active" if one.active else "retired",
        "provenance": origin | {"duplicate_group": one.fold.group},
        "history": {
            "first_day": min(days).isoformat(),
            "last_day": max(days).isoformat(),
            "occurrences": len(traces),
            "traces": traces[:_TRACES_LISTED],
        },
    }


def _row(case: Mapping[str, Any], edited: Sequence[str]) -> dict[str, Any]:
    """A case of the file as a row of `eval_suite`; a field that a person mangled is null."""
    mode, origin, history = (_mapping(case, n) for n in ("mode", "provenance", "history"))
    occurrences = history.get("occurrences")
    return {
        "case_id": case["id"],
        **{
            name: _text(case.get(name))
            for name in (
                "check", "intent", "stakes", "category", "severity", "split",
            )
        },
        "failure_mode_id": _text(mode.get("id")),
        "duplicate_group": _text(origin.get("duplicate_group")),
        "status": "retired" if case.get("status") == "retired" else "active",
        "edited": bool(edited),
        "first_day": _day(history.get("first_day")),
        "last_day": _day(history.get("last_day")),
        "occurrences": occurrences if isinstance(occurrences, int) else None,
    }  # fmt: skip


def _mapping(case: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = case.get(name)
    return value if isinstance(value, dict) else {}


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _day(value: object) -> date | None:
    try:
        return date.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
