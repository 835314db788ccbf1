"""OTLP JSON lines become conversations, whatever order and batches the spans come in."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.datadir import DataDir
from pipeline.files import sha256
from pipeline.ingest import Assembly
from tests.pipeline.ingest.spans import NOON, attribute, chat, drop, message, request, span

ASK, ANSWER = message("user", "Where is order 7?"), message("assistant", "On its way.")
CALL_PART = {"type": "tool_call", "id": "c1", "name": "get_order", "arguments": {"order_id": 7}}
CALL = {"role": "assistant", "parts": [CALL_PART]}
RESULT_PART = {"type": "tool_call_response", "id": "c1", "response": {"status": "shipped"}}
RESULT = {"role": "tool", "parts": [RESULT_PART]}


def one_conversation() -> list[dict[str, Any]]:
    """An agent that calls one tool and answers; the second model call repeats the history."""
    return [
        span(1, 1, seconds=9, gen_ai__operation__name="invoke_agent", user__id="u-1"),
        chat(1, 2, [ASK], [CALL], parent=1, second=1, gen_ai__usage__input_tokens=100,
             gen_ai__usage__output_tokens=10, gen_ai__usage__cost=0.001,
             gen_ai__response__model="m-1"),
        span(1, 3, parent=1, second=3, gen_ai__operation__name="execute_tool",
             gen_ai__tool__name="get_order", gen_ai__tool__call__id="c1",
             gen_ai__tool__call__arguments='{"order_id":7}',
             gen_ai__tool__call__result='{"status":"shipped"}'),
        chat(1, 4, [ASK, CALL, RESULT], [ANSWER], parent=1, second=5,
             gen_ai__usage__input_tokens=150, gen_ai__usage__output_tokens=20,
             gen_ai__usage__cost=0.002, gen_ai__response__model="m-1"),
    ]  # fmt: skip


def test_a_conversation_is_told_once(place: DataDir, ingest: Callable[..., Assembly]) -> None:
    drop(place, "a.jsonl", request(*one_conversation(), service__version="2.1"))
    (row,) = ingest().traces.to_dicts()
    assert [(m["role"], m["content"]) for m in row["messages"]] == [
        ("user", "Where is order 7?"),
        ("assistant", None),
        ("tool", '{"status":"shipped"}'),
        ("assistant", "On its way."),
    ]
    (call,) = row["tool_calls"]
    assert (call["name"], call["arguments"], call["result"], call["status"]) == (
        "get_order", '{"order_id":7}', '{"status":"shipped"}', "ok",
    )  # fmt: skip
    assert (row["input_tokens"], row["output_tokens"], row["cost_usd"]) == (250, 30, 0.003)
    assert (row["release"], row["models"], row["latency_ms"]) == ("2.1", ["m-1"], 9000.0)
    assert row["user_key"] not in (None, "u-1"), "the user's id is never stored as it came"
    assert row["completeness"] == "complete"


@given(order=st.permutations(range(4)), cut=st.integers(0, 4), again=st.integers(0, 3))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
def test_order_batches_and_repetition_change_nothing(
    place: DataDir, ingest: Callable[..., Assembly], order: list[int], cut: int, again: int
) -> None:
    spans = one_conversation()
    drop(place, "a.jsonl", request(*spans))
    expected = ingest().traces.drop("source_files")
    mixed = [spans[n] for n in order]
    drop(place, "a.jsonl", request(*mixed[:cut]), request(*mixed[cut:], spans[again]))
    assembly = ingest()
    assert assembly.traces.drop("source_files").equals(expected)
    assert assembly.counts.duplicates == 1


def test_the_same_file_under_another_name_is_a_no_op(
    place: DataDir, ingest: Callable[..., Assembly]
) -> None:
    first = drop(place, "a.jsonl", request(*one_conversation()))
    before = ingest()
    second = drop(place, "b.jsonl", request(*one_conversation()))
    assert sha256(first) == sha256(second)
    after = ingest()
    assert after.traces.equals(before.traces)
    assert after.counts == before.counts


def test_a_span_twice_with_other_content_is_resolved_and_flagged(
    place: DataDir, ingest: Callable[..., Assembly]
) -> None:
    poor = span(1, 1, gen_ai__operation__name="invoke_agent")
    rich = span(1, 1, gen_ai__operation__name="invoke_agent", service__version="9")
    drop(place, "a.jsonl", request(rich), request(poor))
    (row,) = ingest().traces.to_dicts()
    assert row["release"] == "9", "the copy with more attributes stays"
    assert row["flags"] == ["conflicting_duplicate"]


def turn(trace: int, minute: float, text: str) -> str:
    """A trace of one turn of conversation `c`, as an app that traces each turn writes it."""
    heard, said = [message("user", text)], [message("assistant", f"re: {text}")]
    start = NOON + timedelta(minutes=minute)
    return request(
        chat(trace, trace, heard, said, start=start, seconds=60, gen_ai__conversation__id="c")
    )


def test_turns_of_one_conversation_join_below_the_gap(
    place: DataDir, ingest: Callable[..., Assembly]
) -> None:
    # Turns last a minute: 30 minutes from the end of the first to the second, 31 to the third.
    drop(place, "a.jsonl", turn(3, 63, "three"), turn(1, 0, "one"), turn(2, 31, "two"))
    joined, alone = ingest().traces.sort("started_at").to_dicts()
    assert joined["trace_id"] == f"{1:032x}"
    assert joined["member_trace_ids"] == [f"{1:032x}", f"{2:032x}"]
    assert [m["content"] for m in joined["messages"]] == ["one", "re: one", "two", "re: two"]
    assert alone["member_trace_ids"] == [f"{3:032x}"]


def test_a_call_shown_again_in_a_later_turns_history_counts_once(
    place: DataDir, ingest: Callable[..., Assembly]
) -> None:
    in_one, later = {"gen_ai__conversation__id": "c"}, NOON + timedelta(minutes=5)
    tool = {"gen_ai__operation__name": "execute_tool", "gen_ai__tool__call__id": "c1"}
    thanks, welcome = message("user", "Thanks"), message("assistant", "Welcome")
    drop(
        place, "a.jsonl",
        request(chat(1, 1, [ASK], [CALL], **in_one), span(1, 2, parent=1, second=1, **tool),
                chat(1, 3, [ASK, CALL, RESULT], [ANSWER], parent=1, second=2, **in_one)),
        request(chat(2, 4, [ASK, CALL, RESULT, ANSWER, thanks], [welcome], start=later, **in_one)),
    )  # fmt: skip
    (row,) = ingest().traces.to_dicts()
    assert len(row["member_trace_ids"]) == 2
    assert [call["span_id"] for call in row["tool_calls"]] == [f"{2:016x}"]
    assert [m["role"] for m in row["messages"]] == [
        "user", "assistant", "tool", "assistant", "user", "assistant",
    ]  # fmt: skip


def test_a_conversation_past_midnight_belongs_to_the_day_it_began(
    place: DataDir, ingest: Callable[..., Assembly]
) -> None:
    drop(place, "late.jsonl", turn(1, 11 * 60 + 50, "before midnight"))
    drop(place, "next.jsonl", turn(2, 12 * 60 + 5, "after midnight"))
    assert ingest("2026-11-02").traces["member_trace_ids"].list.len().to_list() == [2]
    assert ingest("2026-11-03").traces.height == 0


def test_spans_of_a_trace_that_ran_for_days_find_their_beginning(
    place: DataDir, ingest: Callable[..., Assembly]
) -> None:
    drop(place, "root.jsonl", request(span(1, 1)))
    drop(place, "tail.jsonl", request(span(1, 2, parent=1, start=NOON + timedelta(days=4))))
    assert ingest("2026-11-06").traces.height == 0
    assert ingest("2026-11-02").traces["trace_id"].to_list() == [f"{1:032x}"]


def test_oddities_of_structure_are_kept_and_flagged(
    place: DataDir, ingest: Callable[..., Assembly]
) -> None:
    drop(
        place, "a.jsonl",
        request(span(1, 1), span(1, 2)),
        request(span(2, 3, parent=99)),
        request(span(3, 4, parent=5), span(3, 5, parent=4)),
        request(span(4, 6, seconds=-3)),
    )  # fmt: skip
    flags = {row["trace_id"][-1]: row["flags"] for row in ingest().traces.to_dicts()}
    assert flags == {
        "1": ["two_roots"], "2": ["orphan_spans"], "3": ["span_cycle"], "4": ["clock_skew"],
    }  # fmt: skip
    partial = ingest().traces.filter(completeness="partial")["trace_id"].str.slice(-1)
    assert sorted(partial) == ["2", "3"]


def test_a_tool_that_timed_out_says_so(place: DataDir, ingest: Callable[..., Assembly]) -> None:
    tool = {"gen_ai__operation__name": "execute_tool", "gen_ai__tool__name": "track"}
    drop(
        place, "a.jsonl",
        request(span(1, 1), span(1, 2, parent=1, failed=True, error__type="TimeoutError", **tool)),
    )  # fmt: skip
    (row,) = ingest().traces.to_dicts()
    assert row["tool_calls"][0]["status"] == "timeout"
    assert row["status"] == "ok", "an agent may handle what its tool could not do"


def test_feedback_events_retrievals_and_base64_ids_are_read(
    place: DataDir, ingest: Callable[..., Assembly]
) -> None:
    documents = json.dumps([{"id": "HC-101", "score": 0.8, "content": "Returns take 30 days."}])
    raw = span(1, 1, gen_ai__operation__name="retrieval", gen_ai__retrieval__documents=documents,
               gen_ai__retrieval__query__text="returns")  # fmt: skip
    raw["traceId"] = base64.b64encode(bytes.fromhex(raw["traceId"])).decode()
    name = attribute("gen_ai.evaluation.name", "user_feedback")
    label = attribute("gen_ai.evaluation.score.label", "negative")
    raw["events"] = [{"name": "gen_ai.evaluation.result", "attributes": [name, label]}]
    drop(place, "a.jsonl", request(raw))
    (row,) = ingest().traces.to_dicts()
    assert row["trace_id"] == f"{1:032x}"
    assert row["retrievals"][0]["documents"][0]["id"] == "HC-101"
    assert row["feedback"]["scores"] == [
        {
            "name": "user_feedback",
            "value": None,
            "label": "negative",
            "source": "user",
            "comment": None,
        }
    ]
