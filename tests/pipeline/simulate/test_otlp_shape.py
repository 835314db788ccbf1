"""The landed files look as the Collector's file exporter and the GenAI conventions say."""

from __future__ import annotations

import itertools
import json
import re

from .conftest import World
from .landed import read_spans

HEX32, HEX16 = re.compile(r"[0-9a-f]{32}"), re.compile(r"[0-9a-f]{16}")


def test_each_line_is_one_export_request(world: World) -> None:
    for path in world.folder.glob("landing/*.jsonl"):
        for line in path.read_text().splitlines():
            assert list(json.loads(line)) == ["resourceSpans"]


def test_ids_are_hex_and_unique_and_times_are_strings(world: World) -> None:
    seen = set()
    for span in read_spans(world.folder / "landing"):
        assert HEX32.fullmatch(span["traceId"])
        assert HEX16.fullmatch(span["spanId"])
        assert span["parentSpanId"] == "" or HEX16.fullmatch(span["parentSpanId"])
        assert isinstance(span["startTimeUnixNano"], str)
        assert int(span["startTimeUnixNano"]) < int(span["endTimeUnixNano"])
        seen.add((span["traceId"], span["spanId"]))
        for attribute in span["attributes"]:
            if "intValue" in attribute["value"]:
                assert isinstance(attribute["value"]["intValue"], str)
    assert len(seen) == sum(len(t.spans) for t in world.talks.values())


def test_every_parent_is_there_and_ends_last(world: World) -> None:
    for talk in world.talks.values():
        ends = {(s["traceId"], s["spanId"]): int(s["endTimeUnixNano"]) for s in talk.spans}
        for span in talk.spans:
            if span["parentSpanId"]:
                parent = ends[span["traceId"], span["parentSpanId"]]
                assert parent >= int(span["endTimeUnixNano"])


def test_web_is_one_trace_and_the_app_one_trace_a_turn(world: World) -> None:
    for talk in world.talks.values():
        traces = {s["traceId"] for s in talk.spans}
        roots = [s for s in talk.spans if not s["parentSpanId"]]
        operations = {s["attrs"]["gen_ai.operation.name"] for s in roots}
        if talk.channel == "web":
            assert (len(traces), operations) == (1, {"invoke_workflow"})
        else:
            assert (len(traces), operations) == (len(talk.turns), {"invoke_agent"})
        for before, after in itertools.pairwise(talk.turns):
            assert 0 < after.start - before.end < 30 * 60


def test_history_grows_from_span_to_span(world: World) -> None:
    for talk in world.talks.values():
        chats = [s for s in talk.spans if s["attrs"]["gen_ai.operation.name"] == "chat"]
        chats.sort(key=lambda s: int(s["startTimeUnixNano"]))
        histories = [json.loads(s["attrs"]["gen_ai.input.messages"]) for s in chats]
        for before, after in itertools.pairwise(histories):
            assert after[: len(before)] == before
        parts = [p for m in histories[-1] for p in m["parts"] if p["type"] == "tool_call"]
        assert [p["name"] for p in parts] == [c.name for c in talk.calls]


def test_traffic_has_the_variety_of_production(world: World) -> None:
    spans = list(read_spans(world.folder / "landing"))
    operations = {s["attrs"]["gen_ai.operation.name"] for s in spans}
    assert operations == {"invoke_workflow", "invoke_agent", "chat", "execute_tool", "retrieval"}
    assert {s["resource"]["service.version"] for s in spans} == {"2.3.4", "2.4.0", "2.5.0"}
    assert any(s["attrs"].get("user.opt_out") for s in spans)
    assert {s["attrs"]["error.type"] for s in spans if "error.type" in s["attrs"]} >= {"timeout"}
    labels = {
        a["value"]["stringValue"]
        for s in spans
        for e in s["events"]
        for a in e["attributes"]
        if a["key"] == "gen_ai.evaluation.score.label"
    }
    assert labels == {"positive", "negative"}
    lengths = {len(t.turns) for t in world.talks.values()}
    assert {1, 2, 3, 4, 5, 6, 7, 8} <= lengths <= set(range(1, 13))
    split: dict[str, set[tuple[str, int]]] = {s["traceId"]: set() for s in spans}
    for path in world.folder.glob("landing/*-web.jsonl"):
        for number, line in enumerate(path.read_text().splitlines()):
            for trace in set(re.findall(r'"traceId":"([0-9a-f]{32})"', line)):
                split[trace].add((path.name, number))
    assert any(len(places) > 1 for places in split.values())
    assert world.report.bytes < 60_000_000
