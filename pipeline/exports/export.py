"""One export: which cases go, which files they become, and what the target cannot run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.exports import (
    deepeval,
    inspect_ai,
    langfuse,
    langsmith,
    openai_evals,
    phoenix,
    promptfoo,
    pytest_module,
)
from pipeline.exports.case import Case
from pipeline.exports.target import Files, Target
from pipeline.files import make_directory, replace_file

__all__ = ["TARGETS", "Selection", "Tally", "select_cases", "tally", "write_files"]

TARGETS: dict[str, Target] = {
    module.TARGET.name: module.TARGET
    for module in (
        promptfoo,
        inspect_ai,
        deepeval,
        openai_evals,
        pytest_module,
        langfuse,
        langsmith,
        phoenix,
    )
}


@dataclass(frozen=True)
class Selection:
    """The cases that go, and how many stay, by the reason (a split or a status)."""

    cases: tuple[Case, ...]
    left_out: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class Tally:
    """Checks of an export: those that the target runs, those that it only carries, and cases.

    `judged` checks need a judge; `idle` cases have no other check.
    """

    checks: int
    judged: int
    idle: int


def select_cases(
    cases: Sequence[Case], splits: Collection[str], statuses: Collection[str]
) -> Selection:
    """The cases of these splits and statuses."""
    left: Counter[str] = Counter()
    chosen = []
    for case in cases:
        if case.status not in statuses:
            left[case.status] += 1
        elif case.split not in splits:
            left[case.split] += 1
        else:
            chosen.append(case)
    return Selection(tuple(chosen), tuple(sorted(left.items())))


def tally(cases: Sequence[Case]) -> Tally:
    """What a target can run of the cases' checks, and what it cannot."""
    kinds = Counter(check.kind for case in cases for check in case.checks)
    idle = sum(not case.decidable for case in cases)
    return Tally(kinds.total(), kinds["rubric"], idle)


def write_files(files: Files, folder: Path) -> None:
    """Write the files of an export, each whole or not at all; what else is there stays."""
    for name, content in files.items():
        path = folder / name
        make_directory(path.parent, private=False)
        with replace_file(path) as temporary:
            temporary.write_bytes(content)
