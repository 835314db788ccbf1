"""What a target of an export is: a name, and a function from cases to files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import orjson

from pipeline.exports.case import Case

__all__ = ["Files", "Target", "WriteTarget", "beside", "facts_of_case", "json_file", "json_lines"]

Files = Mapping[str, bytes]
"""The files of an export by name, relative to its folder."""

_BESIDE = Path(__file__).parent / "beside-cases"


class WriteTarget(Protocol):
    """Writes cases as one tool loads them."""

    def __call__(self, cases: Sequence[Case], dataset: str, *, judged: bool) -> Files:
        """The files; equal cases give equal bytes.

        Args:
            cases: in the order of their ids.
            dataset: what the tool shall call them.
            judged: whether checks that need a judge become the tool's own model-graded ones.
        """
        ...


@dataclass(frozen=True)
class Target:
    """A tool: `runs` tells whether its export runs our checks, or only carries them.

    `judges` tells whether it has a model-graded check for those that need a judge; `follow_up`
    says what to run next, with {folder} and {dataset}.
    """

    name: str
    write: WriteTarget
    runs: bool
    judges: bool
    follow_up: str


def facts_of_case(case: Case) -> dict[str, Any]:
    """What every target keeps beside the messages: what it is, checks, fixtures, provenance."""
    return {
        "case_id": case.case_id,
        "title": case.title,
        **{
            name: case.body[name]
            for name in ("check", "intent", "stakes", "severity", "category", "mode")
            if name in case.body
        },
        "split": case.split,
        "status": case.status,
        "expected": case.text("expected"),
        "checks": [check.model_dump(mode="json", exclude_none=True) for check in case.checks],
        "fixtures": [dict(one) for one in case.fixtures],
        "documents": [dict(one) for one in case.documents],
        "recorded": dict(case.part("recorded")),
        "provenance": dict(case.part("provenance")),
    }


def json_file(value: Any) -> bytes:
    """JSON that a person can read."""
    return orjson.dumps(value, option=orjson.OPT_INDENT_2) + b"\n"


def json_lines(values: Sequence[Any]) -> bytes:
    """One JSON object a line."""
    return b"".join(orjson.dumps(value) + b"\n" for value in values)


def beside(*names: str) -> Files:
    """Files of code that an export carries as they are: the tool's side of the checks."""
    return {name: (_BESIDE / name).read_bytes() for name in names}
