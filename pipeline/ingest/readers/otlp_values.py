"""Ids, times, statuses and attribute values as OTLP and its many relatives write them."""

from __future__ import annotations

import base64
import binascii
import json
import math
import re
from collections.abc import Callable, Mapping
from typing import Any

from pipeline.ids import canonical_json

__all__ = [
    "STATUS_ERROR",
    "BadSpan",
    "any_value",
    "attributes_of",
    "either",
    "float_value",
    "hex_id",
    "int_value",
    "plain",
    "raw_json",
]

STATUS_ERROR = frozenset(
    {2, "2", "STATUS_CODE_ERROR", "ERROR", "Error", "error", "StatusCode.ERROR"}
)
_HEX = re.compile(r"[0-9a-fA-F]+")
# What `orjson.dumps` takes is 254 levels deep; values lie a few levels down in their record.
_DEEPEST = 200


class BadSpan(ValueError):
    """One span or log record cannot be read; `reason` is the quarantine's code."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


def either(record: Mapping[str, Any], *names: str) -> Any:
    """The first of `names` that says something; None if none does."""
    for name in names:
        value = record.get(name)
        if value is not None and value != "":
            return value
    return None


def hex_id(value: Any, size: int) -> str | None:
    """An id in lower-case hex; base64 (the protobuf JSON mapping) is told by its length.

    None where there is none: missing, empty, or all zeros.

    Raises:
        BadSpan: neither of them, or not `size` bytes.
    """
    if value is None or value == "":
        return None
    text = str(value)
    if len(text) == 2 * size and _HEX.fullmatch(text):
        found = text.lower()
    else:
        try:
            decoded = base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError) as error:
            raise BadSpan("bad_span", "an id that is neither hex nor base64") from error
        if len(decoded) != size:
            raise BadSpan("bad_span", f"an id of {len(decoded)} bytes where {size} are due")
        found = decoded.hex()
    return found if found.strip("0") else None


def plain(value: Any, depth: int = 0) -> Any:
    """A JSON value that every later stage can hold.

    Integers beyond 64 bits become text, so do NaN and the infinities.

    Raises:
        BadSpan: it is too deep.
    """
    if isinstance(value, str | bool) or value is None:
        return value
    if isinstance(value, int):
        return int_value(value)
    if isinstance(value, float):
        return float_value(value)
    if depth > _DEEPEST:
        raise BadSpan("too_deep", f"a value of more than {_DEEPEST} levels")
    if isinstance(value, dict):
        return {str(key): plain(item, depth + 1) for key, item in value.items()}
    return [plain(item, depth + 1) for item in value]


def int_value(number: int) -> int | str:
    """An integer, as text where it needs more than 64 bits."""
    return number if -(2**63) <= number < 2**63 else str(number)


def float_value(number: float) -> float | str:
    """A number, as the protobuf JSON mapping's text where it is none."""
    if math.isfinite(number):
        return number
    return "NaN" if math.isnan(number) else "Infinity" if number > 0 else "-Infinity"


def attributes_of(pairs: Any) -> dict[str, Any]:
    """Attributes as plain values, from OTLP's list of pairs or from a flat mapping."""
    return _attributes(pairs, 0)


def _attributes(pairs: Any, depth: int) -> dict[str, Any]:
    if isinstance(pairs, dict):
        return {str(key): plain(value, depth + 1) for key, value in pairs.items()}
    return {str(pair["key"]): any_value(pair.get("value"), depth) for pair in pairs or ()}


def any_value(wrapped: Any, depth: int = 0) -> Any:
    """Unwrap an AnyValue; what is none (as some write) is taken as it is.

    Raises:
        BadSpan: it is too deep.
    """
    if not isinstance(wrapped, dict):
        return plain(wrapped, depth)
    text = wrapped.get("stringValue")
    if isinstance(text, str):
        return text
    if not wrapped:
        return None
    if depth > _DEEPEST:
        raise BadSpan("too_deep", f"a value of more than {_DEEPEST} levels")
    known = False
    for names, read in _KINDS:
        for name in names:
            if name in wrapped:
                known = True
                if wrapped[name] is not None:
                    return read(wrapped[name], depth)
    return None if known else plain(wrapped, depth)


def _int64(value: Any, _: int) -> Any:
    if isinstance(value, str) and not value.lstrip("+- ").isdecimal() and value != "null":
        value = float(value)  # "1.0" and "1e3", as the fast reader takes them
    if isinstance(value, float) and not value.is_integer():
        return float_value(value)
    return None if value == "null" else int_value(int(value))


def _double(value: Any, _: int) -> Any:
    return None if value == "null" else float_value(float(value))


def _bool(value: Any, _: int) -> Any:
    return _BOOLEANS.get(value.lower(), value) if isinstance(value, str) else plain(value)


def _array(value: Any, depth: int) -> list[Any]:
    return [any_value(item, depth + 1) for item in value.get("values") or ()]


def _mapping(value: Any, depth: int) -> dict[str, Any]:
    return _attributes(value.get("values"), depth + 1)


_BOOLEANS = {"true": True, "false": False, "1": True, "0": False, "null": None}
# In the order of `otlp_fast`, should there be two.
_KINDS: tuple[tuple[tuple[str, str], Callable[[Any, int], Any]], ...] = (
    (("stringValue", "string_value"), plain),
    (("intValue", "int_value"), _int64),
    (("doubleValue", "double_value"), _double),
    (("boolValue", "bool_value"), _bool),
    (("arrayValue", "array_value"), _array),
    (("kvlistValue", "kvlist_value"), _mapping),
    (("bytesValue", "bytes_value"), plain),
)


def raw_json(value: Any) -> bytes:
    """A parsed value as JSON again, for quarantine; empty where it is none any more."""
    for write in (canonical_json, lambda v: json.dumps(v).encode()):
        try:
            return write(value)
        except (TypeError, ValueError, RecursionError):
            continue
    return b""


def damage(value: Any) -> set[str]:
    """The flag of a record in a repaired text, if it was this record that had to be repaired."""
    return {"invalid_utf8"} if "\ufffd".encode() in raw_json(value) else set()
