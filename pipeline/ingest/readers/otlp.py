"""OTLP JSON lines, as the OpenTelemetry Collector's file exporter writes them."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, time, timedelta
from typing import Any

from pipeline.ids import canonical_json
from pipeline.ingest.jsontext import JsonText, json_lines, malformed
from pipeline.ingest.readers.head import Head
from pipeline.ingest.records import Malformed, Span
from pipeline.ingest.source import Source
from pipeline.windows import FIRST_DAY

__all__ = ["OtlpJsonReader"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Before the first partition nothing can be published; after 2099 a clock was wrong.
_EARLIEST = int(datetime.combine(FIRST_DAY, time(), UTC).timestamp())
_LATEST = 4102444800
_HEX = re.compile(r"[0-9a-fA-F]+")
_STATUS_ERROR = {2, "2", "STATUS_CODE_ERROR"}


class OtlpJsonReader:
    """Reads lines that each hold one ExportTraceServiceRequest."""

    name = "otlp_json"

    def sniff(self, head: Head) -> bool:
        """An object whose first keys name resource spans."""
        return bool(re.match(r'\s*\{\s*"(resourceSpans|resource_spans)"', head.text))

    def read(self, source: Source) -> Iterator[Span | Malformed]:
        """Yield every span of every line; a bad span leaves the others of its line alone."""
        for text in json_lines(source):
            if isinstance(text, Malformed):
                yield text
            else:
                yield from _spans(text)


def _spans(text: JsonText) -> Iterator[Span | Malformed]:
    try:
        groups = [
            (group.get("resource") or {}, span)
            for group in text.value["resourceSpans"]
            for scope in group["scopeSpans"]
            for span in scope["spans"]
        ]
    except (KeyError, TypeError, AttributeError) as error:
        raw = canonical_json(text.value)
        detail = f"not an export request ({type(error).__name__})"
        yield malformed("not_otlp", detail, raw, text.offset)
        return
    resources: dict[int, Mapping[str, Any]] = {}
    for resource, span in groups:
        try:
            known = resources.get(id(resource))
            if known is None:
                known = resources[id(resource)] = _attributes(resource.get("attributes"))
            yield _span(span, known, text.repaired)
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
            detail = f"span without usable ids or times ({type(error).__name__})"
            yield malformed("bad_span", detail, canonical_json(span), text.offset)


def _span(raw: Mapping[str, Any], resource: Mapping[str, Any], repaired: bool) -> Span:
    start, end = _time(raw["startTimeUnixNano"]), _time(raw.get("endTimeUnixNano") or 0)
    flags = {"invalid_utf8"} if repaired else set()
    if end is None or start is None or end < start:
        flags.add("clock_skew" if end is not None else "unfinished_span")
        end = start
    if start is None or end is None:
        raise ValueError("time out of range")
    attributes = _attributes(raw.get("attributes"))
    status = (raw.get("status") or {}).get("code")
    return Span(
        trace_id=_id(raw["traceId"], 16),
        span_id=_id(raw["spanId"], 8),
        parent_id=_id(raw["parentSpanId"], 8) if raw.get("parentSpanId") else None,
        name=str(raw.get("name", "")),
        start=start,
        end=end,
        failed=status in _STATUS_ERROR,
        attributes=attributes,
        resource=resource,
        events=tuple(
            (str(event.get("name", "")), _attributes(event.get("attributes")))
            for event in raw.get("events") or ()
        ),
        flags=frozenset(flags),
    )


def _time(nanoseconds: Any) -> datetime | None:
    """A time of OTLP, to the microsecond; None outside of FIRST_DAY to 2099."""
    value = int(nanoseconds)
    if not _EARLIEST <= value // 10**9 < _LATEST:
        return None
    return _EPOCH + timedelta(microseconds=value // 1000)


def _id(value: str, size: int) -> str:
    """An id in lower-case hex; base64 (the protobuf JSON mapping) is told by its length."""
    if len(value) == 2 * size and _HEX.fullmatch(value):
        return value.lower()
    try:
        decoded = base64.b64decode(value, validate=True)
    except binascii.Error as error:
        raise ValueError("neither hex nor base64") from error
    if len(decoded) != size:
        raise ValueError("an id of another length")
    return decoded.hex()


def _attributes(pairs: Any) -> dict[str, Any]:
    return {str(pair["key"]): _value(pair.get("value") or {}) for pair in pairs or ()}


def _value(wrapped: Mapping[str, Any]) -> Any:
    """Unwrap an AnyValue; int64 comes as a string."""
    for kind, value in wrapped.items():
        match kind:
            case "intValue":
                number = int(value)
                return number if -(2**63) <= number < 2**63 else str(number)
            case "arrayValue":
                return [_value(item) for item in value.get("values") or ()]
            case "kvlistValue":
                return _attributes(value.get("values"))
            case _:
                return value
    return None
