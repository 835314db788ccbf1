"""Rows made while a file is read: the same as the long way makes, and given up for it in time."""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from pipeline.datadir import DataDir
from pipeline.ingest import Assembly, landed_files
from pipeline.ingest.days import passes
from pipeline.ingest.days.planning import plan_day
from pipeline.ingest.index import part, shredding, tables
from pipeline.ingest.index.landed import IndexFailed, LandedFile
from pipeline.ingest.index.lines import spans_at
from pipeline.windows import day
from tests.bench.traffic import write_spans
from tests.pipeline.ingest.spans import NOON, chat, drop, message, request, span

Ingest = Callable[..., Assembly]
LARGEST = 2**26
PLAIN: dict[str, Any] = {"gen_ai__usage__input_tokens": 7, "gen_ai__usage__output_tokens": 3}


def turn(trace: int, question: str, **more: Any) -> str:
    """One plain trace: an agent, and the model call that answers."""
    root = span(trace, 10, gen_ai__operation__name="invoke_agent", **more)
    heard, said = [message("user", question)], [message("assistant", f"About {question}")]
    start = more.get("start", NOON)
    return request(root, chat(trace, 11, heard, said, parent=10, second=1, start=start, **PLAIN))


def ready(place: DataDir) -> list[str]:
    """The traces of the day whose rows lie ready."""
    files = landed_files(place, LARGEST)
    members = plan_day(place, files, day("2026-11-02"), timedelta(minutes=30)).members
    return sorted(members.filter("ready")["trace_id"])


@contextmanager
def nothing_ready() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(part, "ready_trace", lambda *_: None)
        yield


def both_ways(place: DataDir, ingest: Ingest) -> pl.DataFrame:
    """A day's rows, after making sure that they are the same when none was made beforehand."""
    index, aside = place.raw / "landing_index", place.root / "aside"
    with nothing_ready():
        long = ingest()
    long_rows = long.traces
    index.rename(aside)
    tables._layout.cache_clear()  # parts of another content under the same names
    short = ingest()
    assert short.traces.equals(long_rows)
    assert short.counts == long.counts
    assert short.files == long.files
    assert short.members == long.members
    return short.traces


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_ready_rows_are_those_of_the_long_way(
    place: DataDir, ingest: Ingest, pack: Callable[[bytes], bytes], tmp_path: Path
) -> None:
    write_spans(tmp_path / "traffic", 400)
    place.landing.mkdir(parents=True)
    (place.landing / "a.jsonl").write_bytes(pack((tmp_path / "traffic").read_bytes()))
    assert both_ways(place, ingest).height == 40
    assert len(ready(place)) == 40


def test_ids_and_labels_that_must_be_digested_are(place: DataDir, ingest: Ingest) -> None:
    drop(
        place, "a.jsonl",
        turn(1, "a", gen_ai__conversation__id="ann@example.org", user__id="ann@example.org"),
        turn(2, "b", gen_ai__agent__name="Ann Example, 555 0100"),
        turn(3, "c", app__channel="web"),
    )  # fmt: skip
    rows = both_ways(place, ingest)
    assert "ann" not in str(rows.select("session_id", "user_key", "agent_name").rows()).lower()
    assert ready(place) == [f"{n:032x}" for n in (1, 2, 3)]


def test_labels_that_look_like_numbers_of_people_do_not_send_a_trace_the_long_way(
    place: DataDir, ingest: Ingest
) -> None:
    """Call ids of many agents are long numbers; their digests are made when a day asks."""
    call_id, model = "call-5550100-7", "model 555 0100 1234"
    call = {"type": "tool_call", "id": call_id, "name": "find", "arguments": {"order": "A1"}}
    answer = {"type": "tool_call_response", "id": call_id, "response": {"state": "sent"}}
    heard = [message("user", "where?"), {"role": "assistant", "parts": [call]},
             {"role": "tool", "parts": [answer]}]  # fmt: skip
    tool = span(
        1, 12, parent=10, second=1, gen_ai__operation__name="execute_tool",
        gen_ai__tool__name="find", gen_ai__tool__call__id=call_id,
        gen_ai__tool__call__arguments='{"order":"A1"}',
        gen_ai__tool__call__result='{"state":"sent"}',
    )  # fmt: skip
    found = span(
        1, 13, parent=10, second=1, gen_ai__operation__name="retrieval",
        gen_ai__retrieval__query__text="parcels",
        gen_ai__retrieval__documents=json.dumps([{"id": "doc 555 0100 99", "content": "text"}]),
    )  # fmt: skip
    told = chat(1, 11, heard, [message("assistant", "Sent.")], parent=10, second=2, **PLAIN,
                gen_ai__response__model=model)  # fmt: skip
    root = span(1, 10, gen_ai__operation__name="invoke_agent")
    drop(place, "a.jsonl", request(root, tool, found, told), turn(2, "b"))
    row = both_ways(place, ingest).row(0, named=True)
    assert ready(place) == [f"{1:032x}", f"{2:032x}"]
    (shown,) = row["messages"][1]["tool_calls"]
    assert shown["id"] == row["messages"][2]["tool_call_id"] == row["tool_calls"][0]["call_id"]
    labels = [shown["id"], row["retrievals"][0]["documents"][0]["id"], *row["models"]]
    assert all(label.startswith("label-") for label in labels)


