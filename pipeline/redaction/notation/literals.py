"""JSON and Python literals: read strictly, found inside prose, and written back in their style."""

from __future__ import annotations

import ast
import json
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Final, TypeAlias

__all__ = ["Literal", "find_literals", "parse_json", "write_json"]

Literal: TypeAlias = "bool | int | float | str | Sequence[Literal] | Mapping[str, Literal] | None"
Found: TypeAlias = tuple[int, int, Literal, Callable[[Literal], str]]

_OPENS: Final = re.compile(r'"(?=[\[{]\\?["\[{}\]])|[\[{]')
_TOKEN: Final = re.compile(r"\\.|[\[\]{}'\"\n]", re.DOTALL)
_LARGEST_PYTHON: Final = 50_000
_DEEPEST_PYTHON: Final = 40
_STYLES: Final = tuple(
    (separators, ascii_only, indent)
    for indent in (None, 2, 4, 1, "\t")
    for separators in (((", ", ": "), (",", ":")) if indent is None else ((",", ": "),))
    for ascii_only in (True, False)
)


def parse_json(text: str) -> Literal:
    """Read JSON text, refusing what a copy could not give back.

    Raises:
        ValueError: not JSON, a key that stands twice in an object, NaN, an infinite number.
        RecursionError: nested too deeply.
    """
    return _DECODER.decode(text)  # type: ignore[no-any-return]


def write_json(value: Literal, like: str) -> str:
    """Write `value` as JSON in the style of the text `like`: separators, indent, escapes."""
    before = parse_json(like)
    margin = len(like) - len(like.lstrip())
    bare = like.strip()
    style = _STYLES[1]
    for tried in _STYLES:
        if _dump(before, tried) == bare:
            style = tried
            break
    return like[:margin] + _dump(value, style) + like[margin + len(bare) :]


def find_literals(text: str) -> Iterator[Found]:
    """Yield (start, end, value, writer) of the objects and arrays that stand in a text.

    Only what holds a quoted string counts: `[1]` and `[HC-101]` are marks of a writer. Effort
    is bounded: a text that opens brackets without end is given up, and read as prose.
    """
    position, effort = 0, 4 * len(text) + 20_000
    while effort > 0 and (opened := _OPENS.search(text, position)):
        start = opened.start()
        found, cost = _read_json(text, start)
        if found is None and text[start] != '"':
            found, more = _read_python(text, start)
            cost += 4 * more
        effort -= cost + 50
        if found is None:
            position = start + 1
        else:
            yield found
            position = found[1]


def _read_json(text: str, start: int) -> tuple[Found | None, int]:
    try:
        value, end = _DECODER.raw_decode(text, start)
    except json.JSONDecodeError as error:
        return None, max(1, error.pos - start)
    except (ValueError, RecursionError):
        return None, len(text) - start
    source = text[start:end]
    if '"' not in source or (isinstance(value, str) and value.lstrip()[:1] not in ("{", "[")):
        return None, 1
    return (start, end, value, partial(write_json, like=source)), end - start


def _read_python(text: str, start: int) -> tuple[Found | None, int]:
    """Read what `repr` made of a dict or list; only what JSON could hold as well."""
    end, cost = _end_of(text, start)
    source = text[start:end]
    if end == start or ("'" not in source and '"' not in source):
        return None, cost
    try:
        value = ast.literal_eval(source)
    except (ValueError, SyntaxError, MemoryError, RecursionError, TypeError):
        return None, cost + len(source)
    if not _is_plain(value) or repr(value) != source:
        return None, cost + len(source)
    return (start, end, value, repr), cost + len(source)


def _end_of(text: str, start: int) -> tuple[int, int]:
    """Where the bracket at `start` closes (`start` if it does not), and how far was read."""
    depth, quote = 0, ""
    for token in _TOKEN.finditer(text, start, start + _LARGEST_PYTHON):
        sign = token[0]
        if quote:
            quote = "" if sign in (quote, "\n") else quote
        elif sign in "'\"":
            quote = sign
        elif sign in "[{":
            depth += 1
        elif sign in "]}":
            depth -= 1
            if depth == 0:
                return token.end(), token.end() - start
        if depth > _DEEPEST_PYTHON:
            return start, token.end() - start
    return start, min(len(text) - start, _LARGEST_PYTHON)


def _is_plain(value: object) -> bool:
    if type(value) is dict:
        return all(type(key) is str and _is_plain(item) for key, item in value.items())
    if type(value) is list:
        return all(map(_is_plain, value))
    return value is None or type(value) in (str, int, float, bool)


def _dump(value: Literal, style: tuple[tuple[str, str], bool, int | str | None]) -> str:
    separators, ascii_only, indent = style
    return json.dumps(value, separators=separators, ensure_ascii=ascii_only, indent=indent)


def _unique(pairs: list[tuple[str, Literal]]) -> dict[str, Literal]:
    """Refuse an object that names a key twice: a copy would drop the first value."""
    if len({key for key, _ in pairs}) != len(pairs):
        raise ValueError("a key twice")
    return dict(pairs)


def _refuse(constant: str) -> Literal:
    raise ValueError("not JSON: a constant of JavaScript")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("a number out of range")
    return number


_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_unique, parse_constant=_refuse, parse_float=_finite
)
