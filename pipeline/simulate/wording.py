"""How each language writes a date and an amount of money."""

from __future__ import annotations

import datetime as dt
import random
import re
from typing import Final

_MONTHS: Final = {
    "en": "January February March April May June July August September October November December",
    "de": "Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
    "fr": "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
    "es": "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre "
    "diciembre",
    "it": "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre "
    "dicembre",
}
_SIGNS: Final = {"EUR": "€", "GBP": "£", "USD": "$"}
COUNTRY_NAMES: Final[dict[str, dict[str, str]]] = {
    "en": {
        "GB": "the United Kingdom", "US": "the United States", "IE": "Ireland", "AU": "Australia",
        "SE": "Sweden", "DE": "Germany", "AT": "Austria", "CH": "Switzerland", "FR": "France",
        "ES": "Spain", "IT": "Italy", "CA": "Canada", "JP": "Japan", "NZ": "New Zealand",
    },
    "de": {"DE": "Deutschland", "AT": "Österreich", "CH": "die Schweiz", "FR": "Frankreich"},
    "fr": {"FR": "la France", "DE": "l'Allemagne", "CH": "la Suisse"},
    "es": {"ES": "España", "FR": "Francia", "DE": "Alemania"},
    "it": {"IT": "l'Italia", "DE": "la Germania", "FR": "la Francia"},
}  # fmt: skip


def money(amount: float, currency: str, lang: str, rng: random.Random) -> str:
    """An amount as a person of a language would write it."""
    plain = f"{amount:.2f}"
    if lang == "en":
        return f"{_SIGNS[currency]}{plain}" if rng.random() < 0.6 else f"{plain} {currency}"
    sign = _SIGNS[currency] if rng.random() < 0.5 else currency
    return f"{plain.replace('.', ',')} {sign}"


def date(day: dt.date, lang: str, rng: random.Random) -> str:
    """A date as a person of a language would write it."""
    if rng.random() < 0.25:
        return day.isoformat()
    month = _MONTHS[lang].split()[day.month - 1]
    if lang == "en":
        return f"{day.day} {month}" if rng.random() < 0.7 else f"{month} {day.day}"
    if lang == "de":
        return f"{day.day}. {month}"
    return f"{day.day} de {month}" if lang == "es" else f"{day.day} {month}"


def tidy(text: str) -> str:
    """The text without the gaps that an empty slot leaves behind."""
    return re.sub(r"\s+([.,])", r"\1", re.sub(r"[ \t]+", " ", text)).strip()
