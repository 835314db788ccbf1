"""Quarantined records in the hands of a person: found, tried again, or given up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import orjson

from pipeline.datadir import DataDir
from pipeline.files import make_directory, replace_file
from pipeline.ids import canonical_json
from pipeline.ingest.index.known import forget_file, remembered_files
from pipeline.lake import Lake
from pipeline.tables import QUARANTINED_RECORDS
from pipeline.windows import FIRST_DAY, Window, day

__all__ = [
    "REASONS",
    "drop_records",
    "dropped_records",
    "find_records",
    "retry_records",
    "unlisted_records",
]

REASONS: Mapping[str, str] = {
    "bad_compression": "gzip or zstd data that is damaged or ends too early",
    "bad_csv": "a line with another number of cells than there are columns",
    "bad_entry": "a line of a Claude Code session that is no entry",
    "bad_event": "a line of OpenClaw telemetry that is no event",
    "bad_json": "no JSON text",
    "bad_parquet": "a damaged Parquet file",
    "bad_protobuf": "bytes that are no OTLP protobuf, from somewhere on",
    "bad_row": "a row of an export that is no object, or holds what cannot be held",
    "bad_sample": "a sample of an evaluation or Inspect log that is none",
    "bad_score": "a score, label or assessment without name or target",
    "bad_session": "a session whose entries make no conversation",
    "bad_span": "a span (run, observation) without usable ids or times",
    "bad_trace": "a trace whose records are readable one by one but make no trace",
    "bad_trajectory": "an ATIF document without readable steps",
    "bad_value": "a value that cannot be stored, such as half a surrogate pair or 30 digits",
    "bad_zip": "an archive, or a member of one, that is damaged or cut off",
    "bomb": "a small file that decompresses to a huge one",
    "empty": "a file with nothing in it",
    "encrypted": "a member of an archive that is encrypted",
    "log_without_trace": "a log record on a model call that names neither trace nor session",
    "nested_archive": "an archive within the archive",
    "no_permission": "the file or directory may not be read",
    "no_samples": "an Inspect log in which no sample has been kept",
    "no_target": "a score that names nothing it is on",
    "no_time": "a record without a time: land the file with --day",
    "not_a_conversation": "a record without a list of messages",
    "not_inspect": "an archive that is no Inspect log",
    "not_otlp": "a line of an OTLP file that is no export request",
    "time_out_of_range": f"before {FIRST_DAY} or after 2099: land the file with --day",
    "too_deep": "nested too deeply",
    "too_large": "larger than ingest.largest_record_mb",
    "torn_line": "the last line, cut off in the middle",
    "torn_record": "a protobuf record that the file ends within",
    "unknown_format": "no reader knows the format",
    "unknown_row": "a row of another table of the platform's",
}
"""Reason codes of ingest, and what they mean."""


def find_records(
    place: DataDir, prefixes: Iterable[str] = (), day: Window | None = None
) -> Iterator[tuple[Window, dict[str, Any]]]:
    """Quarantined records by the beginning of their id (all of them where none is given)."""
    lake, wanted = Lake(place), tuple(prefixes)
    for window in [day] if day else lake.windows(QUARANTINED_RECORDS):
        for row in lake.read(QUARANTINED_RECORDS, window).iter_rows(named=True):
            if not wanted or row["record_id"].startswith(wanted):
                yield window, row


def retry_records(place: DataDir, rows: Iterable[Mapping[str, Any]]) -> list[str]:
    """Have the landing files of records read anew; returns their names.

    A record that redaction held back is tried again by running its day, whatever lies in landing.
    """
    names = sorted({row["file"] for row in rows if row["file"] is not None})
    for name in names:
        forget_file(place, name)
    return names


def drop_records(place: DataDir, record_ids: Iterable[str]) -> int:
    """Give records up: they no longer count as quarantined. Returns how many were new.

    What is dropped is written down, so that every later run of the day leaves it out, and counts
    it as filtered.
    """
    known = dropped_records(place)
    every = known | set(record_ids)
    make_directory(place.raw, private=True)
    with replace_file(_list(place), 0o600) as temporary:
        temporary.write_bytes(canonical_json(sorted(every)) + b"\n")
    return len(every) - len(known)


def dropped_records(place: DataDir) -> frozenset[str]:
    """The ids of all records that were given up."""
    path = _list(place)
    return frozenset(orjson.loads(path.read_bytes())) if path.exists() else frozenset()


def unlisted_records(place: DataDir) -> dict[str, int]:
    """How many records that cannot be read wait for which day to be run: then they are listed."""
    lake, waiting = Lake(place), Counter[str]()
    for file in remembered_files(place):
        if file.malformed and not lake.exists(QUARANTINED_RECORDS, day(file.fallback_day)):
            waiting[file.fallback_day] += file.malformed
    return dict(waiting)


def _list(place: DataDir) -> Path:
    return place.raw / "dropped_records.json"
