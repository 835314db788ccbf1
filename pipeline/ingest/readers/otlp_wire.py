"""Protobuf's wire format, as far as telling OTLP from other bytes and reading a damaged file takes.

The official classes take a message whole or not at all, and refuse text that is no UTF-8 (which
Go, and so the Collector, writes). Walking the three levels around a span by hand keeps each span a
record of its own. Field numbers: opentelemetry-proto, trace, logs and metrics v1.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from pipeline.ingest.varints import Broken, read_varint

__all__ = ["Broken", "Field", "fields", "kind_of_message", "kind_of_resource", "valid_text"]

_GROUP_LEVEL = frozenset({1, 2, 3, 1000})  # resource, scopes, schema_url, the former scopes
_LOG_WIRES = {1: 1, 2: 0, 3: 2, 5: 2, 6: 2, 7: 0, 8: 5, 9: 2, 10: 2, 11: 1, 12: 2}
_METRIC_WIRES = dict.fromkeys((1, 2, 3, 5, 7, 9, 10, 11, 12), 2)
_METRIC_DATA = (5, 7, 9, 10, 11)
_YEAR_2000, _YEAR_2100 = 946684800 * 10**9, 4102444800 * 10**9
_FIXED = {1: 8, 5: 4}
_STRING, _MESSAGE = 9, 11  # FieldDescriptor.TYPE_*
_DEEPEST = 100  # protobuf's own limit


class Field(NamedTuple):
    """One field: its number, its wire type, and where its tag and its content lie.

    `whole` is false where the bytes end before the content does; `stop` is their end then.
    """

    number: int
    wire: int
    tag: int
    start: int
    stop: int
    whole: bool


def fields(data: bytes, start: int = 0, end: int | None = None) -> Iterator[Field]:
    """Yield the fields of a message; one that the bytes cut short comes last.

    Raises:
        Broken: no protobuf from here on.
    """
    end = len(data) if end is None else end
    while start < end:
        tag, at = read_varint(data, start, end)
        if at < 0:
            yield Field(0, 0, start, end, end, False)
            return
        number, wire = tag >> 3, tag & 7
        length = _FIXED.get(wire, 0)
        if wire == 0:
            _, stop = read_varint(data, at, end)
        elif wire == 2:
            length, at = read_varint(data, at, end)
            stop = at + length if at >= 0 else -1
        else:
            stop = at + length
        if not number or wire not in (0, 1, 2, 5):
            raise Broken("a tag that OTLP has not")
        whole = 0 <= stop <= end
        yield Field(number, wire, start, at if at >= 0 else end, stop if whole else end, whole)
        if not whole:
            return
        start = stop


def kind_of_message(data: bytes) -> str | None:
    """What an export request, or its beginning, holds: spans, logs, metrics; None if it is none.

    The first item decides that tells its kind beyond doubt: a span by ids of 16 and 8 bytes, a log
    record by its time or ids, a metric by its name and data. Bytes that happen to parse have none.
    """
    try:
        for group in fields(data):
            if group.wire != 2 or group.number != 1:
                return None
            if (kind := kind_of_resource(data, group.start, group.stop)) is not None:
                return kind
    except Broken:
        return None
    return None


def kind_of_resource(data: bytes, start: int = 0, end: int | None = None) -> str | None:
    """The same of what one resource sent.

    Raises:
        Broken: no protobuf of these levels.
    """
    for scope in fields(data, start, end):
        if scope.whole and (scope.wire != 2 or scope.number not in _GROUP_LEVEL):
            raise Broken("fields that OTLP has not")
        if scope.number in (2, 1000):
            for item in fields(data, scope.start, scope.stop):
                if item.number == 2 and (kind := _kind(data, item)) is not None:
                    return kind
    return None


def _kind(data: bytes, item: Field) -> str | None:
    found: dict[int, Field] = {}
    try:
        for field in fields(data, item.start, item.stop):
            found.setdefault(field.number, field)
    except Broken:
        return None
    if item.wire != 2 or not found:
        return None
    if _size(found, 1) == 16 and _size(found, 2) == 8 and (7 not in found or found[7].wire == 1):
        return "spans"
    wires = {number: field.wire for number, field in found.items() if field.whole}
    if wires.items() <= _LOG_WIRES.items():
        times = [_fixed64(data, found[n]) for n in (1, 11) if n in found and found[n].whole]
        if _size(found, 9) == 16 or any(_YEAR_2000 <= time < _YEAR_2100 for time in times):
            return "logs"
    name = found.get(1)
    data_there = any(_size(found, n) > 0 for n in _METRIC_DATA)
    if name and data_there and wires.items() <= _METRIC_WIRES.items():
        text = data[name.start : name.stop]
        return "metrics" if text.isascii() and text.decode("ascii").isprintable() else None
    return None


def _size(found: dict[int, Field], number: int) -> int:
    field = found.get(number)
    return field.stop - field.start if field and field.wire == 2 and field.whole else -1


def _fixed64(data: bytes, field: Field) -> int:
    return int.from_bytes(data[field.start : field.stop], "little")


def valid_text(data: bytes, descriptor: Any, depth: int = 0) -> bytes:
    """A message with the bytes that are no UTF-8 in its text fields replaced by U+FFFD.

    Args:
        data: the message.
        descriptor: of its class.
        depth: how deep it lies.

    Raises:
        Broken: no protobuf, or nested too deeply.
    """
    if depth > _DEEPEST:
        raise Broken("nested too deeply")
    out = bytearray()
    for field in fields(data):
        known = descriptor.fields_by_number.get(field.number)
        content = data[field.start : field.stop]
        if not field.whole:
            raise Broken("cut short")
        if field.wire != 2 or known is None or known.type not in (_STRING, _MESSAGE):
            out += data[field.tag : field.stop]
            continue
        if known.type == _STRING:
            content = content.decode("utf-8", "replace").encode()
        else:
            content = valid_text(content, known.message_type, depth + 1)
        out += _encoded(field.number << 3 | 2) + _encoded(len(content)) + content
    return bytes(out)


def _encoded(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)
