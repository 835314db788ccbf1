"""Corpora in which people marked personal data, to measure the redactor by."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import orjson

__all__ = ["MEANING", "CorpusError", "Label", "LabelledText", "read_corpus"]

MEANING: Final[Mapping[str, frozenset[str]]] = {
    # a corpus's label: what this project may call the same thing
    "PERSON": frozenset({"PERSON"}),
    "NAME": frozenset({"PERSON"}),
    "TITLE": frozenset({"PERSON"}),
    "PREFIX": frozenset({"PERSON"}),
    "ADDRESS": frozenset({"ADDRESS", "CITY", "ZIP_CODE", "COUNTRY"}),
    "STREET_ADDRESS": frozenset({"ADDRESS", "CITY", "ZIP_CODE", "COUNTRY"}),
    "LOCATION": frozenset({"ADDRESS", "CITY", "ZIP_CODE", "COUNTRY"}),
    "GPE": frozenset({"ADDRESS", "CITY", "ZIP_CODE", "COUNTRY"}),
    "CITY": frozenset({"CITY", "ADDRESS"}),
    "ZIP_CODE": frozenset({"ZIP_CODE", "ADDRESS"}),
    "EMAIL": frozenset({"EMAIL_ADDRESS"}),
    "PHONE": frozenset({"PHONE_NUMBER"}),
    "IBAN": frozenset({"IBAN_CODE"}),
    "SSN": frozenset({"US_SSN"}),
    "US_DRIVER_LICENSE": frozenset({"DRIVER_LICENSE"}),
    "US_PASSPORT": frozenset({"PASSPORT"}),
    "US_BANK_NUMBER": frozenset({"BANK_ACCOUNT"}),
    "IP": frozenset({"IP_ADDRESS"}),
}
_TEXT: Final = ("full_text", "text")
_SPANS: Final = ("spans", "entities", "label", "labels")
_START: Final = ("start_position", "start")
_END: Final = ("end_position", "end")
_LABEL: Final = ("entity_type", "label", "type")


class CorpusError(ValueError):
    """A corpus cannot be read; the message names the record, and quotes nothing of it."""


@dataclass(frozen=True, slots=True)
class Label:
    """Characters `start` to `end` are personal, as `entity` in the corpus's own words."""

    start: int
    end: int
    entity: str


@dataclass(frozen=True, slots=True)
class LabelledText:
    """A text and everything personal in it.

    Attributes:
        group: what it was made from (a template's id), empty where unknown.
    """

    text: str
    labels: tuple[Label, ...]
    group: str = ""


def read_corpus(path: Path) -> list[LabelledText]:
    """Read a labelled corpus: a JSON list of records, or JSON lines (`.jsonl`, `.ndjson`).

    A record has `full_text` or `text`, and a list of labels in `spans` (or `entities`, `label`,
    `labels`; none is a text without personal data). A label is an object with
    `entity_type` (or `label`, `type`), `start_position` (or `start`) and `end_position` (or
    `end`), or a list `[start, end, label]`. Positions count characters from 0, the end excluded;
    where `entity_value` is given, it must be what stands there.

    Raises:
        CorpusError: the file or a record is not of this form.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise CorpusError(f"{str(path)!r} cannot be read: {error.strerror}") from None
    texts = [
        _text(record, f"{str(path)!r}, {place}")
        for record, place in _records(raw, path, path.suffix in (".jsonl", ".ndjson"))
    ]
    if not texts:
        raise CorpusError(f"{str(path)!r} holds no record")
    return texts


def _records(raw: bytes, path: Path, by_line: bool) -> Iterator[tuple[Any, str]]:
    try:
        if by_line:
            for number, line in enumerate(raw.split(b"\n"), start=1):
                place = f"line {number}"
                if line.strip():
                    yield orjson.loads(line.decode()), place
            return
        place = "the file"
        records = orjson.loads(raw.decode())
    except orjson.JSONDecodeError:
        hint = "" if by_line else " (JSON lines are told by the ending .jsonl)"
        raise CorpusError(f"{str(path)!r}: {place} is no JSON{hint}") from None
    except UnicodeDecodeError:
        raise CorpusError(f"{str(path)!r}: {place} is not UTF-8") from None
    if not isinstance(records, list):
        raise CorpusError(f"{str(path)!r} is no list of records")
    for number, record in enumerate(records, start=1):
        yield record, f"record {number}"


def _text(record: Any, place: str) -> LabelledText:
    text = _first(record, _TEXT) if isinstance(record, dict) else None
    if not isinstance(text, str):
        raise CorpusError(f"{place}: no text under {' or '.join(_TEXT)}")
    given = _first(record, _SPANS)
    if given is not None and not isinstance(given, list):
        raise CorpusError(f"{place}: the labels are no list")
    labels = [
        _label(label, text, f"{place}, label {number}")
        for number, label in enumerate(given or (), start=1)
    ]
    return LabelledText(
        text,
        tuple(sorted(labels, key=lambda a: (a.start, a.end))),
        str(record.get("template_id", "")),
    )


def _label(given: Any, text: str, place: str) -> Label:
    value = None
    if isinstance(given, dict):
        start, end, entity = (_first(given, names) for names in (_START, _END, _LABEL))
        value = given.get("entity_value")
    elif isinstance(given, list) and len(given) == 3:
        start, end, entity = given
    else:
        raise CorpusError(f"{place}: neither an object nor [start, end, label]")
    if not isinstance(entity, str) or not entity:
        raise CorpusError(f"{place}: no type under {' or '.join(_LABEL)}")
    if type(start) is not int or type(end) is not int or not 0 <= start < end <= len(text):
        raise CorpusError(f"{place}: start and end are no characters of a text of {len(text)}")
    if isinstance(value, str) and text[start:end] != value:
        raise CorpusError(
            f"{place}: entity_value is not what stands at its positions; "
            "do they count bytes, or an end included?"
        )
    return Label(start, end, entity.upper())


def _first(record: Mapping[str, Any], names: Iterable[str]) -> Any:
    return next((record[name] for name in names if record.get(name) is not None), None)
