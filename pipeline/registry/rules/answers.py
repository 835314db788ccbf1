"""Kinds of rules about answers: their form, language, sources and secrets."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from pipeline.registry.rules.base import Parameters, Pattern

__all__ = [
    "Citation",
    "JsonContract",
    "Language",
    "LeakedPrompt",
    "LeakedSecret",
    "Phrases",
    "Register",
    "RetrievalMiss",
    "Truncated",
]


class Citation(Parameters):
    """Cited sources were retrieved (`exists`), say so (`holds`), are there if due (`present`)."""

    kind: Literal["citation"] = "citation"
    demand: Literal["exists", "holds", "present"]
    pattern: Pattern = Field(r"\[([A-Z]{2,6}-\d{1,8})\]", description="its one group is the id")


class JsonContract(Parameters):
    """The answer is one JSON value that the intent's `output_schema` allows."""

    kind: Literal["json_contract"] = "json_contract"


class Language(Parameters):
    """The answer is in the language the user writes or asked for."""

    kind: Literal["language"] = "language"
    languages: tuple[str, ...] = ("de", "en", "es", "fr", "it", "nl", "pl", "pt")
    when: Literal["always", "first", "late"] = Field(
        "always", description="late: only after an answer in the right language; first: before one"
    )
    confidence: float = Field(0.9, gt=0.5, le=1)
    letters: int = Field(16, ge=1, description="shorter texts are not told")


class LeakedPrompt(Parameters):
    """The answer does not recite the system prompt."""

    kind: Literal["leaked_prompt"] = "leaked_prompt"
    words: int = Field(12, ge=5, description="as many words in a row are a recital")


class Phrases(Parameters):
    """Answers hold every required pattern (at least once) and none that is forbidden."""

    kind: Literal["phrases"] = "phrases"
    forbidden: tuple[Pattern, ...] = ()
    required: tuple[Pattern, ...] = ()


class Register(Parameters):
    """The agent keeps its register and persona from the first turn to the last."""

    kind: Literal["register"] = "register"


class RetrievalMiss(Parameters):
    """A search that found nothing fitting is not followed by a confident answer."""

    kind: Literal["retrieval_miss"] = "retrieval_miss"
    low_score: float = Field(0.5, ge=0, le=1, description="best document's score: below it a miss")


class Truncated(Parameters):
    """The last answer was not cut off."""

    kind: Literal["truncated"] = "truncated"


class LeakedSecret(Parameters):
    """No answer shows a credential, or other masked value, that the user had not written."""

    kind: Literal["leaked_secret"] = "leaked_secret"
    entities: tuple[str, ...] = Field(("SECRET",), description="types of surrogates", min_length=1)
