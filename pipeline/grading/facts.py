"""Facts that can be checked: numbers, dates, times and ids in a text."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from pipeline.redaction.replacement.surrogates import SURROGATE

__all__ = ["Fact", "facts_of"]

_MONTHS: Final = {
    name: number
    for number, names in enumerate(
        (
            "january jan januar janvier enero gennaio gen",
            "february feb februar février fevrier febrero febbraio",
            "march mar märz maerz mars marzo",
            "april apr avril abril aprile",
            "may mai mayo maggio",
            "june jun juni juin junio giugno",
            "july jul juli juillet julio luglio",
            "august aug août aout agosto",
            "september sep sept septembre septiembre settembre",
            "october oct oktober okt octobre octubre ottobre",
            "november nov novembre noviembre",
            "december dec dezember dez décembre decembre diciembre dicembre",
        ),
        1,
    )
    for name in names.split()
}
_MONTH: Final = "|".join(sorted(_MONTHS, key=len, reverse=True))
_NUMBER: Final = r"\d{1,3}(?:[.,'\u00a0\u202f]\d{3})+(?:[.,]\d{1,2})?|\d+(?:[.,]\d+)?"
_CURRENCY: Final = r"€|\$|£|EUR|USD|GBP|CHF|euros?|dollars?|pounds?|Euro"
_TOKENS: Final = re.compile(
    rf"""
    (?P<surrogate>(?<![A-Z]){SURROGATE.pattern})
  | (?P<url>https?://\S+)
  | (?P<iso>\b\d{{4}}-\d{{2}}-\d{{2}}(?:T[\d:.]+Z?)?)
  | (?P<dmy>\b\d{{1,2}}[./]\d{{1,2}}[./](?:\d{{4}}|\d{{2}})\b)
  | (?P<named>\b\d{{1,2}}(?:st|nd|rd|th|er|º|°|\.)?\s+(?:de\s+|of\s+)?(?:{_MONTH})\b
              (?:,?\s+(?:de\s+)?\d{{4}})?)
  | (?P<monthfirst>\b(?=[^\W\d_]{{3,10}}\.?\s+\d)(?:{_MONTH})
              \.?\s+\d{{1,2}}(?:st|nd|rd|th)?\b(?:,?\s+\d{{4}})?)
  | (?P<time>\b\d{{1,2}}:\d{{2}}(?::\d{{2}})?(?:\s?[ap]\.?m\b)?|\b\d{{1,2}}\s?[ap]\.?m\b)
  | (?P<id>\b(?=[\w-]{{0,80}}\d)[A-Za-z]{{1,6}}(?:-\w{{1,40}}){{1,8}}\b
           |\b(?=\w{{0,80}}\d)(?=\w{{0,80}}[A-Z])[A-Z0-9]{{5,80}}\b
           |\b[a-z]{{1,40}}(?:_[a-z]{{1,40}}){{0,8}}_\d{{3,40}}\b)
  | (?P<amount>(?=[€$£EUGCDP])(?:{_CURRENCY})\s?(?:{_NUMBER})
              |(?=\d)(?:{_NUMBER})\s?(?:{_CURRENCY})(?!\w))
  | (?P<long>\b\d{{7,}}\b)
  | (?P<number>(?<![\w.])(?:{_NUMBER})(?![\w]))
    """,
    re.VERBOSE | re.IGNORECASE,
)
_TELLING: Final = re.compile(r"[\d_]")  # every fact holds a digit, or is a surrogate
_UNITS: Final = {
    stem: unit
    for unit, stems in {
        "minute": "minut",
        "hour": "hour stund heure hora ore ora uur",
        "day": "day tag jour día dia giorn werktag",
        "week": "week woche semaine semana settiman",
        "month": "month monat mois mes mesi",
        "year": "year jahr an ans année año anno anni",
        "percent": "% percent prozent pour\u00a0cent porcentaje",
    }.items()
    for stem in stems.split()
}
_BETWEEN: Final = re.compile(r"[^\W\d_]+|%|\d+(?:[.,]\d+)?|[.;!?\n]")
# Told by context, so one text may mask a word that another keeps: no evidence of support.
_GUESSED: Final = ("PERSON_", "CITY_", "ADDRESS_", "ZIP_CODE_", "STREET_", "BUILDING_", "DATE_OF_")
_LIST_MARK: Final = re.compile(r"(?m)^\s*(?:\d{1,2}[.)]|[-*•])\s+")


@dataclass(frozen=True, slots=True)
class Fact:
    """One checkable fact: its kind (id, amount, date, time, number) and normal form.

    A number carries the unit of time (or percent) that follows it, if one does. A time is (hour,
    minute) of 24 hours; its unit is `half_day` where morning or evening is not said ("at 7:30").
    """

    kind: str
    value: str | float | tuple[int, int]
    unit: str | None = None


@lru_cache(maxsize=8_192)
def facts_of(text: str) -> tuple[Fact, ...]:
    """All facts in `text` in order, once each; list marks and URLs are none.

    A date is (month, day), since years are often left out.
    """
    if not _TELLING.search(text):
        return ()
    found: dict[Fact, None] = {}
    plain = _LIST_MARK.sub(" ", text)
    for match in _TOKENS.finditer(plain):
        fact = _fact(match.lastgroup or "", match.group())
        if fact and fact.kind == "number":
            fact = Fact("number", fact.value, _unit_after(plain, match.end()))
        if fact:
            found[fact] = None
    return tuple(found)


def _unit_after(text: str, position: int) -> str | None:
    """The unit within the next four words of the sentence: "2 to 4 working days"."""
    following = _BETWEEN.findall(text[position : position + 40])[:4]
    for word in following:
        if word in ".;!?\n":
            return None
        if unit := _unit(word.lower()):
            return unit
    return None


@lru_cache(maxsize=8_192)
def _unit(word: str) -> str | None:
    stems = (stem for stem in _UNITS if len(stem) > 2 and word.startswith(stem))
    return _UNITS.get(word) or next((_UNITS[stem] for stem in stems), None)


def _fact(kind: str, token: str) -> Fact | None:
    if kind == "url":
        return None
    if kind == "surrogate" and token.upper().startswith(_GUESSED):
        return None
    if kind in ("surrogate", "id", "long"):
        return Fact("id", token.upper())
    if kind == "iso":
        return Fact("date", (int(token[5:7]), int(token[8:10])))
    if kind == "dmy":
        first, second = (int(part) for part in re.split(r"[./]", token)[:2])
        # 11/25/2026 can only be month first
        return Fact("date", (first, second) if second > 12 else (second, first))
    if kind in ("named", "monthfirst"):
        day = re.search(r"\d{1,2}", token)
        month = next(
            (_MONTHS[w] for w in re.findall(r"[^\W\d]+", token.lower()) if w in _MONTHS), 0
        )
        return Fact("date", (month, int(day.group()))) if day and month else None
    if kind == "time":
        return _time(token)
    digits = re.search(_NUMBER, token)
    return Fact(kind, _number(digits.group())) if digits else None


def _time(token: str) -> Fact:
    """Read a time of 24 hours, or of 12 with or without its am or pm."""
    hour, minute = (int(part) for part in re.findall(r"\d+", f"{token}:00")[:2])
    half = re.search(r"[ap](?=\.?m)", token, re.IGNORECASE)
    if half and hour <= 12:
        return Fact("time", (hour % 12 + (12 if half.group() in "pP" else 0), minute))
    # "07:30" and "7:30:00" are written by clocks of 24 hours, "7:30" by people
    open_ = 1 <= hour <= 12 and token[0] != "0" and token.count(":") == 1
    return Fact("time", (hour, minute), "half_day" if open_ else None)


def _number(token: str) -> float:
    """Read a number whose separators may be English or continental."""
    plain = re.sub("['\u00a0\u202f]", "", token)
    last = max(plain.rfind("."), plain.rfind(","))
    if last >= 0 and (len(plain) - last - 1 != 3 or plain.count(plain[last]) == 0):
        whole, fraction = plain[:last], plain[last + 1 :]
        return float(f"{re.sub('[.,]', '', whole) or 0}.{fraction}")
    if last >= 0 and len(plain[:last].replace(".", "").replace(",", "")) > 3:
        return float(f"{re.sub('[.,]', '', plain[:last])}.{plain[last + 1 :]}")
    return float(re.sub("[.,]", "", plain))
