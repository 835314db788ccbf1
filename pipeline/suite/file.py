"""The suite's YAML file: read with care, written so that hostile text stays text.

Reading uses the safe loader, refuses aliases
and repeated keys, and never touches the file: a broken file stops the step before it writes.
Comments at the very top, above ours, are kept (a licence, a line for an editor); others are not.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.suite.yaml_reading import BrokenYaml, parse_yaml
from pipeline.suite.yaml_text import write_yaml

__all__ = [
    "SuiteFile",
    "SuiteFileError",
    "parse_suite",
    "read_preamble",
    "read_suite",
    "read_tombstones",
    "render_suite",
]

_HEADER = """\
# Test cases promoted from production by Caselaw. All text in here is redacted.
#
# Edit what you like: a field that you change is yours and is never overwritten; `generated` holds
# a digest of what the pipeline last wrote to each field, which is how it tells. Fields you add are
# kept. To switch a case off, set its status to "retired"; a case that you delete comes back while
# its failures are there. To reject one for good, judge its trace good in the review queue.
# `history` and `generated` belong to the pipeline. Comments are kept at the very
# top of the file alone: add a field instead.
# Cases of your own belong in cases_by_hand.yaml, which the pipeline never touches.
# `tombstones`, where there are any, are ids of cases that went when a person was erased.
"""


class SuiteFileError(ValueError):
    """A suite's file cannot be read; it was left untouched."""

    def __init__(self, why: str, file: str | Path = "cases_from_prod.yaml") -> None:
        self.why = why
        super().__init__(
            f"{file}: {why}. The file was left untouched. Mend it (or put back the version "
            "before), then run the same again"
        )

    def at(self, file: Path) -> SuiteFileError:
        """The same error, which names the file by its path."""
        return SuiteFileError(self.why, file)


@dataclass(frozen=True)
class SuiteFile:
    """What a suite file holds: cases by id, in its order, and ids that are never used again."""

    cases: dict[str, dict[str, Any]]
    tombstones: frozenset[str]


def read_suite(text: str | None) -> SuiteFile:
    """Read a suite file; None or empty: no cases.

    Raises:
        SuiteFileError: naming the line or the case, and what is wrong.
    """
    try:
        body = parse_yaml(text) if text and text.strip() else None
    except BrokenYaml as error:
        raise SuiteFileError(str(error)) from None
    if body is None:
        return SuiteFile({}, frozenset())
    if not isinstance(body, dict) or not isinstance(body.get("cases"), list):
        raise SuiteFileError("expected a top-level key 'cases' that holds a list")
    cases: dict[str, dict[str, Any]] = {}
    for number, case in enumerate(body["cases"], 1):
        if not isinstance(case, dict) or not isinstance(case.get("id"), str) or not case["id"]:
            raise SuiteFileError(f"case number {number} is no mapping with an id")
        if not case["id"].isprintable():
            raise SuiteFileError(f"the id of case number {number} holds what does not print")
        if case["id"] in cases:
            raise SuiteFileError(f"the id of case number {number} stands twice")
        if not isinstance(case.get("generated", {}), dict):
            raise SuiteFileError(f"`generated` of case number {number} is no mapping")
        cases[case["id"]] = case
    stones = body.get("tombstones", [])
    if not isinstance(stones, list) or not all(isinstance(one, str) for one in stones):
        raise SuiteFileError("`tombstones` is no list of ids")
    return SuiteFile(cases, frozenset(stones))


def parse_suite(text: str | None) -> dict[str, dict[str, Any]]:
    """The cases of a suite file by id, in the file's order. See `read_suite`."""
    return read_suite(text).cases


def read_tombstones(text: str | None) -> frozenset[str]:
    """The ids in a suite file that are never used again. See `read_suite`."""
    return read_suite(text).tombstones


def read_preamble(text: str | None) -> str:
    """The comments above the pipeline's own at the top of a suite file, for they are people's."""
    kept: list[str] = []
    ours = set(_HEADER.splitlines())
    for line in (text or "").splitlines():
        if line.strip() and (not line.startswith("#") or line in ours):
            break
        kept.append(line)
    body = "\n".join(kept).strip("\n")
    return f"{body}\n" if body else ""


def render_suite(
    cases: Sequence[Mapping[str, Any]],
    tombstones: Collection[str] = frozenset(),
    preamble: str = "",
) -> str:
    """Write cases, in their order, as the text of a suite file.

    Args:
        cases: the cases.
        tombstones: ids that went with somebody and are never used again.
        preamble: comments to put on top.
    """
    body: dict[str, Any] = {"format": 1, "cases": list(cases)}
    body |= {"tombstones": sorted(tombstones)} if tombstones else {}
    return f"{preamble}{_HEADER}{write_yaml(body)}"
