"""What is wrong with the suite as it lies there: leaks, values nobody knows, ids that clash."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
from pydantic import ValidationError

from pipeline.embedding import word_embedder
from pipeline.promotion import is_broken, read_checks
from pipeline.registry import Registry
from pipeline.suite.file import SuiteFileError
from pipeline.suite.leaks import Leak, find_leaks
from pipeline.suite.lifetimes import is_retired
from pipeline.suite.likeness import Crowd, Likeness, turns_of
from pipeline.suite.prompts import read_prompts
from pipeline.suite.splits import SPLITS
from pipeline.suite.store import BY_HAND, FROM_PROD, read_cases

__all__ = [
    "KNOWN",
    "Cases",
    "Loaded",
    "Problem",
    "check_cases",
    "holdout_leaks",
    "load_cases",
    "repeated_cases",
    "tell_leak",
]

Cases = Mapping[str, Mapping[str, Any]]

KNOWN = {
    "status": ("active", "retired"),
    "split": SPLITS,
    "stakes": ("low", "medium", "high"),
    "severity": ("low", "medium", "high"),
    "category": ("happy_path", "edge_case", "adversarial", "drift"),
}
"""Fields of a case that hold one of a few words."""

_LEAKS = {
    "example": "asks the same as the example {of}",
    "by_hand": "asks the same as the case {of} of cases_by_hand.yaml",
    "session": "is of the same session as {of}, which is in another split",
    "duplicate": "is a near-duplicate of {of}, which is in another split",
    "prompt": "is near to a text of {of}",
}


@dataclass(frozen=True)
class Problem:
    """Something that a person should mend: which case, and what is wrong, in our words."""

    case_id: str
    what: str


@dataclass(frozen=True)
class Loaded:
    """Both files of a suite; `problem` says why the one written by hand was not read."""

    cases: Cases
    by_hand: Cases
    problem: str


def load_cases(folder: Path) -> Loaded:
    """Read `cases_from_prod.yaml`, and `cases_by_hand.yaml` where it can be read.

    Raises:
        SuiteFileError: the former cannot.
    """
    try:
        by_hand, problem = read_cases(folder / BY_HAND), ""
    except SuiteFileError as error:
        by_hand, problem = {}, f"{BY_HAND} cannot be read, so its cases count nowhere: {error.why}"
    return Loaded(read_cases(folder / FROM_PROD), by_hand, problem)


def check_cases(loaded: Loaded) -> list[Problem]:
    """Whether every case says what it must in words that there are, under an id of its own."""
    found = [Problem("", loaded.problem)] if loaded.problem else []
    for name in sorted(loaded.cases.keys() & loaded.by_hand.keys()):
        found.append(Problem(name, f"{BY_HAND} has a case of this id too: rename that one"))
    for cases in (loaded.cases, loaded.by_hand):
        for name, case in cases.items():
            found += [Problem(name, what) for what in _oddities(case)]
    return found


def _oddities(case: Mapping[str, Any]) -> Iterator[str]:
    for field, known in KNOWN.items():
        if field in case and case[field] not in known:
            yield f"`{field}` is none of {', '.join(known)}"
    if "checks" in case:
        try:
            for nth, check in enumerate(read_checks(case["checks"]), 1):
                if is_broken(check):
                    yield f"number {nth} of `checks` cannot be run: its pattern or schema is none"
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False, include_context=False)[0]
            number = next((part + 1 for part in first["loc"] if isinstance(part, int)), None)
            which = f"number {number} of `checks`" if number else "`checks`"
            yield f"{which} cannot be read: it is of no kind that there is, or lacks a parameter"
    if "input" in case and not turns_of(case) and not _messages(case):
        yield "`input` has no list of messages"


def _messages(case: Mapping[str, Any]) -> bool:
    given = case["input"]
    return isinstance(given, Mapping) and isinstance(given.get("messages"), list)


def holdout_leaks(
    loaded: Loaded, index: pl.DataFrame | None, registry: Registry, folder: Path
) -> tuple[list[Leak], tuple[str, ...]]:
    """Where the holdout leaks, and which prompt files were not read.

    Args:
        loaded: both files.
        index: `eval_suite`, which knows the sessions; None: they are unknown.
        registry: rubric, rules and settings.
        folder: where the suite lies.
    """
    limits = registry.settings.promotion
    sessions: dict[str, str | None] = (
        {} if index is None else dict(index.select("case_id", "session").iter_rows())
    )
    prompts = read_prompts(registry, folder)
    likeness = Likeness(word_embedder(), limits.duplicate_meaning)
    leaks = find_leaks(loaded.cases, loaded.by_hand, sessions, prompts.found, likeness, limits)
    return leaks, prompts.unread


def tell_leak(leak: Leak) -> Problem:
    """A leak in words."""
    return Problem(leak.case_id, "holdout: " + _LEAKS[leak.why].format(of=leak.of))


def repeated_cases(cases: Cases, similarity: float) -> dict[str, str]:
    """Active cases that ask the same as an older one of their check and intent: that one's id."""
    likeness = Likeness(word_embedder(), similarity)
    groups: dict[tuple[str, str], list[str]] = {}
    for name, case in cases.items():
        if not is_retired(case) and isinstance(case.get("check"), str):
            # whatever somebody made of the intent, equal ones are one
            groups.setdefault((case["check"], repr(case.get("intent"))), []).append(name)
    asked = {name: turns_of(cases[name]) for names in groups.values() for name in names}
    likeness.learn(asked.values())
    repeated: dict[str, str] = {}
    for names in groups.values():
        elders = sorted(names, key=lambda name: _seniority(cases[name]))
        leaders = Crowd(likeness)
        for place, name in enumerate(elders):
            older = leaders.alike(asked[name])
            if older:
                repeated[name] = elders[older[0]]
            else:
                leaders.add(asked[name], place)
    return repeated


def _seniority(case: Mapping[str, Any]) -> tuple[str, str]:
    history = case.get("history")
    first = history.get("first_day") if isinstance(history, Mapping) else None
    return str(first or "9999"), str(case["id"])
