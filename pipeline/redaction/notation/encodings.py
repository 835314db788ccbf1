"""Text inside text: find what a string holds in another notation, and write it back the same way.

JSON and Python literals inside prose, query strings, percent encoding, HTML entities, hexadecimal
and base64 (also in `data:` URIs and as a step of a URL). Whatever does not decode to readable
text is left alone, so hashes, keys, images and tracking numbers stay what they are.
"""

from __future__ import annotations

import base64
import binascii
import html
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Final
from urllib.parse import quote, unquote, unquote_plus

from pipeline.redaction.notation.literals import Literal, find_literals

__all__ = ["Encoded", "find_encoded"]

_VALUE: Final = r"[^\s&#\"'<>\x00]"
_QUERY: Final = re.compile(
    rf"(?:(?<=[?&])|\A(?=[\w.\-]{{1,40}}={_VALUE}*&[\w.\-]{{1,40}}=))"
    rf"(?P<key>[A-Za-z_][\w.\-\[\]]{{0,40}})=(?P<value>{_VALUE}{{2,}})"
)
# tokens first, then what is in them: a pattern that begins with "anything" would be quadratic
_STEP: Final = re.compile(r"[^\s\"'<>&=?#]+")
_PERCENT: Final = re.compile(r"%[0-9A-Fa-f]{2}")
_RUN: Final = re.compile(r"[^\s<>\"'=]+")
_ENTITY: Final = re.compile(r"&(?:\#\d{2,7}|\#[xX][0-9a-fA-F]{2,6}|[A-Za-z]{2,10});")
_BASE64: Final = re.compile(
    r"(?:[A-Za-z0-9+/]{60,76}\r?\n){0,9000}(?:[A-Za-z0-9+/_\-]{14,}|[A-Za-z0-9+/_\-]{7,}(?==))={0,2}"
)
_PIECE: Final = re.compile(r"[A-Za-z0-9+]{14,}={0,2}|[A-Za-z0-9+]{7,}={1,2}")
_HEX: Final = re.compile(
    r"(?:(?<=[\\0]x)|(?<![0-9A-Za-z]))(?:[2-7][0-9a-fA-F]|[89a-fA-F][0-9a-fA-F]|0[9aAdD]){8,}"
    r"(?![0-9A-Za-z])"
)
_SPACES: Final = dict.fromkeys(map(ord, "\n\r\t\xa0\u200b\u200c\u200d\u2060\ufeff"))
_LETTERS: Final = re.compile(r"[^\W\d_]{2}")


@dataclass(frozen=True, eq=False)
class Encoded:
    """Characters `start` to `end` of a text hold `value` in another notation.

    Attributes:
        value: the decoded value: a text, or what a literal holds.
        write: writes such a value in the notation that was found.
        key: the name that a query string gives the value.
        literal: whether it is JSON or a Python literal: no detector reads its source text.
        opaque: whether its source text is no words, which would lead the name model astray.
    """

    start: int
    end: int
    value: Literal
    write: Callable[[Literal], str]
    key: str | None = None
    literal: bool = False
    opaque: bool = False


def find_encoded(text: str) -> list[Encoded]:
    """Find what `text` holds in other notations: in order, apart, the outermost of each."""
    found: list[Encoded] = [Encoded(*one, literal=True) for one in find_literals(text)]
    for finder in (_queries, _percents, _entities, _hexes, _base64s):
        taken = found
        found = sorted([*taken, *_apart(finder(text), taken)], key=lambda one: one.start)
    return found


def _apart(new: Iterator[Encoded], taken: list[Encoded]) -> Iterator[Encoded]:
    """Those of `new` that overlap none of `taken`; both are in order."""
    left = iter(taken)
    current = next(left, None)
    for one in new:
        while current is not None and current.end <= one.start:
            current = next(left, None)
        if current is None or one.end <= current.start:
            yield one


