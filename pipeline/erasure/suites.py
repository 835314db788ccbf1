"""The suite without the cases that were made of somebody's conversation.

The file is edited line by line, so that everything else in it stays as people left it, comments
too; where that would not give the very cases that are meant, it is written anew.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import yaml

from pipeline.suite import parse_suite, read_tombstones, render_suite

__all__ = ["SuiteErased", "erase_cases"]

IsTheirs = Callable[[str], bool]


@dataclass(frozen=True)
class SuiteErased:
    """The file afterwards, ids of the cases that went, and how many others forgot a trace."""

    text: str
    cases: frozenset[str]
    histories: int


def erase_cases(text: str, theirs: IsTheirs, founded: frozenset[str]) -> SuiteErased:
    """Take cases out of a suite file and put up a tombstone for each.

    Args:
        text: `cases_from_prod.yaml`.
        theirs: whether a trace id is of somebody who is erased.
        founded: ids of cases that were founded by such a trace, whatever they are written from.

    Raises:
        SuiteFileError: it cannot be read.
    """
    before, stones = parse_suite(text), read_tombstones(text)
    gone = frozenset(
        name for name, case in before.items() if name in founded or theirs(_source(case))
    )
    wanted = {name: _forget(case, theirs) for name, case in before.items() if name not in gone}
    histories = sum(case != before[name] for name, case in wanted.items())
    if not gone and not histories:
        return SuiteErased(text, gone, 0)
    edited = _edited(text, gone, theirs, stones | gone)
    if not _says(edited, wanted, stones | gone):
        edited = render_suite(list(wanted.values()), stones | gone)
    return SuiteErased(edited, gone, histories)


def _source(case: Mapping[str, Any]) -> str:
    origin = case.get("provenance")
    return str(origin.get("trace_id")) if isinstance(origin, dict) else ""


def _forget(case: Mapping[str, Any], theirs: IsTheirs) -> dict[str, Any]:
    """A case whose history no longer lists traces of theirs; the next publication counts anew."""
    after = deepcopy(dict(case))
    history = after.get("history")
    if isinstance(history, dict) and isinstance(history.get("traces"), list):
        history["traces"] = [one for one in history["traces"] if not theirs(str(one))]
    return after


def _edited(text: str, gone: frozenset[str], theirs: IsTheirs, stones: frozenset[str]) -> str:
    """The text without the lines of what goes, and with the tombstones at its end."""
    lines = text.splitlines(keepends=True)
    root = yaml.compose(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    assert isinstance(root, yaml.MappingNode)
    top = {key.value: value for key, value in root.value}
    cases: list[yaml.Node] = top["cases"].value
    cut: set[int] = set()
    for case in cases:
        found = {key.value: value for key, value in case.value}
        if found["id"].value in gone:
            cut.update(_own_lines(lines, case))
        elif (history := found.get("history")) is not None:
            for key, value in history.value:
                if key.value == "traces" and isinstance(value, yaml.SequenceNode):
                    mine = [one for one in value.value if theirs(str(one.value))]
                    cut.update(one.start_mark.line for one in mine)
    for key, value in root.value:
        if key.value == "tombstones":
            cut.update(range(key.start_mark.line, max(value.end_mark.line, key.end_mark.line + 1)))
    kept = [line for number, line in enumerate(lines) if number not in cut]
    if cases and all(key in gone for key in parse_suite(text)):
        kept = [line.replace("cases:", "cases: []") if line.startswith("cases:") else line
                for line in kept]  # fmt: skip
    body = "".join(kept)
    body += "" if body.endswith("\n") else "\n"
    return body + "".join(["tombstones:\n", *(f'- "{one}"\n' for one in sorted(stones))])


def _own_lines(lines: list[str], case: yaml.Node) -> range:
    """The lines of a case, with the comment right above it, without the one above the next."""
    first, end = case.start_mark.line, min(case.end_mark.line, len(lines))
    while first > 0 and lines[first - 1].lstrip().startswith("#"):
        first -= 1
    while end > case.start_mark.line + 1 and _is_aside(lines[end - 1]):
        end -= 1
    return range(first, end)


def _is_aside(line: str) -> bool:
    """Whether a line is blank or a comment."""
    return not line.strip() or line.lstrip().startswith("#")


def _says(text: str, wanted: Mapping[str, Any], stones: frozenset[str]) -> bool:
    try:
        return parse_suite(text) == wanted and read_tombstones(text) == stones
    except ValueError:
        return False
