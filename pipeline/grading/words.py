"""Content words and questions of a text, without a model."""

from __future__ import annotations

import re
import unicodedata
from functools import cache, lru_cache
from typing import Final

from pipeline.grading.lexicons import LANGUAGES, phrases, words
from pipeline.redaction.replacement.surrogates import SURROGATE

__all__ = ["content_words", "sentences", "split_requests", "visible"]

_WORD: Final = re.compile(r"[^\W\d_]{4,}")
_REQUEST_SPLIT: Final = re.compile(r"(?<=[?!.])\s+|\n+|;\s+")


@lru_cache(maxsize=8_192)
def content_words(text: str) -> frozenset[str]:
    """The stems (six letters, lower case) of words of four letters or more that say something."""
    found = _WORD.findall(SURROGATE.sub(" ", text).lower())
    return frozenset(word[:6] for word in found if word not in _silent())


@cache
def _silent() -> frozenset[str]:
    return frozenset().union(*(words(code, "function_words") for code in LANGUAGES))


def sentences(text: str) -> list[str]:
    """The sentences of a text; a number's point ends none."""
    return [part for part in re.split(r"(?<=[.!?])\s+|\n+", text) if part.strip()]


def split_requests(text: str) -> list[str]:
    """The separate things a user asks in one message, in order; greetings and remarks left out.

    Every part of a sentence with a question mark is one; of other sentences, those that begin
    as requests do.
    """
    found = []
    for sentence in _REQUEST_SPLIT.split(text):
        parts = [part.strip() for part in _joint().split(sentence) if part and part.strip()]
        asks = "?" in sentence
        found += [part for part in parts if _is_request(part, asks)]
    return found


def _is_request(part: str, asks: bool) -> bool:
    if asks:
        return len(part.split()) >= 3
    return bool(_asks().search(part)) and bool(content_words(part))


@cache
def _joint() -> re.Pattern[str]:
    """A joining word before a word that opens a request of the same language."""
    pairs = []
    for code in LANGUAGES:
        joins, opens = ("|".join(phrases(code, name)) for name in ("joins", "opens_request"))
        pairs.append(rf"(?:{joins})\s+(?=(?:{opens})\b)")
    return re.compile(rf",?\s+(?:{'|'.join(pairs)})", re.IGNORECASE)


@cache
def _asks() -> re.Pattern[str]:
    opens = "|".join(p for code in LANGUAGES for p in phrases(code, "opens_request"))
    return re.compile(rf"\?|^\W*(?:{opens})\b", re.IGNORECASE)


def visible(text: str) -> str:
    """Compatibility forms folded and invisible characters dropped, so that they hide nothing."""
    if text.isascii():
        return text
    folded = unicodedata.normalize("NFKC", text)
    return "".join(c for c in folded if unicodedata.category(c) != "Cf")
