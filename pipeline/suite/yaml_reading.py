"""YAML that people and merges have had in hands: safe, without aliases, every error with its line.

Only texts, numbers, booleans, null and dates are read, in mappings under texts and in lists.
PyYAML's C parser makes the nodes; they are turned into values here, which tells an alias, a tag or
a repeated key by the node and its line.
"""

from __future__ import annotations

import gc
import re
from typing import Any

import yaml

__all__ = ["BrokenYaml", "parse_yaml"]

_CONFLICT = ("<<<<<<< ", ">>>>>>> ")
_DEEPEST = 200
_LARGEST_NUMBER = 10**100  # Python writes no number of 4,300 digits out again
_NONE = object()
_NESTING = re.compile(r'"(?:[^"\\]|\\.)*+"|[\[\]{}]|^[ ?-]{800,}', re.MULTILINE | re.DOTALL)
_TAG = "tag:yaml.org,2002:"
_PLAIN = frozenset(f"{_TAG}{kind}" for kind in ("int", "float", "bool", "null", "timestamp"))
_Loader: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class BrokenYaml(ValueError):
    """Why a text cannot be read, with the line, and without a quotation of it."""


def parse_yaml(text: str) -> Any:
    """Parse one document; an empty one is None.

    Raises:
        BrokenYaml: it is no YAML, or more of it than is read: aliases, tags, keys that are no
            text or stand twice, deep nesting; or a merge was left unfinished.
    """
    for number, line in enumerate(text.split("\n"), 1):
        if line.startswith(_CONFLICT):
            raise BrokenYaml(f"line {number}: a merge that nobody has finished")
    _refuse_depth(text)
    collecting = gc.isenabled()
    gc.disable()  # nodes by the million, no garbage: to look for it takes four fifths of the time
    try:
        loader = _Loader(text)
        try:
            root = loader.get_single_node()
            return None if root is None else _Builder(loader).value(root)
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        where = _line(error.problem_mark)
        raise BrokenYaml(f"{where}: not YAML, or {_first(error.problem)}") from None
    except (yaml.YAMLError, RecursionError) as error:
        raise BrokenYaml(f"not YAML ({type(error).__name__})") from None
    finally:
        if collecting:
            gc.enable()


class _Builder:
    """Turns nodes into values, each node once: an alias is a node met again."""

    def __init__(self, loader: yaml.SafeLoader) -> None:
        self._loader = loader
        self._met: set[int] = set()

    def value(self, node: yaml.Node) -> Any:
        if id(node) in self._met:
            raise BrokenYaml(f"{_line(node.start_mark)}: aliases are not read")
        self._met.add(id(node))
        if node.tag == f"{_TAG}str":
            return node.value
        if node.tag == f"{_TAG}map" and isinstance(node, yaml.MappingNode):
            return self._mapping(node)
        if node.tag == f"{_TAG}seq" and isinstance(node, yaml.SequenceNode):
            return [self.value(item) for item in node.value]
        if node.tag in _PLAIN:
            try:
                value = self._loader.construct_object(node)
            except (ValueError, OverflowError, KeyError, AttributeError):  # PyYAML of `!!bool x`
                value = _NONE
            if value is _NONE or (isinstance(value, int) and abs(value) >= _LARGEST_NUMBER):
                raise BrokenYaml(f"{_line(node.start_mark)}: no number or date")
            return value
        raise BrokenYaml(f"{_line(node.start_mark)}: not YAML of the plain kind: a tag")

    def _mapping(self, node: yaml.MappingNode) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, held in node.value:
            if key.tag != f"{_TAG}str" or key.value in found:
                where = _line(key.start_mark)
                raise BrokenYaml(f"{where}: a key stands twice or is no text")
            found[key.value] = self.value(held)
        return found


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
            raise BrokenYaml(f"line {line}: nested more than {_DEEPEST} deep")


def _line(mark: Any) -> str:
    return f"line {mark.line + 1}" if mark is not None else "some line"


def _first(problem: str | None) -> str:
    """The parser's own words, never a quotation of the file's text."""
    return re.sub(r"'[^']*'|\"[^\"]*\"", "...", problem or "broken")[:80]
