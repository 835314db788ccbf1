"""However records are shuffled, split, repeated and compressed, the day is the same."""

from __future__ import annotations

import gzip
import json
import shutil
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.datadir import DataDir
from pipeline.ingest import Assembly
from tests.pipeline.ingest.spans import NOON, attribute, chat, drop, message, request, span

ASK, ANSWER = message("user", "Where is order 7?"), message("assistant", "On its way.")
THANKS, WELCOME = message("user", "Thanks"), message("assistant", "Welcome")
CALL_PART = {"type": "tool_call", "id": "c1", "name": "get_order", "arguments": {"order_id": 7}}
CALL = {"role": "assistant", "parts": [CALL_PART]}
RESULT_PART = {"type": "tool_call_response", "id": "c1", "response": {"status": "shipped"}}
RESULT = {"role": "tool", "parts": [RESULT_PART]}


def scored(raw: dict[str, Any], name: str) -> dict[str, Any]:
    """A span with a verdict as its event."""
    told = [attribute("gen_ai.evaluation.name", name),
            attribute("gen_ai.evaluation.score.value", 0.5)]  # fmt: skip
    return raw | {"events": [{"name": "gen_ai.evaluation.result", "attributes": told}]}


def log_record(trace: int, number: int, name: str, **values: Any) -> str:
    """One line: a log record about a span."""
    record = {
        "timeUnixNano": str(int(NOON.timestamp() * 1e9)),
        "traceId": f"{trace:032x}",
        "spanId": f"{number:016x}",
        "eventName": name,
        "attributes": [attribute(k.replace("__", "."), v) for k, v in values.items()],
    }
    return json.dumps({"resourceLogs": [{"scopeLogs": [{"logRecords": [record]}]}]})


def records() -> list[str]:
    """One line for each record: spans of six traces, and what log records say of them."""
    told = {"gen_ai__conversation__id": "c"}
    turn = {"gen_ai__operation__name": "chat", "gen_ai__usage__input_tokens": 10}
    later, much_later = NOON + timedelta(minutes=5), NOON + timedelta(hours=3)
    tied = {"start": NOON + timedelta(minutes=20)}
    spans = [
        # A conversation over two traces, the first with a tool call.
        span(1, 1, seconds=9, gen_ai__operation__name="invoke_agent", user__id="u-1", **told),
        chat(1, 2, [ASK], [CALL], parent=1, second=1, gen_ai__usage__input_tokens=100,
             gen_ai__response__model="m-1"),
        span(1, 3, parent=1, second=3, gen_ai__operation__name="execute_tool",
             gen_ai__tool__name="get_order", gen_ai__tool__call__id="c1",
             gen_ai__tool__call__arguments='{"order_id":7}'),
        scored(chat(1, 4, [ASK, CALL, RESULT], [ANSWER], parent=1, second=5), "helpful"),
        chat(2, 5, [ASK, CALL, RESULT, ANSWER, THANKS], [WELCOME], start=later, **told),
        # The same session hours later, past the gap.
        chat(3, 6, [ASK], [ANSWER], start=much_later, **told),
        # Orphans, two roots, and a span of the trace that comes days late.
        chat(4, 7, [ASK], [ANSWER], parent=99),
        span(4, 8, second=1, gen_ai__operation__name="execute_tool", gen_ai__tool__name="f"),
        chat(4, 9, [THANKS], [WELCOME], parent=8, start=NOON + timedelta(days=2)),
        # Everything at one instant: only ids can order it.
        *[chat(5, n, [message("user", f"q{n}")], [message("assistant", f"a{n}")], parent=10, **tied)
          for n in (11, 12, 13)],
        span(5, 10, gen_ai__operation__name="invoke_agent", **tied),
        # Content stands in log records alone; one of its spans never came.
        span(6, 14, **turn),
    ]  # fmt: skip
    about = [
        log_record(6, 14, "gen_ai.user.message", content="Hi"),
        log_record(6, 14, "gen_ai.choice", message='{"role":"assistant","content":"Hello"}'),
        log_record(6, 15, "gen_ai.client.inference.operation.details",
                   gen_ai__input__messages=json.dumps([THANKS])),
        log_record(2, 5, "gen_ai.evaluation.result", gen_ai__evaluation__name="late",
                   gen_ai__evaluation__score__value=1.0),
    ]  # fmt: skip
    return [*(request(one) for one in spans), *about]


LINES = records()
SPANS = sum('"resourceSpans"' in line for line in LINES)
PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "jsonl": bytes,
    "gz": gzip.compress,
    "zst": zstandard.compress,
}


def landed(place: DataDir, files: list[tuple[str, list[str]]]) -> None:
    """Let these files be all that lies in landing."""
    shutil.rmtree(place.landing, ignore_errors=True)
    for number, (kind, lines) in enumerate(files):
        path = drop(place, f"{number}.{kind}", *lines)
        path.write_bytes(PACKERS[kind](path.read_bytes()))


_EXPECTED: list[Assembly] = []


@given(
    order=st.permutations(range(len(LINES))),
    files=st.lists(st.tuples(st.sampled_from(sorted(PACKERS)), st.integers(1, 20)), max_size=4),
    again=st.lists(st.sampled_from(range(len(LINES))), max_size=6),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=80)
def test_the_same_records_make_the_same_day(
    place: DataDir, ingest: Callable[..., Assembly], order: list[int],
    files: list[tuple[str, int]], again: list[int],
) -> None:  # fmt: skip
    if not _EXPECTED:
        landed(place, [("jsonl", LINES)])
        _EXPECTED.append(ingest())
    expected = _EXPECTED[0]
    # 1+2 are one conversation; 3, 4, 5 and 6 stand alone.
    assert expected.traces.height == 5
    left = [LINES[n] for n in [*order, *again]]
    cut: list[tuple[str, list[str]]] = []
    for kind, size in files:
        cut.append((kind, left[:size]))
        left = left[size:]
    landed(place, [*cut, ("jsonl", left)])
    assembly = ingest()
    assert assembly.traces.drop("source_files").equals(expected.traces.drop("source_files"))
    repeated = sum('"resourceSpans"' in LINES[n] for n in again)
    counts = assembly.counts
    assert (counts.records_in, counts.records_out, counts.duplicates, counts.quarantined) == (
        SPANS + repeated, SPANS, repeated, 0,
    )  # fmt: skip


COPIES = {
    "rich": span(1, 1, gen_ai__operation__name="chat", a="x", b="y"),
    "long": span(1, 1, seconds=2, gen_ai__operation__name="chat", a="long"),
    "high": span(1, 1, seconds=1, gen_ai__operation__name="chat", a="zz"),
    "low": span(1, 1, seconds=1, gen_ai__operation__name="chat", a="aa"),
}


@given(st.lists(st.sampled_from(sorted(COPIES)), min_size=1, max_size=8))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
def test_of_copies_that_differ_the_same_one_stays(
    place: DataDir, ingest: Callable[..., Assembly], names: list[str]
) -> None:
    landed(place, [("jsonl", [request(COPIES[name])]) for name in names])
    (row,) = ingest().traces.to_dicts()
    # Most attributes, then the latest end, then the bytes that sort last.
    best = next(name for name in COPIES if name in names)
    kept = json.loads(row["attributes"])["a"]
    assert kept == {"rich": "x", "long": "long", "high": "zz", "low": "aa"}[best]
    assert ("conflicting_duplicate" in row["flags"]) == (len(set(names)) > 1)
