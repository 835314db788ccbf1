"""Inspect logs: `.json`, and `.eval` archives with samples whole or in chunks."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

import orjson

from pipeline.ingest.jsontext import JsonText, malformed
from pipeline.ingest.readers.archive import Archive, Unpacked
from pipeline.ingest.readers.head import Head
from pipeline.ingest.readers.inspect_sample import sample_trace
from pipeline.ingest.readers.transcript import as_list, as_mapping, read_one
from pipeline.ingest.records import Malformed, Trace
from pipeline.ingest.source import Source, Unreadable

__all__ = ["InspectLogReader"]

_WHOLE = re.compile(r"samples/.+_epoch_\d+\.json", re.DOTALL)
_SHELL = re.compile(r"(samples/.+_epoch_\d+/)sample\.json", re.DOTALL)
_HEADERS = ("header.json", "_journal/start.json")  # the second of a run still going, or crashed


class InspectLogReader:
    """Reads Inspect logs, one trace a sample and epoch."""

    name = "inspect_log"

    def sniff(self, head: Head) -> bool:
        """JSON that begins with a log's version and status, or any zip archive.

        No other format comes as a zip: what else one may hold is told by reading it.
        """
        if head.container == "zip" or head.raw.startswith(b"PK\x05\x06"):
            return True
        begins = re.match(r'\s*\{\s*"(version|status)"\s*:', head.text)
        # A log that was cut off at once shows no more than its first keys.
        cut_off = head.has("version", "status") and not head.first
        return head.container == "json" and bool(begins) and (head.has("eval", "status") or cut_off)

    def read(self, source: Source) -> Iterator[Trace | Malformed]:
        """Yield one trace a sample; a sample that cannot be read leaves the others alone.

        Raises:
            Unreadable: bad_zip, bomb, too_large or not_inspect (an archive of something else).
        """
        with source.open() as handle:
            zipped = handle.read(2) == b"PK"
        yield from _archive(source) if zipped else _document(source)


def _document(source: Source) -> Iterator[Trace | Malformed]:
    raw = source.read().removeprefix(b"\xef\xbb\xbf")
    log = _parsed(raw, 0)
    if isinstance(log, Malformed):
        yield log
        return
    header = as_mapping(log.value)
    samples = as_list(header.get("samples"))
    if not samples:
        yield _empty(header, raw)
    for place, sample in enumerate(samples):
        yield from _sample(JsonText(sample, place, 0, log.repaired), header, source)


def _archive(source: Source) -> Iterator[Trace | Malformed]:
    with Archive(source) as archive:
        header: Mapping[str, Any] = {}
        for name in (name for name in _HEADERS if name in archive.names):
            found = _member(archive, name, 0)
            if isinstance(found, JsonText):
                header = as_mapping(found.value)
                break
            yield found
        any_sample = False
        for place, name in enumerate(archive.names):
            shell = _SHELL.fullmatch(name)
            if shell is None and not _WHOLE.fullmatch(name):
                continue
            any_sample = True
            found = _member(archive, name, place)
            if isinstance(found, JsonText) and shell:
                found = _from_chunks(archive, found, shell[1])
            if isinstance(found, Malformed):
                yield found
            else:
                yield from _sample(found, header, source)
        if not any_sample and header:
            yield _empty(header, b"")
        elif not any_sample:
            yield from _strange(archive)


def _sample(
    text: JsonText, header: Mapping[str, Any], source: Source
) -> Iterator[Trace | Malformed]:
    yield from read_one(
        text,
        partial(sample_trace, header=header, source=source, repaired=text.repaired),
        "bad_sample",
        "sample of an Inspect log",
    )


def _strange(archive: Archive) -> Iterator[Malformed]:
    """Say why an archive without a log is none: a member is an archive, or encrypted, or else.

    Raises:
        Unreadable: not_inspect.
    """
    for place, name in enumerate(archive.names[:100]):
        try:
            archive.read(name)
        except Unpacked as error:
            yield Malformed(error.reason, error.detail, place, 0, b"")
            return
    detail = f"an archive of {len(archive.names)} members, none a sample or header of Inspect"
    raise Unreadable("not_inspect", detail)


def _empty(header: Mapping[str, Any], raw: bytes) -> Malformed:
    known = ("started", "success", "cancelled", "error")
    status = header.get("status")
    stated = f"its status is {status}" if status in known else "it states no status"
    return malformed("no_samples", f"an Inspect log without samples: {stated}", raw, 0)


def _member(archive: Archive, name: str, place: int) -> JsonText | Malformed:
    """A member as JSON; its offset is its place in the archive."""
    try:
        return _parsed(archive.read(name), place)
    except Unpacked as error:
        return Malformed(error.reason, error.detail, place, 0, b"")


def _from_chunks(archive: Archive, shell: JsonText, prefix: str) -> JsonText | Malformed:
    """Put a sample together again that was stored as a shell and its sequences."""
    sequences: dict[str, list[Any]] = {}
    for sequence in ("messages", "events", "attachments"):
        items = sequences[sequence] = []
        pattern = re.compile(re.escape(f"{prefix}{sequence}/") + r"(\d{1,12})\.json")
        starts = sorted(int(m[1]) for name in archive.names if (m := pattern.fullmatch(name)))
        for start in starts:
            chunk = _member(archive, f"{prefix}{sequence}/{start}.json", shell.offset)
            if isinstance(chunk, Malformed):
                return chunk
            items.extend(as_list(chunk.value))
    pool = sequences["messages"]
    try:
        refs = shell.value.get("message_refs") or ()
        messages = [message for first, end in refs for message in pool[first:end]]
        whole = shell.value | {
            "messages": messages,
            "events": sequences["events"],
            "attachments": {str(n): text for n, text in enumerate(sequences["attachments"])},
            "events_data": {"messages": pool},
        }
    except (TypeError, ValueError, AttributeError) as error:
        detail = f"no chunked sample of an Inspect log ({type(error).__name__})"
        return malformed("bad_sample", detail, b"", shell.offset)
    return JsonText(whole, shell.offset, shell.length, shell.repaired)


def _parsed(raw: bytes, offset: int) -> JsonText | Malformed:
    """JSON as Inspect writes it: with NaN where a score is none, and whatever text a tool gave."""
    try:
        return JsonText(orjson.loads(raw), offset, len(raw))
    except orjson.JSONDecodeError:
        pass
    try:
        text = raw.decode("utf-8", "replace")
        value, repaired = json.loads(text, parse_constant=lambda _: None), "�" in text
        mended = _mended(value)
        return JsonText(mended, offset, len(raw), repaired or mended != value)
    except RecursionError:
        return malformed("too_deep", "a document nested too deep", raw, offset)
    except ValueError as error:
        where = f" at character {error.pos}" if isinstance(error, json.JSONDecodeError) else ""
        return malformed("bad_json", f"{type(error).__name__}{where}", raw, offset)


def _mended(value: Any) -> Any:
    """Without half surrogate pairs and integers no store can hold; those become text."""
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [_mended(item) for item in value]
    if isinstance(value, dict):
        return {_mended(name): _mended(item) for name, item in value.items()}
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        return str(value)
    return None if isinstance(value, float) and not math.isfinite(value) else value
