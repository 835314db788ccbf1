"""Words that show what a sentence does, in English, German, French, Spanish and Italian.

The words themselves are data: `vocabulary/<language>.yaml`. Each lexicon is one compiled pattern
over all languages, since what users write mixes them. One that does not match shows nothing: the
graders treat silence as no evidence.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache
from pathlib import Path
from typing import Final

from pipeline.ids import digest
from pipeline.registry.loading import read_yaml

__all__ = ["LANGUAGES", "lexicon", "phrases", "says", "vocabulary_digest", "words"]

LANGUAGES: Final = ("en", "de", "fr", "es", "it")
_FOLDER: Final = Path(__file__).parent / "vocabulary"


def says(text: str, *names: str) -> bool:
    """Whether `text` holds a phrase of one of the lexicons `names`."""
    return any(_holds(text, name) for name in names)


@lru_cache(maxsize=8_192)
def _holds(text: str, name: str) -> bool:
    """Several rules and axes ask the same of one text."""
    return lexicon(name).search(text.replace("’", "'")) is not None


@cache
def lexicon(name: str) -> re.Pattern[str]:
    """The compiled lexicon `name`: its phrases as whole words, in any language and case."""
    alternatives = "|".join(phrase for code in LANGUAGES for phrase in phrases(code, name))
    return re.compile(rf"(?<!\w)(?:{alternatives})(?!\w)", re.IGNORECASE)


@cache
def words(language: str, name: str) -> frozenset[str]:
    """The plain words of a list such as `function_words` in one language."""
    return frozenset(phrases(language, name))


def phrases(language: str, name: str) -> tuple[str, ...]:
    """The patterns of one lexicon in one language; none where the language has no such list."""
    return tuple(_vocabulary(language).get(name, ()))


@cache
def vocabulary_digest() -> str:
    """A digest of all words, part of the identity of every grader that reads them."""
    return digest({code: _vocabulary(code) for code in LANGUAGES})


@cache
def _vocabulary(language: str) -> dict[str, list[str]]:
    body: dict[str, list[str]] = read_yaml(_FOLDER / f"{language}.yaml")
    return body
