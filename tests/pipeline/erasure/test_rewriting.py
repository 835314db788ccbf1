"""A landing file without somebody: the others' records are the same, or the file goes whole."""

from __future__ import annotations

import csv
import fcntl
import gzip
import io
import json
import zipfile
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from pipeline.erasure.rewriting import BeingWritten, Outcome, rewrite
from pipeline.erasure.sifting import sift
from pipeline.erasure.telling import Speakers, Told
from pipeline.ingest.readers import choose_reader
from pipeline.ingest.records import Event, Span, Trace
from pipeline.ingest.source import Source, Unreadable
from pipeline.ingest.suppression import Suppression
from tests.pipeline.erasure.people import (
    ANN,
    ANNS_TRACES,
    BO,
    KEYS,
    anns,
    every_span,
    lines_of,
    trace_id,
    verdict,
    words_of,
)
from tests.pipeline.ingest.readers.test_inspect_log import HEADER, SAMPLE
from tests.pipeline.ingest.readers.test_otlp_protobuf import (
    delimited,
    fixed,
    message,
    zstd_fixed,
)
from tests.pipeline.ingest.spans import request

LARGEST = 2**26
WITHOUT_TIME = date(2026, 11, 2)  # the day of records that carry no time


def erase(path: Path, tmp_path: Path, sessions: frozenset[str] = frozenset()) -> Outcome:
    """Take Ann out of a file; the swap is announced with the digest that the file then has."""
    scratch = tmp_path / "scratch"
    scratch.mkdir(exist_ok=True)
    speakers = Speakers(anns(), frozenset(), sessions)
    told: list[str] = []
    before = path.stat().st_mtime_ns
    outcome = rewrite(path, Source(path, None, LARGEST), speakers, scratch, told.append)
    if outcome.what == "rewritten":
        assert path.stat().st_mtime_ns == before
    assert len(told) == (outcome.what != "untouched")
    return outcome


def traces_in(path: Path) -> set[str]:
    """The traces that the file's reader finds, whatever it is."""
    source = Source(path, None, LARGEST)
    reader = choose_reader(source)
    assert reader is not None
    found = list(reader.read(source))
    assert all(isinstance(record, Span | Trace | Event) for record in found)
    return {str(record.trace_id) for record in found}


def chats() -> list[dict[str, Any]]:
    """Four conversations as chat messages, two of them Ann's."""
    return [
        {"id": trace_id(n), "created_at": "2026-11-02T12:00:00Z", "messages": [
            {"role": "user", "content": words_of(n)}, {"role": "assistant", "content": "Soon."}]}
        for n in (1, 3, 2, 4)
    ]  # fmt: skip


def runs() -> list[dict[str, Any]]:
    """Four traces as LangSmith exports runs."""
    return [
        {"id": f"00000000-0000-0000-0000-{n:012d}", "trace_id": trace_id(n), "run_type": "chain",
         "name": "agent", "dotted_order": f"20261102T120000000000Z{n}", "parent_run_id": None,
         "session_id": "00000000-0000-0000-0000-0000000000aa", "status": "success",
         "start_time": "2026-11-02T12:00:00", "end_time": "2026-11-02T12:00:01",
         "inputs": json.dumps({"question": words_of(n)}), "outputs": json.dumps({"answer": "x"})}
        for n in (1, 3, 2, 4)
    ]  # fmt: skip


def as_csv(rows: list[dict[str, Any]]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def as_parquet(rows: list[dict[str, Any]]) -> bytes:
    sink = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_pylist(rows), sink)
    return bytes(sink.getvalue())


SEPARABLE: dict[str, Callable[[], bytes]] = {
    "a line a span": lambda: lines_of(*every_span()).encode(),
    "all spans in one line": lambda: request(*every_span()).encode() + b"\n",
    "one pretty document": lambda: json.dumps(
        json.loads(request(*every_span())), indent=1
    ).encode(),
    "lines, gzip": lambda: gzip.compress(lines_of(*every_span()).encode()),
    "lines, zstd": lambda: zstandard.compress(lines_of(*every_span()).encode()),
    "protobuf, one request": lambda: message(1, 3, 2, 4),
    "protobuf, framed": lambda: fixed(message(1, 3), message(2), message(4)),
    "protobuf, delimited": lambda: delimited(message(1, 3), message(2), message(4)),
    "protobuf, framed and zstd": lambda: zstd_fixed(message(1, 3), message(2), message(4)),
    "json, framed": lambda: fixed(
        request(*every_span()[:2]).encode(), request(*every_span()[2:]).encode()
    ),
    "chats, lines": lambda: b"".join(orjson.dumps(one) + b"\n" for one in chats()),
    "chats, array": lambda: orjson.dumps(chats(), option=orjson.OPT_INDENT_2),
    "runs, page": lambda: orjson.dumps({"runs": runs(), "cursors": {"next": None}}),
    "runs, csv": lambda: as_csv(runs()),
    "runs, parquet": lambda: as_parquet(runs()),
}


@pytest.mark.parametrize("name", SEPARABLE)
def test_a_file_is_rewritten_and_the_others_stay(name: str, tmp_path: Path) -> None:
    path = tmp_path / "landed"
    path.write_bytes(SEPARABLE[name]())
    mine = {trace_id(number) for number in ANNS_TRACES}
    everyone = traces_in(path)
    assert mine < everyone
    assert erase(path, tmp_path).what == "rewritten"
    assert traces_in(path) == everyone - mine
    assert erase(path, tmp_path).what == "untouched"
    source = Source(path)
    content = source.open().read()
    assert words_of(1).encode() not in content
    assert source.compression == {"gzip": "gzip", "zstd": "zstd"}.get(name.split(", ")[-1])


