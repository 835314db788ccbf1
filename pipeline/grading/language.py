"""The language a text is written in, or None where it does not say enough."""

from __future__ import annotations

import re
from functools import cache, lru_cache
from typing import Any, Final

from pipeline.grading.lexicons import LANGUAGES, words
from pipeline.redaction.replacement.surrogates import SURROGATE

__all__ = ["detect_language", "likely_language", "requested_language"]

_NOISE: Final = re.compile(
    r"https?://\S+|(?<!\S)\S+@\S+|\[[^\[\]]*\]|`[^`]*`|\"[^\"\n]{1,60}\"|\b\w*[\d_]\w*\b|\b[A-Z]{2,}\b"
)
_NAMES: Final[dict[str, str]] = {
    "en": "english|englisch|anglais|inglés|ingles|inglese",
    "de": "german|deutsch|allemand|alemán|aleman|tedesco",
    "fr": "french|französisch|français|francais|francés|frances|francese",
    "es": "spanish|spanisch|espagnol|español|espanol|spagnolo",
    "it": "italian|italienisch|italien|italiano",
    "nl": "dutch|niederländisch|néerlandais|neerlandés|holandés|olandese",
    "pl": "polish|polnisch|polonais|polaco|polacco",
    "pt": "portuguese|portugiesisch|portugais|portugués|portoghese",
}
_REQUEST: Final = {
    code: re.compile(rf"\b(?:in|auf|en|into|to)\s+(?:{names})\b", re.IGNORECASE)
    for code, names in _NAMES.items()
}
_ABOUT_DOCUMENTS: Final = re.compile(
    r"manual|instructions|label|version|edition|book|handbuch|anleitung|manuel|libro|manuale",
    re.IGNORECASE,
)


@lru_cache(maxsize=4_096)
def detect_language(
    text: str, languages: tuple[str, ...], confidence: float, letters: int
) -> str | None:
    """Tell the language of `text` among `languages`, by py3langid.

    Ids, surrogates, quotations, capitals and code are left out. The language is named only
    where at least `letters` letters remain, the model is at least `confidence` sure, and, for
    languages with a list of function words, two of them occur and no other list has more.
    """
    plain = " ".join(_NOISE.sub(" ", SURROGATE.sub(" ", text)).split())
    if text.lstrip()[:1] in ("{", "[") or sum(map(str.isalpha, plain)) < letters:
        return None
    language, probability = _rank(plain[:2000], languages)
    if probability < confidence:
        return None
    return language if _function_words_agree(plain, language) else None


def likely_language(text: str, languages: tuple[str, ...]) -> str | None:
    """The best guess for a text of any length: fit to let a doubt stand, not to accuse."""
    plain = " ".join(_NOISE.sub(" ", SURROGATE.sub(" ", text)).split())
    return _rank(plain[:2000], languages)[0] if sum(map(str.isalpha, plain)) >= 4 else None


@lru_cache(maxsize=4_096)
def requested_language(text: str) -> str | None:
    """The language that the user asks to be answered in, if one is named that way."""
    for code, pattern in _REQUEST.items():
        match = pattern.search(text)
        if match:
            nearby = text[max(0, match.start() - 40) : match.end() + 20]
            if not _ABOUT_DOCUMENTS.search(nearby):
                return code
    return None


def _function_words_agree(text: str, language: str) -> bool:
    if language not in LANGUAGES:
        return True
    tokens = [token.strip(".,;:!?¿¡()").lower() for token in text.split()]
    counts = {
        code: sum(token in words(code, "function_words") for token in tokens) for code in LANGUAGES
    }
    return counts[language] >= 2 and counts[language] == max(counts.values())


@lru_cache(maxsize=16_384)
def _rank(text: str, languages: tuple[str, ...]) -> tuple[str, float]:
    name, probability = _identifier(languages).classify(text)
    return str(name), float(probability)


@cache
def _identifier(languages: tuple[str, ...]) -> Any:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    identifier.set_languages(list(languages))
    return identifier
