"""Gates: what keeps a detector's guess from masking order numbers, amounts and cities."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final

from pipeline.redaction.detection.addresses import ADDRESS_PARTS, assemble
from pipeline.redaction.policy.model import PiiPolicy
from pipeline.redaction.spans import TITLE, Span

__all__ = ["gate"]

_CITED: Final = re.compile(r"\[?[A-Z]{1,6}-?\d{1,7}[A-Z]?\]?")
_CODE: Final = re.compile(r"[A-Z0-9]{1,6}")  # airports, reservations, tickers
_AIRPORT_NEXT: Final = re.compile(r"\s?\(?[A-Z]{3}\)")
_AND: Final = re.compile(r"\s(?:and|or|&|und|oder|et|ou|y|e)\s(?:[a-z]{2,12}\s)?")
_BOLD: Final = 0.5
_CAPITAL_NEXT: Final = re.compile(r"[ ][A-ZÀ-ÖØ-Þ]")
_CAPITAL_BEFORE: Final = re.compile(r"[A-ZÀ-ÖØ-Þ][\w'’\-]*[ ]$")
_CONTEXT_CHARS: Final = 48
_PHONE_FORM: Final = re.compile(
    r"(?i)(?:\+\s?\d[\d\s().\-/]{6,20}|\(\d{2,5}\)\s?\d{3,4}[\s.\-]?\d{2,4}|"
    r"\(?\d{2,5}\)?[\s.\-/]\(?\d{2,4}\)?[\s.\-/]\d{2,4}(?:[\s.\-/]\d{1,4})*)"
    r"(?:\s?(?:x|ext\.?)\s?\d{1,6})?"
)
_SURE_PHONE: Final = 0.4  # what a number that fits a national plan has
_ABROAD: Final = re.compile(r"(?:\+|00)\d{1,3}[\s.\-(]")
_PHONE_WORDS: Final = re.compile(
    r"(?i)\b(?:phone|tel|mobile|cell|call|ring|whatsapp|sms|text|fax|contact|reach|dial|answer|"
    r"telefon|handy|mobil|nummer|erreich|ruf|anruf|teléfono|móvil|llam|appel|joign|portable|"
    r"numéro|chiam|cellulare|numero)\w{0,6}\b"
)
_PHONE_AFTER: Final = re.compile(
    r"(?i)[\s,;:()\-]{0,4}(?:is my )?(?:office|mobile|cell|fax|phone|tel|home|work)\b"
)
_DATE_FORM: Final = re.compile(
    r"(?:19|20)\d{2}[-/.]\d{1,2}[-/.]\d{1,2}.*|\d{1,2}[-/.]\d{1,2}[-/.](?:19|20)?\d{2}"
)


def gate(text: str, spans: Iterable[Span], policy: PiiPolicy) -> list[Span]:
    """Keep the spans that the policy and their surroundings bear out.

    Parts of addresses are put together; alone they count where someone is said to live there.
    """
    trimmed = (_without_greeting(text, span, policy) for span in spans)
    kept = [span for span in trimmed if _passes(text, span, policy)]
    people = [span for span in kept if span.entity == "PERSON"]
    kept = [_in_company(text, span, people) for span in kept]
    parts = [span for span in kept if span.entity in ADDRESS_PARTS]
    others = [_with_title(text, span) for span in kept if span.entity not in ADDRESS_PARTS]
    return sorted(others + assemble(text, parts, policy))


def _passes(text: str, span: Span, policy: PiiPolicy) -> bool:
    rule = policy.rule(span.entity)
    value = text[span.start : span.end]
    if not rule.enabled or span.score < rule.threshold or value.casefold() in policy.allowed:
        return False
    if rule.context and not _near(text, span, rule.context):
        return False
    if span.entity == "PHONE_NUMBER":
        return _is_phone(text, span)
    if span.entity == "PERSON" and span.score < 1.0:
        if span.score < _BOLD and not _is_borne_out(text, span):
            return False
        return _is_name(value, policy) and not (
            " " not in value and _AIRPORT_NEXT.match(text, span.end)
        )
    return True


def _near(text: str, span: Span, words: Sequence[str]) -> bool:
    """Whether one of `words` stands in the line just before or after the span."""
    before = text[max(0, span.start - _CONTEXT_CHARS) : span.start].rpartition("\n")[2]
    after = text[span.end : span.end + _CONTEXT_CHARS // 2].partition("\n")[0]
    around = f"{before}\n{after}".casefold()
    return any(re.search(rf"\b{re.escape(word)}", around) for word in words)


def _is_phone(text: str, span: Span) -> bool:
    """Digits alone are an order number more often than a phone, and dates look like phones."""
    value = text[span.start : span.end].strip()
    if _DATE_FORM.fullmatch(value) or not 6 <= sum(c.isdigit() for c in value) <= 21:
        return False
    around = text[max(0, span.start - 1) : span.start] + text[span.end : span.end + 1]
    if any(c.isalnum() or c in "$€£_" for c in around):
        return False
    if span.score >= _SURE_PHONE and _PHONE_FORM.fullmatch(value):
        return True
    if _ABROAD.match(value) and _PHONE_FORM.fullmatch(value):
        return True
    before = text[max(0, span.start - _CONTEXT_CHARS) : span.start].rpartition("\n")[2]
    return bool(_PHONE_WORDS.search(before) or _PHONE_AFTER.match(text, span.end))


def _without_greeting(text: str, span: Span, policy: PiiPolicy) -> Span:
    """Take "merci" from before a guessed name, and whatever else the policy lets pass."""
    if span.entity != "PERSON" or span.score >= 1.0:
        return span
    words = list(re.finditer(r"\S+", text[span.start : span.end]))
    while len(words) > 1 and words[0][0].strip(",.!").casefold() in policy.allowed:
        words.pop(0)
    return replace(span, start=span.start + words[0].start()) if words else span


def _is_borne_out(text: str, span: Span) -> bool:
    """A weak guess needs a capital, and for one word no neighbour with one: "Lumio Desk Lamp"."""
    value = text[span.start : span.end]
    if not value[:1].isupper():
        return False
    if " " in value:
        return True
    return not (
        _CAPITAL_NEXT.match(text, span.end)
        or _CAPITAL_BEFORE.search(text[max(0, span.start - 24) : span.start])
    )


def _in_company(text: str, span: Span, people: Sequence[Span]) -> Span:
    """Take for a surname what looks like a city and is named in one breath with a person."""
    if span.entity == "CITY" and any(
        _AND.fullmatch(text, one.end, span.start) or _AND.fullmatch(text, span.end, one.start)
        for one in people
    ):
        return replace(span, entity="PERSON")
    return span


def _with_title(text: str, span: Span) -> Span:
    """Let a person's title go with the name: it tells sex, rank or trade."""
    if span.entity != "PERSON":
        return span
    title = TITLE.search(text[max(0, span.start - 16) : span.start])
    return replace(span, start=span.start - len(title[0])) if title else span


def _is_name(value: str, policy: PiiPolicy) -> bool:
    """A guessed name has letters, is not an id, and is not a word the policy lets pass."""
    words = re.findall(r"[^\W_]+", value)
    letters = [word for word in words if any(c.isalpha() for c in word)]
    return bool(
        letters
        and not _CITED.fullmatch(value)
        and not _CODE.fullmatch(value)
        and sum(c.isalpha() for c in value) > (1 if value[:1].isupper() else 2)
        and any(word.casefold() not in policy.allowed for word in letters)
    )
