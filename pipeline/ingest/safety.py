"""Ids and labels made safe: they travel further than any text of a trace."""

from __future__ import annotations

import re

from pipeline.ids import keyed_digest

__all__ = ["folded", "is_safe_id", "safe_id", "safe_label"]

_ID = re.compile(r"[0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_LABEL = re.compile(r"(?!AKIA|gh[pousr]_|sk-|xox)[A-Za-z][A-Za-z0-9._:/-]{0,63}")
_VERSION = re.compile(
    r"v?\d{1,4}([._-][0-9a-z]{1,12}){0,4}|\d{4}-\d{2}(-\d{2})?|(?=.*[a-f])[0-9a-f]{7,40}",
    re.ASCII,
)
# What has the form of a version and is rather a phone number, a card or a social security number.
_OF_PEOPLE = re.compile(r"(\d[_-]?){9,}|\d{3}\.\d{3}\.\d{4}", re.ASCII)
# A label in which no run of digits and separators is long enough: most are, and told at one look.
# Possessive, for a run of letters can be cut in 2^n ways: one of 33 before a blank took minutes.
_SHORT_RUNS = re.compile(
    r"(?!AKIA|gh[pousr]_|sk-|xox)(?=[A-Za-z].{0,63}$)([A-Za-z]++|[0-9._:/-]{1,7}+(?![0-9._:/-]))*+"
)
_DATE = re.compile(r"20\d{2}-?\d{2}-?\d{2}")
_LONG_NUMBER = re.compile(r"\d[\d ._:/-]{6,}\d")  # a phone number, a card


def folded(value: str) -> str:
    """A trace id as it is compared: hexadecimal ones and UUIDs are the same in either case."""
    lower = value.lower()
    return lower if lower != value and _ID.fullmatch(value) else value


def safe_id(value: str | None, content_key: bytes) -> str | None:
    """An id as it came if it is a plain hex id or UUID; else its keyed digest.

    Ids travel further than any text: into every table, the suite and the reports. One that a
    service made of an e-mail address or a phone number must not.
    """
    if value is None or is_safe_id(value):
        return value
    return keyed_digest(content_key, "id", value)


def is_safe_id(value: str) -> bool:
    """Whether it is a plain hex id or UUID."""
    return _ID.fullmatch(value) is not None


def safe_label(value: str | None, content_key: bytes) -> str | None:
    """What developers name (release, tool, model), if it looks like a name; else a digest."""
    if value is None or _SHORT_RUNS.fullmatch(value):
        return value
    if _VERSION.fullmatch(value) and not _OF_PEOPLE.fullmatch(_DATE.sub("", value)):
        return value
    if _LABEL.fullmatch(value):
        dateless = _DATE.sub("", value) if "20" in value else value
        if not _LONG_NUMBER.search(dateless):
            return value
    return "label-" + keyed_digest(content_key, "label", value, size=6)