def _queries(text: str) -> Iterator[Encoded]:
    if "=" not in text:
        return
    for match in _QUERY.finditer(text):
        value = _readable(unquote_plus, match["value"])
        if value is not None:
            yield Encoded(
                match.start("value"),
                match.end("value"),
                value,
                partial(_write_query, like=match["value"]),
                key=match["key"],
            )


def _percents(text: str) -> Iterator[Encoded]:
    if not _PERCENT.search(text):
        return
    for match in _STEP.finditer(text):
        if _PERCENT.search(match[0]) and (value := _readable(unquote, match[0])) is not None:
            yield Encoded(*match.span(), value, partial(_write_percent, like=match[0]))


def _entities(text: str) -> Iterator[Encoded]:
    if not _ENTITY.search(text):
        return
    for match in _RUN.finditer(text):
        if _ENTITY.search(match[0]) and _LETTERS.search(value := html.unescape(match[0])):
            yield Encoded(*match.span(), value, _write_entities)


def _base64s(text: str) -> Iterator[Encoded]:
    for match in _BASE64.finditer(text):
        value = _decode_base64(match[0])
        if value is not None:
            yield Encoded(*match.span(), value, partial(_write_base64, like=match[0]), opaque=True)
        else:  # a step of a URL, or a part of an id: `/u/YWRh.../edit`
            for piece in _PIECE.finditer(text, *match.span()):
                value = _decode_base64(piece[0])
                if value is not None:
                    yield Encoded(
                        *piece.span(), value, partial(_write_base64, like=piece[0]), opaque=True
                    )


def _hexes(text: str) -> Iterator[Encoded]:
    for match in _HEX.finditer(text):
        try:
            value = bytes.fromhex(match[0]).decode()
        except UnicodeDecodeError:
            continue
        if _LETTERS.search(value) and _is_text(value):
            yield Encoded(*match.span(), value, _write_hex, opaque=True)


def _readable(decode: Callable[..., str], text: str) -> str | None:
    try:
        value = decode(text, errors="strict")
    except UnicodeDecodeError:
        return None
    return value if _is_text(value) else None


def _decode_base64(text: str) -> str | None:
    bare = re.sub(r"\s", "", text).rstrip("=").translate(str.maketrans("-_", "+/"))
    if len(bare) % 4 == 1:
        return None
    try:
        value = base64.b64decode(bare + "=" * (-len(bare) % 4), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None
    return value if _LETTERS.search(value) and _is_text(value) else None


def _is_text(value: str) -> bool:
    """Bytes that happen to be UTF-8 hold control characters sooner or later; text does not."""
    return value.translate(_SPACES).isprintable()


def _write_query(value: Literal, like: str) -> str:
    written = _write_percent(value, like)
    return written if "%20" in like else written.replace("%20", "+")


def _write_percent(value: Literal, like: str) -> str:
    """Escape what was escaped, and leave signs that stood there plainly."""
    return quote(str(value), safe="".join(sign for sign in "@:/,;~!*()'$" if sign in like))


def _write_entities(value: Literal) -> str:
    return html.escape(str(value))


def _write_hex(value: Literal) -> str:
    return str(value).encode().hex()


def _write_base64(value: Literal, like: str) -> str:
    """Keep alphabet, padding and the width of lines; where they do not show, the usual ones."""
    bare = re.sub(r"\s", "", like)
    url_safe = bool(re.search(r"[-_]", bare)) or (
        len(bare) % 4 != 0 and not re.search("[+/]", bare)
    )
    encode = base64.urlsafe_b64encode if url_safe else base64.b64encode
    text = encode(str(value).encode()).decode()
    text = text if len(bare) % 4 == 0 else text.rstrip("=")
    first, newline, _ = like.partition("\n")
    if not newline:
        return text
    width = len(first.rstrip("\r"))
    end = "\r\n" if first.endswith("\r") else "\n"
    return end.join(text[at : at + width] for at in range(0, len(text), width))
