"""Facts that can be checked: numbers, dates and ids in a text, and their support."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final

from pipeline.redaction.surrogates import SURROGATE

__all__ = ["Fact", "Support", "facts_of", "unsupported"]

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
    (?P<surrogate>{SURROGATE.pattern})
  | (?P<url>https?://\S+)
  | (?P<iso>\b\d{{4}}-\d{{2}}-\d{{2}}(?:T[\d:.]+Z?)?)
  | (?P<dmy>\b\d{{1,2}}[./]\d{{1,2}}[./](?:\d{{4}}|\d{{2}})\b)
  | (?P<named>\b\d{{1,2}}(?:st|nd|rd|th|er|º|°|\.)?\s+(?:de\s+|of\s+)?(?:{_MONTH})\b
              (?:,?\s+(?:de\s+)?\d{{4}})?)
  | (?P<monthfirst>\b(?:{_MONTH})\.?\s+\d{{1,2}}(?:st|nd|rd|th)?\b(?:,?\s+\d{{4}})?)
  | (?P<time>\b\d{{1,2}}:\d{{2}}\b)
  | (?P<id>\b(?=[\w-]*\d)(?=[\w-]*[A-Za-z])[A-Za-z]{{1,6}}(?:-\w+)+\b
           |\b(?=\w*\d)(?=\w*[A-Z])[A-Z0-9]{{5,}}\b|\b[a-z]+(?:_[a-z]+)*_\d{{3,}}\b)
  | (?P<amount>(?:{_CURRENCY})\s?(?:{_NUMBER})|(?:{_NUMBER})\s?(?:{_CURRENCY})(?!\w))
  | (?P<long>\b\d{{7,}}\b)
  | (?P<number>(?<![\w.])(?:{_NUMBER})(?![\w]))
    """,
    re.VERBOSE | re.IGNORECASE,
)
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

    A number carries the unit of time (or percent) that follows it, if one does.
    """

    kind: str
    value: str | float | tuple[int, int]
    unit: str | None = None


@lru_cache(maxsize=8_192)
def facts_of(text: str) -> tuple[Fact, ...]:
    """All facts in `text` in order, once each; list marks and URLs are none.

    A date is (month, day), since years are often left out.
    """
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
        unit = _UNITS.get(word.lower())
        stems = (stem for stem in _UNITS if len(stem) > 2 and word.lower().startswith(stem))
        if unit or (unit := next((_UNITS[stem] for stem in stems), None)):
            return unit
    return None


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
        hours, minutes = token.split(":")
        return Fact("time", (int(hours), int(minutes)))
    digits = re.search(_NUMBER, token)
    return Fact(kind, _number(digits.group())) if digits else None


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


@dataclass
class Support:
    """Everything an answer may rest on: what users, tools, documents and the prompt said."""

    ids: set[str] = field(default_factory=set)
    dates: set[tuple[int, int]] = field(default_factory=set)
    times: set[tuple[int, int]] = field(default_factory=set)
    numbers: set[float] = field(default_factory=set)
    units: dict[float, set[str | None]] = field(default_factory=dict)
    text: str = ""
    _money: list[list[float]] = field(default_factory=list)

    def add_text(self, text: str) -> None:
        """Let the facts of `text` count as supported."""
        self.text += f"\n{text.upper()}"
        for fact in facts_of(text):
            if isinstance(fact.value, str):
                self.ids.add(fact.value)
            elif isinstance(fact.value, tuple):
                (self.dates if fact.kind == "date" else self.times).add(fact.value)
            else:
                self.numbers.add(fact.value)
                self.units.setdefault(fact.value, set()).add(fact.unit)

    def add_json(self, value: Any) -> None:
        """Let the numbers of a parsed result count, with the lengths of its lists."""
        numbers: list[float] = []
        _collect(value, numbers, self.numbers)
        self.numbers.update(numbers)
        self._money.append(sorted(set(numbers))[:40])

    def supports(self, fact: Fact) -> bool:
        """Whether `fact` was said before, or follows from one result by one sum or product."""
        if fact.kind == "id":
            return str(fact.value) in self.ids or str(fact.value) in self.text
        if fact.kind == "date":
            return fact.value in self.dates
        if fact.kind == "time":
            return fact.value in self.times
        number = float(fact.value)  # type: ignore[arg-type]
        units = self.units.get(number, set())
        if fact.unit and units and None not in units and fact.unit not in units:
            return False  # "4 years" does not follow from "2 to 4 working days"
        return self._near(number) or self._follows(number)

    def _near(self, number: float) -> bool:
        if number in self.numbers or round(number, 2) in self.numbers:
            return True
        # 21.4 said as 21, 1.25 kg said as 1250 g
        rounded = number == int(number) and any(
            abs(n - number) < 0.5 and n != int(n) for n in self.numbers
        )
        return rounded or number * 1000 in self.numbers or number / 1000 in self.numbers

    def _follows(self, number: float) -> bool:
        """Sums, differences and products of two numbers, and whole sums, within 0.01."""
        for values in self._money:
            if abs(sum(values) - number) < 0.011:
                return True
            known = set(values)
            for value in values:
                for other in (number - value, number + value, value - number):
                    if any(abs(other - k) < 0.011 for k in (round(other, 2),) if k in known):
                        return True
                if value > 1 and abs(number / value - round(number / value)) < 1e-6:
                    factor = round(number / value)
                    if 2 <= factor <= 20 and float(factor) in known:
                        return True
        return False


def _collect(value: Any, numbers: list[float], counts: set[float], depth: int = 0) -> None:
    if depth > 50:
        return
    if isinstance(value, Mapping):
        for item in value.values():
            _collect(item, numbers, counts, depth + 1)
    elif isinstance(value, list):
        counts.add(float(len(value)))
        for item in value:
            _collect(item, numbers, counts, depth + 1)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        numbers.append(round(float(value), 6))


def unsupported(facts: Iterable[Fact], support: Support) -> list[Fact]:
    """Those of `facts` that `support` does not hold."""
    return [fact for fact in facts if not support.supports(fact)]
