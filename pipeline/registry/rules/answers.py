"""Kinds of rules about answers: their form, language, sources and secrets."""

from __future__ import annotations

from typing import Final, Literal, Self

import re2
from pydantic import Field, field_validator, model_validator

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

# those that py3langid tells apart, by ISO 639-1
_LANGUAGES: Final = frozenset(
    """
    ace af am an ar ary arz as az ba bcl be bg bn br bs ca crh cs cy da de dz el en eo es et
    eu ext fa fi fo fr fuv fy ga gcf gcr gd gl gom grc gu gug guw ha hbo he hi hr ht hu hy
    id ig is it ja jv ka kab kik kk km kn ko ku ky la lb lg lij ln lo lt ltg lv mg mk ml mn
    mr ms mt my ne nl nn no nso oc om or pa pcm pl ps pt qu ro ru rw sa sdh se si sk sl sn
    so sq sr st sv sw ta te tg th tk tl tr tt ug uk ur uz uzs vec vi vo wa wuu xh yo yue zh
    zu zxx
    """.split()  # noqa: SIM905 - a table of 142 quoted words is no easier to read
)


class Citation(Parameters):
    """Cited sources were retrieved (`exists`), say so (`holds`), are there if due (`present`)."""

    kind: Literal["citation"] = "citation"
    demand: Literal["exists", "holds", "present"]
    pattern: Pattern = Field(r"\[([A-Z]{2,6}-\d{1,8})\]", description="its one group is the id")

    @field_validator("pattern")
    @classmethod
    def _has_one_group(cls, pattern: str) -> str:
        if re2.compile(pattern).groups != 1:
            raise ValueError("the pattern needs one group, the id: 'HC-1' is found by '(HC-\\d+)'")
        return pattern


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

    @field_validator("languages")
    @classmethod
    def _are_known(cls, languages: tuple[str, ...]) -> tuple[str, ...]:
        unknown = sorted(set(languages) - _LANGUAGES)
        if unknown or len(languages) < 2:
            raise ValueError(f"two languages or more of {' '.join(sorted(_LANGUAGES))}")
        return languages


class LeakedPrompt(Parameters):
    """The answer does not recite the system prompt."""

    kind: Literal["leaked_prompt"] = "leaked_prompt"
    words: int = Field(12, ge=5, description="as many words in a row are a recital")


class Phrases(Parameters):
    """Answers hold every required pattern (at least once) and none that is forbidden."""

    kind: Literal["phrases"] = "phrases"
    forbidden: tuple[Pattern, ...] = ()
    required: tuple[Pattern, ...] = ()

    @model_validator(mode="after")
    def _one_at_least(self) -> Self:
        if not (self.forbidden or self.required):
            raise ValueError("give forbidden, required or both")
        return self


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
