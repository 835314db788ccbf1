"""YAML of one plain form: block style, every string in double quotes, nothing to be guessed.

Whatever does not print (control, format and bidi characters, odd spaces, private and unassigned
ones) is escaped. PyYAML's own writer takes 3.8 s of processor time for 2,000 cases where this takes
0.2, and leaves such characters as they are; its quick one does too. Reading is PyYAML's.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

import yaml

__all__ = ["write_yaml"]

_PLAIN_KEY = re.compile(r"[a-z][a-z0-9_]*")
_WORDS = {"y", "n", "yes", "no", "on", "off", "true", "false", "null"}
_SHORT = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r", "\0": "\\0"}
_LONGEST_KEY = 120  # a longer one is written as "? key", for readers look no further than 1,024


def write_yaml(value: Any) -> str:
    """Write mappings, lists, texts, numbers, booleans and null; dates as PyYAML does."""
    return "\n".join(_lines(value)) + "\n"


def _lines(value: Any) -> list[str]:
    """The lines of a value, the first of which may go on after a dash."""
    lines: list[str] = []
    if isinstance(value, dict) and value:
        for name, held in value.items():
            key = _key(name)
            if len(key) > _LONGEST_KEY:
                first, *rest = _lines(held)
                lines += [f"? {key}", f": {first}", *(f"  {line}" for line in rest)]
            elif isinstance(held, dict) and held:
                lines += [f"{key}:", *(f"  {line}" for line in _lines(held))]
            elif isinstance(held, list | tuple) and held:
                lines += [f"{key}:", *_lines(held)]
            else:
                lines.append(f"{key}: {_scalar(held)}")
        return lines
    if isinstance(value, list | tuple) and value:
        for item in value:
            first, *rest = _lines(item)
            lines += [f"- {first}", *(f"  {line}" for line in rest)]
        return lines
    return [_scalar(value)]


def _key(name: Any) -> str:
    text = str(name)
    return text if _PLAIN_KEY.fullmatch(text) and text not in _WORDS else _quoted(text)


def _scalar(value: Any) -> str:
    if isinstance(value, str):
        return _quoted(value)
    if isinstance(value, dict):
        return "{}"
    if isinstance(value, list | tuple):
        return "[]"
    dumped: str = yaml.safe_dump(value, width=2**31 - 1)
    return dumped.removesuffix("...\n").rstrip("\n")


def _quoted(text: str) -> str:
    if text.isascii() and text.isprintable() and '"' not in text and "\\" not in text:
        return f'"{text}"'
    return f'"{"".join(map(_escape, text))}"'


@lru_cache(maxsize=4096)
def _escape(char: str) -> str:
    if short := _SHORT.get(char):
        return short
    code = ord(char)
    if 0xD800 <= code <= 0xDFFF:
        return "\\uFFFD"  # half a character, which no reader takes
    if char.isprintable():
        return char
    if code <= 0xFF:
        return f"\\x{code:02X}"
    return f"\\u{code:04X}" if code <= 0xFFFF else f"\\U{code:08X}"
