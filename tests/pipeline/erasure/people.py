"""Ann and Bo in landing: who said what, and what may be left of whom."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow.ipc as ipc

from pipeline.datadir import DataDir
from pipeline.ingest.suppression import Suppression
from tests.pipeline.ingest.spans import NOON, chat, message, request, span

ANN, BO = "ann@shop.example", "bo-77"
ANNS_TRACES, BOS_TRACES = (1, 2), (3, 4)
KEYS = (b"s" * 32, b"k" * 32)


def trace_id(number: int) -> str:
    return f"{number:032x}"


def spans_of(number: int, user: str, said: str) -> list[dict[str, Any]]:
    """One plain trace: an agent of a user's, and the model call that answers."""
    root = span(number, 10 * number, gen_ai__operation__name="invoke_agent", user__id=user)
    heard, told = [message("user", said)], [message("assistant", f"About {said}")]
    return [root, chat(number, 10 * number + 1, heard, told, parent=10 * number, second=1)]


def words_of(number: int) -> str:
    """What nobody else says."""
    return f"my parcel {'abcdefgh'[number] * 5} is late"


def every_span() -> list[dict[str, Any]]:
    """Ann's traces 1 and 2, Bo's 3 and 4, taking turns."""
    users = {**dict.fromkeys(ANNS_TRACES, ANN), **dict.fromkeys(BOS_TRACES, BO)}
    each = [spans_of(n, users[n], words_of(n)) for n in (1, 3, 2, 4)]
    return [one for pair in zip(*each, strict=True) for one in pair]


def verdict(number: int) -> str:
    """A log record that judges a trace."""
    record = {
        "timeUnixNano": str(int(NOON.timestamp() * 1e9) + 5), "traceId": trace_id(number),
        "eventName": "gen_ai.evaluation.result",
        "attributes": [{"key": "gen_ai.evaluation.name", "value": {"stringValue": "helpful"}}],
    }  # fmt: skip
    return json.dumps({"resourceLogs": [{"scopeLogs": [{"logRecords": [record]}]}]})


def lines_of(*spans: dict[str, Any]) -> str:
    """A line a span."""
    return "".join(request(one) + "\n" for one in spans)


def anns() -> Suppression:
    """The list once Ann and her traces stand on it."""
    empty = Suppression(*KEYS)
    names = {empty.name("trace", trace_id(number)) for number in ANNS_TRACES}
    return empty.plus(names | {empty.name("user", empty.form("user", ANN))})


def everything_in(place: DataDir) -> dict[str, bytes]:
    """Every file's bytes, and what its columns hold once they are decompressed."""
    found = {}
    for path in sorted(place.root.rglob("*")):
        if path.is_file():
            found[str(path.relative_to(place.root))] = path.read_bytes() + _columns_of(path)
    return found


def _columns_of(path: Path) -> bytes:
    if path.suffix == ".parquet":
        frame = pl.read_parquet(path, glob=False, hive_partitioning=False)
        return "\n".join(map(repr, frame.rows())).encode()
    if path.suffix == ".arrow":
        return repr(ipc.open_file(path).read_all().to_pylist()).encode()
    return b""


def places_of(place: DataDir, *needles: str) -> set[str]:
    """The files in which any of these stands."""
    held = everything_in(place)
    return {name for name, text in held.items() if any(n.encode() in text for n in needles)}