def test_a_trace_of_two_files_is_read_from_both(place: DataDir, ingest: Ingest) -> None:
    drop(place, "a.jsonl", turn(1, "a"), turn(2, "b"))
    late = span(1, 12, parent=10, second=5, gen_ai__operation__name="execute_tool",
                gen_ai__tool__name="find")  # fmt: skip
    drop(place, "b.jsonl", request(late))
    rows = both_ways(place, ingest)
    assert rows["span_count"].to_list() == [3, 2]
    assert rows["source_files"].list.len().to_list() == [2, 1]
    assert ready(place) == [f"{2:032x}"]


def test_a_verdict_given_elsewhere_reaches_its_trace(place: DataDir, ingest: Ingest) -> None:
    drop(place, "a.jsonl", turn(1, "a"), turn(2, "b"))
    record = {
        "timeUnixNano": str(int(NOON.timestamp() * 1e9)), "traceId": f"{1:032x}",
        "spanId": f"{11:016x}", "eventName": "gen_ai.evaluation.result",
        "attributes": [
            {"key": "gen_ai.evaluation.name", "value": {"stringValue": "helpful"}},
            {"key": "gen_ai.evaluation.score.value", "value": {"doubleValue": 0.0}},
        ],
    }  # fmt: skip
    logs = {"resourceLogs": [{"scopeLogs": [{"logRecords": [record]}]}]}
    drop(place, "b.jsonl", json.dumps(logs))
    rows = both_ways(place, ingest)
    assert [len(f["scores"]) for f in rows["feedback"].to_list()] == [1, 0]


def test_turns_of_one_session_are_joined(place: DataDir, ingest: Ingest) -> None:
    told: dict[str, Any] = {"gen_ai__conversation__id": "c-1"}
    drop(
        place, "a.jsonl",
        turn(1, "a", **told),
        turn(2, "b", start=NOON + timedelta(minutes=5), **told),
        turn(3, "c", start=NOON + timedelta(hours=5), **told),
    )  # fmt: skip
    rows = both_ways(place, ingest)
    assert rows["member_trace_ids"].list.len().to_list() == [2, 1]
    assert ready(place) == [f"{3:032x}"]


def test_a_line_of_many_spans_is_not_read_once_for_each_of_its_traces(
    place: DataDir, ingest: Ingest, monkeypatch: pytest.MonkeyPatch
) -> None:
    many = [s for n in range(1, 61) for s in json.loads(turn(n, "a"))["resourceSpans"][0][
        "scopeSpans"][0]["spans"]]  # fmt: skip
    assert len(many) > shredding._READ_AGAIN
    late = [span(n, 12, parent=10, second=5) for n in range(1, 61)]
    drop(place, "a.jsonl", request(*many))
    drop(place, "b.jsonl", request(*late))
    read: list[LandedFile] = []

    def counted(place: DataDir, file: LandedFile, offsets: Any, trace_id: str) -> Any:
        read.append(file)
        return spans_at(place, file, offsets, trace_id)

    monkeypatch.setattr(passes, "spans_at", counted)
    assert ingest().traces["span_count"].to_list() == [3] * 60
    assert read == []


def test_a_span_that_was_set_aside_does_not_come_back_with_its_line(
    place: DataDir, ingest: Ingest
) -> None:
    lines = []
    for n in (1, 2):
        spans = json.loads(turn(n, "a", start=NOON + timedelta(minutes=n), session__id="s"))
        lines.append(spans["resourceSpans"][0]["scopeSpans"][0]["spans"])
    old = span(1, 13, parent=10, start=NOON.replace(year=2024))
    drop(place, "a.jsonl", request(*lines[0], old), request(*lines[1]))
    rows = both_ways(place, ingest)
    assert rows["span_count"].to_list() == [4]
    assert rows["started_at"].to_list() == [NOON + timedelta(minutes=1)]


