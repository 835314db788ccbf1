"""Files as the OpenTelemetry Collector's file exporter leaves them: one batch of spans a line."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Final

import orjson

from .otlp import Span, attributes
from .plan import Channel

_BATCH: Final = 48
_FLUSH_NS: Final = 600 * 10**9
_SCOPE: Final = orjson.dumps({"name": "parcelry.support", "version": "1.9.0"})


def _resource(release: str, channel: Channel) -> bytes:
    values = {
        "service.name": "parcelry-support",
        "service.version": release,
        "service.instance.id": f"parcelry-support-{channel}",
        "deployment.environment.name": "production",
        "telemetry.sdk.name": "opentelemetry",
        "telemetry.sdk.language": "python",
    }
    return orjson.dumps({"attributes": attributes(values)})


def _day(ns: int) -> dt.date:
    return dt.datetime.fromtimestamp(ns // 10**9, tz=dt.UTC).date()


def _batches(spans: Sequence[Span]) -> Iterator[list[Span]]:
    """Spans in the order they ended, cut by size, by waiting time and at midnight."""
    batch: list[Span] = []
    for span in sorted(spans, key=lambda x: (x.end_ns, x.body)):
        if batch and (
            len(batch) == _BATCH
            or span.end_ns - batch[0].end_ns > _FLUSH_NS
            or _day(span.end_ns) != _day(batch[0].end_ns)
        ):
            yield batch
            batch = []
        batch.append(span)
    if batch:
        yield batch


def _line(batch: Sequence[Span], channel: Channel) -> bytes:
    ordered = sorted(batch, key=lambda x: x.release)
    parts = [
        b'{"resource":%b,"scopeSpans":[{"scope":%b,"spans":[%b]}]}'
        % (_resource(release, channel), _SCOPE, b",".join(x.body for x in group))
        for release, group in groupby(ordered, key=lambda x: x.release)
    ]
    return b'{"resourceSpans":[%b]}\n' % b",".join(parts)


def write(folder: Path, channel: Channel, spans: Sequence[Span]) -> list[Path]:
    """Write the spans of one channel, a file per UTC day of export.

    Args:
        folder: the landing directory; it must exist.
        channel: names the files `otlp-<day>-<channel>.jsonl`.
        spans: in any order.

    Returns:
        The files, by day.
    """
    written = []
    for day, batches in groupby(_batches(spans), key=lambda b: _day(b[0].end_ns)):
        path = folder / f"otlp-{day.isoformat()}-{channel}.jsonl"
        partial = path.with_suffix(".partial")
        partial.write_bytes(b"".join(_line(batch, channel) for batch in batches))
        partial.replace(path)
        written.append(path)
    return written
