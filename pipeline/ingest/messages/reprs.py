"""Python reprs (of messages, lists of them, objects around them) as plain values.

Not `ast.literal_eval`: reprs name classes and enums, and its parser can be brought down by depth.
"""

from __future__ import annotations

import re
from typing import Any

__all__ = ["parse_repr"]

_LONGEST = 8_000_000  # characters; beyond, a text is a text
_DEEPEST = 60
_START = re.compile(
    r"\s*(?:[\[({]\s*[\[({'\"]|[\[(]\s*[A-Za-z_][\w.]*\(|(?:[a-z_]\w*\.)*[A-Z]\w*\(\s*[a-z_]\w*\s*=|[a-z_]+=\S)"
)
_TOKEN = re.compile(
    r"""\s*(?:
    (?P<string>[bBrRuU]{0,2}(?:'(?:[^'\\]++|\\.)*+'|"(?:[^"\\]++|\\.)*+"))
    |(?P<number>[-+]?(?:\d[\d_]*(?:\.\d*)?(?:[eE][-+]?\d+)?|inf\b|nan\b))
    |(?P<enum><[^<>\n]{1,300}>)
    |(?P<name>[A-Za-z_][\w.]*)
    |(?P<mark>[\[\](){},:=])
    )""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPE = re.compile(r"\\(x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[0-7]{1,3}|.)", re.DOTALL)
_ESCAPED = {"n": "\n", "t": "\t", "r": "\r", "0": "\0", "a": "\a", "b": "\b", "f": "\f", "v": "\v",
            "\n": ""}  # fmt: skip
_NAMED = {"None": None, "True": True, "False": False, "null": None, "true": True, "false": False}
_TELLING = {"role", "content", "messages", "message", "choices", "parts", "blocks", "generations"}
_ENUM = re.compile(r"<[\w.]+: ['\"]([^'\"]*)['\"]>")


class _NoRepr(Exception):
    """The text is no repr after all."""


def parse_repr(text: str) -> Any:
    """The value a Python repr shows; None where a text is none.

    Objects become mappings with their class under `__class__`, tuples become lists, and what is
    not spelled out (`<object at 0x...>`) becomes None. `role='user' content='hi'` is an object.
    """
    if len(text) > _LONGEST or _START.match(text) is None:
        return None
    parser = _Parser(text)
    try:
        value = parser.whole()
    except (_NoRepr, RecursionError, ValueError, OverflowError):
        return None
    return value if isinstance(value, list | dict) else None


class _Parser:
    def __init__(self, text: str) -> None:
        self.text, self.at = text, 0

    def peek(self) -> str:
        """The next character that is no white space."""
        while self.at < len(self.text) and self.text[self.at].isspace():
            self.at += 1
        return self.text[self.at : self.at + 1]

    def take(self) -> re.Match[str]:
        match = _TOKEN.match(self.text, self.at)
        if match is None:
            raise _NoRepr
        self.at = match.end()
        return match

    def whole(self) -> Any:
        """The one value of the text, or the fields that it lists."""
        start = self.at
        first = self.take()
        if first.lastgroup == "name" and self.peek() == "=":
            self.at = start
            found = self.fields("", 0)
            if not found.keys() & _TELLING:  # a line of a log looks the same
                raise _NoRepr
            return found
        self.at = start
        value = self.value(0)
        if self.peek():
            raise _NoRepr
        return value

    def value(self, depth: int) -> Any:
        if depth > _DEEPEST:
            raise _NoRepr
        token = self.take()
        text = token.group(token.lastgroup or 0)
        if token.lastgroup == "string":
            return _string(text)
        if token.lastgroup == "number":
            return _number(text)
        if token.lastgroup == "enum":
            shown = _ENUM.fullmatch(text)
            return shown.group(1) if shown else None
        if token.lastgroup == "name":
            if self.peek() == "(":
                self.at += 1
                return {"__class__": text.rpartition(".")[2], **self.fields(")", depth)}
            return _NAMED.get(text, text)
        if text in "[(":
            return self.items("]" if text == "[" else ")", depth)
        if text == "{":
            return self.mapping(depth)
        raise _NoRepr

    def items(self, end: str, depth: int) -> list[Any]:
        found = []
        while self.peek() != end:
            found.append(self.value(depth + 1))
            if self.peek() == ",":
                self.at += 1
            elif self.peek() != end:
                raise _NoRepr
        self.at += 1
        return found

    def mapping(self, depth: int) -> Any:
        """A dict, or a set as a list."""
        pairs: dict[str, Any] = {}
        alone: list[Any] = []
        while self.peek() != "}":
            key = self.value(depth + 1)
            if self.peek() == ":":
                self.at += 1
                pairs[str(key)] = self.value(depth + 1)
            else:
                alone.append(key)
            if self.peek() == ",":
                self.at += 1
            elif self.peek() != "}":
                raise _NoRepr
        self.at += 1
        return alone if alone and not pairs else pairs

    def fields(self, end: str, depth: int) -> dict[str, Any]:
        """`name=value`, separated by commas in a call and by spaces at the top."""
        found: dict[str, Any] = {}
        alone: list[Any] = []
        while self.peek() != end:
            start = self.at
            token = self.take()
            if token.lastgroup == "name" and self.peek() == "=":
                self.at += 1
                found[token.group("name")] = self.value(depth + 1)
            elif end:
                self.at = start
                alone.append(self.value(depth + 1))
            else:
                raise _NoRepr
            if end and self.peek() == ",":
                self.at += 1
            elif end and self.peek() != end:
                raise _NoRepr
        self.at += len(end)
        return {**found, "__args__": alone} if alone else found


def _string(token: str) -> str:
    prefix = token[: min(token.find("'") % len(token), token.find('"') % len(token))].lower()
    body = token[len(prefix) + 1 : -1]
    if "\\" not in body or "r" in prefix:
        return body
    text = _ESCAPE.sub(_unescape, body)
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _unescape(match: re.Match[str]) -> str:
    code = match.group(1)
    if code in _ESCAPED:
        return _ESCAPED[code]
    if code[0] in "xuU" and len(code) > 1:
        point = int(code[1:], 16)
        return chr(point) if point < 0x110000 else "�"
    return chr(int(code, 8)) if code[0] in "01234567" else code if code in "'\"\\/" else "\\" + code


def _number(text: str) -> int | float | None:
    plain = text.replace("_", "")
    if plain.lstrip("+-").isdigit():
        return int(plain) if len(plain) < 1000 else None
    value = float(plain)
    return value if value == value and abs(value) != float("inf") else None
