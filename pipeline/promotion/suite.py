"""The suite: what all days, people's verdicts and the file that people edit make together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import polars as pl

from pipeline.failures import ModeRecord, merged_ids, resolve_modes
from pipeline.promotion.cases import split_of
from pipeline.promotion.edits import edited_fields, merge_case
from pipeline.promotion.folding import Entry, Fold, fold_candidates, read_entries
from pipeline.promotion.gates import PATTERN_BLOCKS
from pipeline.promotion.people import Voices, hear_people
from pipeline.promotion.scores import ModeHistory, enduring, patterned
from pipeline.promotion.suite_file import parse_suite, render_suite
from pipeline.provenance import Counts
from pipeline.registry import Registry
from pipeline.registry.settings import Promotion
from pipeline.tables import EVAL_SUITE

__all__ = ["Suite", "assemble_suite"]

_TRACES_LISTED = 20
_HARD = frozenset({"ignored", "not_replayable"})  # not even a person's word makes these a case


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


@dataclass(frozen=True)
class _Chosen:
    """A fold that became a case: the candidate it is written from, and its history."""

    fold: Fold
    head: Entry
    active: bool


def assemble_suite(
    promoted: pl.DataFrame,
    annotations: pl.DataFrame,
    modes: pl.DataFrame | None,
    existing: str | None,
    registry: Registry,
) -> Suite:
    """Decide the suite.

    Args:
        promoted: `promoted_cases` of all days, with a `day` (pl.Date).
        annotations: people's verdicts, schema of `pipeline.review.annotations`.
        modes: `failure_modes` of the latest week, or None.
        existing: the text of `cases_from_prod.yaml` as it is, or None.
        registry: named modes and settings.

    A case comes in when its day promoted it, when all days show the pattern that its day lacked,
    or when more people call its trace bad than good; and then not beyond `cases_per_lesson` cases
    of one mode and intent. It leaves only when more people call it good than bad. What is
    published stays, under its id.

    Raises:
        SuiteFileError: the existing file is broken; nothing was written.
    """
    published = parse_suite(existing)
    limits = registry.settings.promotion
    records = resolve_modes(modes, registry.failure_modes)
    entries = read_entries(promoted, merged_ids(modes, registry.failure_modes))
    folds = fold_candidates(entries, published, limits.duplicate_similarity)
    chosen, filtered, gone = _choose(folds, entries, published, hear_people(annotations), registry)
    written = {one.fold.case_id: _write(one, records, registry) for one in chosen}
    merged = {name: merge_case(case, published.get(name)) for name, case in sorted(written.items())}
    kept = sorted(name for name in published if name not in merged and name not in gone)
    final = {name: one.case for name, one in merged.items()}
    final |= {name: published[name] for name in kept}
    cases = [final[name] for name in sorted(final)]
    joined = sum(len(one.fold.entries) - 1 for one in chosen)
    rows = [_row(case, edited_fields(case)) for case in cases]
    frame = pl.DataFrame(rows, schema=EVAL_SUITE.schema) if rows else EVAL_SUITE.empty()
    return Suite(
        render_suite(cases),
        EVAL_SUITE.conform(frame),
        Counts("candidates", len(entries), len(chosen), joined, filtered=filtered),
        tuple(f"{name}: {field}" for name, one in merged.items() for field in one.conflicts),
        tuple(kept),
    )


def _choose(
    folds: Sequence[Fold],
    entries: Sequence[Entry],
    published: Mapping[str, Mapping[str, Any]],
    voices: Voices,
    registry: Registry,
) -> tuple[list[_Chosen], dict[str, int], set[str]]:
    """Choose the folds that are cases; the rest is counted by reason, rejected ids are named."""
    limits = registry.settings.promotion
    closed = {mode.id for mode in registry.failure_modes if mode.state != "open"}
    patterns = _Patterns(entries)
    chosen: list[_Chosen] = []
    filtered: Counter[str] = Counter()
    gone: set[str] = set()
    waiting: list[tuple[Fold, Entry]] = []
    for fold in folds:
        votes = sum(voices.on(e.trace_id, e.check, e.layer) for e in fold.entries)
        head, reason = _head(fold, votes, published, patterns, limits)
        if not fold.published:
            fold = replace(fold, case_id=head.case_id)
        shut = head.mode_id in closed
        if votes < 0:
            gone.add(fold.case_id)
            filtered["rejected_by_person"] += len(fold.entries)
        elif fold.published:
            chosen.append(_Chosen(fold, head, not shut))
        elif shut:
            filtered["mode_closed"] += len(fold.entries)
        elif reason:
            filtered[reason] += len(fold.entries)
        elif votes > 0:
            chosen.append(_Chosen(fold, head, True))
        else:
            waiting.append((fold, head))
    lessons = Counter((one.head.mode_id or one.head.check, one.head.intent) for one in chosen)
    for fold, head in sorted(waiting, key=lambda pair: (pair[1].order, pair[0].case_id)):
        lesson = (head.mode_id or head.check, head.intent)
        if lessons[lesson] >= limits.cases_per_lesson:
            filtered["covered"] += len(fold.entries)
            continue
        lessons[lesson] += 1
        chosen.append(_Chosen(fold, head, True))
    return chosen, dict(sorted(filtered.items())), gone


def _head(
    fold: Fold,
    votes: int,
    published: Mapping[str, Mapping[str, Any]],
    patterns: _Patterns,
    limits: Promotion,
) -> tuple[Entry, str]:
    """The candidate that a case is written from, and why the fold is no case (empty: it is)."""
    if fold.published:
        origin = published[fold.case_id].get("provenance")
        source = origin.get("trace_id") if isinstance(origin, dict) else None
        same = [e for e in fold.entries if e.trace_id == source]
        return (same or list(fold.entries))[0], ""
    ready = [e for e in fold.entries if e.decision == "promoted" or patterns.lift(e, limits)]
    if votes > 0:
        ready = ready or [e for e in fold.entries if not e.blocked_by & _HARD]
    if ready:
        return ready[0], ""
    first = fold.entries[0]
    if any(e.decision == "review" for e in fold.entries):
        return first, "waiting_for_review"
    # what a person would have to lift is told first, a low score last
    codes = sorted(
        first.blocked_by, key=lambda code: (code == "low_score", code in PATTERN_BLOCKS, code)
    )
    return first, codes[0] if codes else "rejected"


class _Patterns:
    """What all days show of each mode."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        self._modes: dict[str, list[Entry]] = {}
        self._lessons: dict[tuple[str, str], set[str]] = {}
        for entry in entries:
            mode = self._key(entry)
            self._modes.setdefault(mode, []).append(entry)
            self._lessons.setdefault((mode, entry.intent), set()).add(entry.trace_id)

    @staticmethod
    def _key(entry: Entry) -> str:
        return entry.mode_id or f"{entry.check}/{entry.intent}"

    def lift(self, entry: Entry, limits: Promotion) -> bool:
        """Whether what blocked a candidate on its day no longer holds.

        Only a missing pattern (with the low score it may have caused) and cover by other cases
        can be lifted; then the mode must have been seen often enough, on two days or by two
        users, and the mean score with the new pattern must reach the threshold.
        """
        if not entry.blocked_by or entry.blocked_by - {*PATTERN_BLOCKS, "low_score"}:
            return False
        alike = self._modes[self._key(entry)]
        history = ModeHistory(
            traces=len({e.trace_id for e in alike}),
            users=len({e.user for e in alike}),
            days=len({e.day for e in alike}),
            lesson=len(self._lessons[self._key(entry), entry.intent]),
            first_seen=None,
        )
        known = (*entry.scores, patterned(history, limits), enduring(history, limits))
        return (
            history.traces >= limits.recurrence
            and history.lesson >= limits.lesson_recurrence
            and (history.days >= 2 or history.users >= 2)
            and sum(known) / len(known) >= limits.threshold
        )


def _write(one: _Chosen, records: Mapping[str, ModeRecord], registry: Registry) -> dict[str, Any]:
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