def test_lines_of_others_stay_byte_for_byte(tmp_path: Path) -> None:
    """Spaces and escapes in them as they were, a blank line and one that cannot be read too."""
    odd = [
        request(s).replace('"name": ', '"name" :  ') + "\n" for s in every_span() if BO in str(s)
    ]
    path = tmp_path / "a.jsonl"
    ann = next(request(s) + "\n" for s in every_span() if ANN in str(s))
    path.write_text("".join([odd[0], ann, "\n", "{torn\n", *odd[1:]]))
    assert erase(path, tmp_path).what == "rewritten"
    assert path.read_text() == "".join([odd[0], "\n", "{torn\n", *odd[1:]])


def test_what_is_said_of_a_trace_elsewhere_goes_with_it(tmp_path: Path) -> None:
    path = tmp_path / "verdicts.jsonl"
    path.write_text(verdict(1) + "\n" + verdict(3) + "\n")
    assert erase(path, tmp_path) == Outcome("rewritten", 1)
    assert path.read_text() == verdict(3) + "\n"


def test_a_broken_record_that_names_them_goes(tmp_path: Path) -> None:
    broken = '{"resourceSpans": [{"user.id": "ann@shop.example", torn'
    path = tmp_path / "a.jsonl"
    path.write_text(lines_of(*every_span()) + broken + "\n")
    erase(path, tmp_path)
    assert ANN not in path.read_text()


def test_a_file_that_is_theirs_alone_is_removed(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(lines_of(*(one for one in every_span() if int(one["traceId"], 16) in (1, 2))))
    assert erase(path, tmp_path) == Outcome("removed", 4)
    assert not path.exists()


def archive() -> bytes:
    """An Inspect log as it is stored: a zip whose summaries repeat what the samples say."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as out:
        out.writestr("header.json", json.dumps(HEADER))
        for number in (1, 3):
            sample = SAMPLE | {"id": number, "epoch": 1, "uuid": trace_id(number)}
            out.writestr(f"samples/{number}_epoch_1.json", json.dumps(sample))
    return packed.getvalue()


def mentioned_elsewhere() -> bytes:
    """A page that names Ann's trace where no reader looks."""
    return orjson.dumps({"runs": runs(), "seen": [trace_id(1)]})


@pytest.mark.parametrize("content", [archive, mentioned_elsewhere])
def test_what_cannot_be_told_apart_for_certain_goes_whole(
    content: Callable[[], bytes], tmp_path: Path
) -> None:
    path = tmp_path / "landed"
    path.write_bytes(content())
    outcome = erase(path, tmp_path)
    assert (outcome.what, outcome.others > 0) == ("removed_whole", True)
    assert not path.exists()
    assert list(tmp_path.glob(".*")) == []


def test_a_file_that_a_receiver_writes_to_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(lines_of(*every_span()))
    with path.open("ab") as receiver:
        fcntl.flock(receiver, fcntl.LOCK_EX)
        with pytest.raises(BeingWritten):
            erase(path, tmp_path)
    assert path.read_text() == lines_of(*every_span())


@given(st.lists(st.sampled_from(["ann", "bo", "both", "nobody"]), max_size=40))
def test_sifting_keeps_every_piece_of_others_in_order(pieces: list[str]) -> None:
    """A piece of both is opened; what is left of it is the other's half."""

    def look(content: bytes) -> Told:
        words = content.decode().split()
        theirs = sum(word in ("ann", "both") for word in words)
        return Told(theirs, sum(word in ("bo", "both") for word in words), 0)

    def opened(piece: str) -> Any:
        return (["ann", "bo"], " ".join) if piece == "both" else None

    kept = sift(pieces, lambda some: " ".join(some).encode(), opened, look)
    assert kept == [{"both": "bo"}.get(one, one) for one in pieces if one != "ann"]


def test_real_files_lose_one_conversation_and_no_other(shared_data: Path, tmp_path: Path) -> None:
    """Whatever other projects wrote: rewritten it holds all the others, or it went and says so."""
    outcomes: Counter[str] = Counter()
    for path in sorted(shared_data.rglob("*")):
        if not path.is_file() or path.stat().st_size > 500_000:
            continue
        copy = tmp_path / path.name
        copy.write_bytes(path.read_bytes())
        traces = traces_told_by(copy)
        if traces:
            empty = Suppression(*KEYS)
            one = traces[len(traces) // 2]
            listed = empty.plus([empty.name("trace", empty.form("trace", one))])
            (tmp_path / "scratch").mkdir(exist_ok=True)
            outcome = rewrite(
                copy, Source(copy, WITHOUT_TIME), Speakers(listed, frozenset(), frozenset()),
                tmp_path / "scratch", lambda new: None,
            )  # fmt: skip
            outcomes[outcome.what] += 1
            if outcome.what == "rewritten":
                assert set(traces_told_by(copy)) == set(traces) - {one}, path
            elif outcome.what == "removed":
                assert traces == [one], path
        copy.unlink(missing_ok=True)
    assert outcomes["untouched"] == 0
    assert outcomes["rewritten"] + outcomes["removed"] > 10 * outcomes["removed_whole"]


def traces_told_by(path: Path) -> list[str]:
    """The traces in a file that a reader knows, in order; none of any other."""
    source = Source(path, WITHOUT_TIME)
    with suppress(Unreadable):
        reader = choose_reader(source)
        records = list(reader.read(source)) if reader else []
        ids = (str(r.trace_id) for r in records if isinstance(r, Span | Trace))
        return list(dict.fromkeys(ids))
    return []
