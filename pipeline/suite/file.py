"""The suite's YAML file: read with care, written so that hostile text stays text.

Every string is double-quoted, and whatever does not print (control, format and bidi characters,
odd spaces, private and unassigned ones) is escaped. Reading uses the safe loader, refuses aliases
and repeated keys, and never touches the file: a broken file stops the step before it writes.
Comments at the very top, above ours, are kept (a licence, a line for an editor); others are not.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

__all__ = [
    "SuiteFileError",
    "parse_suite",
    "read_preamble",
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
# `history` and `generated` belong to the pipeline. Comments are kept above this line block alone:
# add a field instead.
# Cases of your own belong in cases_by_hand.yaml, which the pipeline never touches.
# `tombstones`, where there are any, are ids of cases that went when a person was erased.
"""
_CONFLICT = ("<<<<<<< ", ">>>>>>> ")
_DEEPEST = 200
_NESTING = re.compile(r'"(?:[^"\\]|\\.)*+"|[\[\]{}]|^[ ?-]{800,}', re.MULTILINE | re.DOTALL)
_PLAIN_KEY = re.compile(r"[a-z][a-z0-9_]*")
_WORDS = {"y", "n", "yes", "no", "on", "off", "true", "false", "null"}
_SHORT = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r", "\0": "\\0"}


class SuiteFileError(ValueError):
    """A suite's file cannot be read; it was left untouched."""

    def __init__(self, why: str, file: str | Path = "cases_from_prod.yaml") -> None:
        self.why = why
        super().__init__(
            f"{file}: {why}. The file was left untouched. Mend it (or put back the version "
            "before), then run the same again, or: make publish"
        )

    def at(self, file: Path) -> SuiteFileError:
        """The same error, which names the file by its path."""
        return SuiteFileError(self.why, file)


def parse_suite(text: str | None) -> dict[str, dict[str, Any]]:
    """Read the cases of a suite file by id, in the file's order; None or empty: no cases.

    Raises:
        SuiteFileError: naming the line or the case, and what is wrong.
    """
    if text is None or not text.strip():
        return {}
    body = _load(text)
    if body is None:
        return {}
    if not isinstance(body, dict) or not isinstance(body.get("cases"), list):
        raise SuiteFileError("expected a top-level key 'cases' that holds a list")
    cases: dict[str, dict[str, Any]] = {}
    for number, case in enumerate(body["cases"], 1):
        if not isinstance(case, dict) or not isinstance(case.get("id"), str) or not case["id"]:
            raise SuiteFileError(f"case number {number} is no mapping with an id")
        if case["id"] in cases:
            raise SuiteFileError(f"the id of case number {number} stands twice")
        if not isinstance(case.get("generated", {}), dict):
            raise SuiteFileError(f"`generated` of case number {number} is no mapping")
        cases[case["id"]] = case
    return cases


def read_tombstones(text: str | None) -> frozenset[str]:
    """The ids in a suite file that are never used again.

    Raises:
        SuiteFileError: the file cannot be read, or they are no list of texts.
    """
    body = _load(text) if text and text.strip() else None
    found = body.get("tombstones", []) if isinstance(body, dict) else []
    if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
        raise SuiteFileError("`tombstones` is no list of ids")
    return frozenset(found)


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
    dumped: str = yaml.dump(
        body, Dumper=_Dumper, sort_keys=False, width=2**31 - 1, allow_unicode=True
    )
    return preamble + _HEADER + dumped


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """The safe loader, refusing a key that stands twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[Any] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if not isinstance(key, str) or key in seen:
                raise yaml.MarkedYAMLError(
                    problem="a key stands twice or is no text", problem_mark=key_node.start_mark
                )
            seen.add(key)
        mapping: dict[Any, Any] = super().construct_mapping(node, deep)
        return mapping


def _load(text: str) -> Any:
    for number, line in enumerate(text.split("\n"), 1):
        if line.startswith(_CONFLICT):
            raise SuiteFileError(f"line {number}: a merge that nobody has finished")
    _refuse_depth(text)
    try:
        loader = _Loader(text)
        try:
            root = loader.get_single_node()
            _refuse_aliases(root)
            return None if root is None else loader.construct_document(root)
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        where = _line(error.problem_mark)
        raise SuiteFileError(f"{where}: not YAML, or {_first(error.problem)}") from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        if isinstance(error, SuiteFileError):
            raise
        raise SuiteFileError(f"not YAML ({type(error).__name__})") from None


def _refuse_depth(text: str) -> None:
    """The parser written in C calls itself for each level, and dies of 50,000 without a word.

    Brackets are counted outside of double quotes, and a line cannot be deeper than what it starts
    with; other quotes and prose are counted with, which the limit leaves room for.
    """
    depth = 0
    for found in _NESTING.finditer(text):
        one = found.group()
        if one[0] in "[{":
            depth += 1
        elif one[0] in "]}":
            depth = max(depth - 1, 0)
        if depth > _DEEPEST or (one[0] in " -?" and len(one) > 4 * _DEEPEST):
            line = text.count("\n", 0, found.start()) + 1
            raise SuiteFileError(f"line {line}: nested more than {_DEEPEST} deep")


def _refuse_aliases(root: yaml.Node | None) -> None:
    """Aliases share one node, and a few levels of them swell to gigabytes."""
    seen: set[int] = set()
    left = [] if root is None else [root]
    while left:
        node = left.pop()
        if id(node) in seen:
            raise SuiteFileError(f"{_line(node.start_mark)}: aliases are not read")
        seen.add(id(node))
        if isinstance(node, yaml.MappingNode):
            left += [part for pair in node.value for part in pair]
        elif isinstance(node, yaml.SequenceNode):
            left += node.value


def _line(mark: Any) -> str:
    return f"line {mark.line + 1}" if mark is not None else "some line"


def _first(problem: str | None) -> str:
    """The parser's own words, never a quotation of the file's text."""
    return re.sub(r"'[^']*'|\"[^\"]*\"", "...", problem or "broken")[:80]


class _Dumper(yaml.SafeDumper):
    """Double-quotes every string and escapes what does not print."""

    def ignore_aliases(self, data: Any) -> bool:
        return True

    def write_double_quoted(self, text: str, split: bool = True) -> None:
        self.write_indicator(f'"{_escape(text)}"', True)


def _represent_text(dumper: _Dumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style='"')


def _represent_mapping(dumper: _Dumper, mapping: dict[str, Any]) -> yaml.MappingNode:
    pairs = []
    for key, value in mapping.items():
        plain = isinstance(key, str) and _PLAIN_KEY.fullmatch(key) and key not in _WORDS
        style = None if plain else '"'
        node = dumper.represent_scalar("tag:yaml.org,2002:str", str(key), style=style)
        pairs.append((node, dumper.represent_data(value)))
    return yaml.MappingNode("tag:yaml.org,2002:map", pairs, flow_style=not mapping)


_Dumper.add_representer(str, _represent_text)
_Dumper.add_representer(dict, _represent_mapping)


@lru_cache(maxsize=4096)
def _escape_one(char: str) -> str:
    if short := _SHORT.get(char):
        return short
    code = ord(char)
    if char.isprintable():
        return char
    if code <= 0xFF:
        return f"\\x{code:02X}"
    return f"\\u{code:04X}" if code <= 0xFFFF else f"\\U{code:08X}"


def _escape(text: str) -> str:
    if text.isascii() and text.isprintable() and '"' not in text and "\\" not in text:
        return text
    return "".join(map(_escape_one, text))