@pytest.mark.parametrize("where", ["span", "resource"])
@pytest.mark.parametrize("level", ["", "trace."])
def test_verdicts_in_attributes_are_read(
    place: DataDir, ingest: Ingest, where: str, level: str
) -> None:
    given = {f"{level}annotations.0.annotation.{name}": value
             for name, value in (("name", "helpful"), ("score", 0.0))}  # fmt: skip
    given = {name.replace(".", "__"): value for name, value in given.items()}
    heard, said = [message("user", "q")], [message("assistant", "a")]
    own: dict[str, Any] = given if where == "span" else {}
    root = span(1, 10, gen_ai__operation__name="invoke_agent")
    told = chat(1, 11, heard, said, parent=10, second=1, **PLAIN, **own)
    drop(place, "a.jsonl", request(root, told, **(given if where == "resource" else {})))
    (feedback,) = both_ways(place, ingest)["feedback"].to_list()
    on_resource = where == "resource" and not level  # OpenInference knows none there
    assert [score["name"] for score in feedback["scores"]] == ([] if on_resource else ["helpful"])


@pytest.mark.parametrize("how", ["rewritten", "removed", "replaced by a larger one", "other spans"])
def test_a_file_that_is_changed_meanwhile_ends_the_day(
    place: DataDir, ingest: Ingest, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    path = drop(place, "a.jsonl", turn(1, "a"))
    drop(place, "b.jsonl", request(span(1, 12, parent=10, second=5)))
    ingest()

    def change(*about: Any) -> Any:
        if how == "removed":
            path.unlink()
        elif how == "replaced by a larger one":
            other = path.with_name(".other")
            other.write_bytes(path.read_bytes() * 2)
            other.replace(path)
        elif how == "other spans":
            path.write_text(turn(7, "another") + "\n" + turn(8, "one"))
        else:
            path.write_bytes(path.read_bytes().replace(b"About a", b"About b"))
            os.utime(path, ns=(1, 1))
        return spans_at(*about)

    monkeypatch.setattr(passes, "spans_at", change)
    with pytest.raises(IndexFailed, match=r"a\.jsonl was changed or removed .* running the same"):
        ingest()
    monkeypatch.undo()
    assert ingest().traces.height == (3 if how == "other spans" else 1)


def test_a_file_that_grows_meanwhile_is_read_where_it_was(
    place: DataDir, ingest: Ingest, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = drop(place, "a.jsonl", "", turn(1, "a"))
    drop(place, "b.jsonl", request(span(1, 12, parent=10, second=5)))

    def grow(*about: Any) -> Any:
        with path.open("a") as handle:
            handle.write(turn(2, "b") + "\n")
        return spans_at(*about)

    monkeypatch.setattr(passes, "spans_at", grow)
    assert ingest().traces["span_count"].to_list() == [3]


def test_lines_of_a_file_whose_name_is_no_text_are_found_again(
    place: DataDir, ingest: Ingest
) -> None:
    path = drop(place, "a.jsonl", turn(1, "a"))
    drop(place, "b.jsonl", request(span(1, 12, parent=10, second=5)))
    os.rename(path, os.fsencode(place.landing) + b"/\xfe.jsonl")
    assert ingest().traces["span_count"].to_list() == [3]


@pytest.mark.parametrize("table", ["ready", "records", "traces"])
def test_an_index_of_zeros_is_told_and_made_anew(
    place: DataDir, ingest: Ingest, table: str
) -> None:
    drop(place, "a.jsonl", turn(1, "a"), request(span(2, 1)))
    before = ingest().traces
    for torn in (place.raw / "landing_index" / "content").glob(f"*/{table}-*"):
        torn.write_bytes(bytes(torn.stat().st_size))
    for plan in (place.raw / "landing_index" / "plans").iterdir():
        plan.unlink()
    tables._layout.cache_clear()
    with pytest.raises(IndexFailed, match=r"is torn .* reads its file anew"):
        ingest()
    assert ingest().traces.equals(before)


@pytest.mark.parametrize("lost", ["all", "half"])
def test_an_index_torn_by_a_power_cut_is_made_anew(
    place: DataDir, ingest: Ingest, lost: str
) -> None:
    drop(place, "a.jsonl", turn(1, "a"), turn(2, "b"))
    before = ingest().traces
    for torn in (place.raw / "landing_index" / "content").glob("*/ready-*"):
        os.truncate(torn, 0 if lost == "all" else torn.stat().st_size // 2)
    assert ingest().traces.equals(before)


def test_a_day_of_both_kinds_is_in_the_order_of_its_key(place: DataDir, ingest: Ingest) -> None:
    drop(place, "a.jsonl", *[turn(n * 16**30, "a") for n in (0xF1, 0x11)])
    drop(place, "b.jsonl", *[request(chat(n * 16**30, 1, [message("user", "b")], []))
                             for n in (0xA1, 0x21, 0xF2)])  # fmt: skip
    assembly = ingest()
    assert assembly.traces["trace_id"].is_sorted()
    assert assembly.traces.height == 5
    (frame,) = assembly.frames()
    assert frame.schema == pl.Schema(assembly.traces.schema)
