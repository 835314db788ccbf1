"""What in a text may be an id, however a broken record, a note or a file's name writes it."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import Final

import orjson

__all__ = ["stands_in", "words_of"]

_STRING: Final = re.compile(r'"((?:[^"\\]|\\.){1,400})"')
_WORD: Final = re.compile(r"""[^\s"\\,;:=(){}\[\]<>']{3,400}""")
_QUOTE: Final = re.compile(r"""\\*["']""")
_ESCAPED: Final = re.compile(r'(?:\\u[0-9a-fA-F]{4})+|\\["\\/bfnrt]')
_STOPS = " \t\r\n\\,;:=(){}[]<>"  # nothing but these is no id
_LONGEST = 400  # characters of an id between two quotes
_LAYERS = 3  # JSON in a string of JSON in a string of JSON
_SHORTEST = 3  # characters of an id that is looked for in prose: shorter ones stand everywhere


def words_of(text: str, spoken: Collection[str] = ()) -> set[str]:
    """Every word, all that stands between two quotes, and those spoken that stand by themselves."""
    found = set[str]()
    for layer in _layers(text):
        found |= _words_in(layer) | {one for one in spoken if stands_in(one, layer)}
    return found


def stands_in(value: str, text: str) -> bool:
    """Whether an id stands somewhere in a text, and not as a part of a longer word."""
    if len(value) < _SHORTEST or value not in text:
        return False
    return re.search(rf"(?<![^\W_]){re.escape(value)}(?![^\W_])", text) is not None


def _layers(text: str) -> Iterator[str]:
    """A text, and what it says where it holds JSON in strings."""
    for _ in range(_LAYERS):
        yield text
        before, text = text, _ESCAPED.sub(_unescaped, text)
        if text == before:
            break


def _words_in(text: str) -> set[str]:
    """What in a text may be an id. A broken one may begin amid a string: any two quotes count."""
    between = (p for p in _QUOTE.split(text) if len(p) <= _LONGEST and p.strip(_STOPS))
    strings = (_ESCAPED.sub(_unescaped, one) for one in _STRING.findall(text))
    return {*_WORD.findall(text), *between, *strings}


def _unescaped(found: re.Match[str]) -> str:
    try:
        return str(orjson.loads(f'"{found[0]}"'))
    except orjson.JSONDecodeError:  # half a surrogate pair
        return found[0]
