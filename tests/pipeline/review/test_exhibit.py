"""What a reviewer reads of a trace: all that happened, and nothing of verdicts while blind."""

from __future__ import annotations

import orjson
import pytest

from pipeline.datadir import DataDir
from pipeline.review.queue import Exhibit, read_exhibit
from pipeline.windows import day
from tests.pipeline.review.small_lake import DAY, publish_day

CALL = {"id": "c1", "name": "get_order", "arguments": '{"id":1}'}
SPAN = {"span_id": "s1", "call_id": "c1", "name": "get_order", "arguments": '{"id":1}',
        "result": '{"total":5}', "status": "timeout", "error": "TimeoutError"}  # fmt: skip
TRACE = {
    "trace_id": "t1",
    "messages": [
        {"role": "user", "content": "Where is it?"},
        {"role": "assistant", "content": None, "tool_calls": [CALL]},
        {"role": "assistant", "content": "Gone."},
    ],
    "tool_calls": [SPAN, SPAN | {"span_id": "s2", "call_id": None, "name": "audit"}],
    "retrievals": [{"span_id": "s3", "query": "q", "documents": [{"id": "HC-1", "content": "C"}]}],
    "feedback": {
        "scores": [
            {"name": "stars", "label": "negative", "source": "user", "comment": "bad"},
            {"name": "grader", "label": "SECRET-VERDICT", "source": "model"},
            {"name": "qa", "label": "SECRET-VERDICT", "source": "human"},
        ],
        "escalated": True,
    },
}
GRADES = [
    {"trace_id": "t1", "check": "wrong_tool", "layer": "rule", "grader_id": "r", "verdict": "fail",
     "reason": "SECRET-VERDICT", "evidence": ["span:s1", "message:2"]},
    {"trace_id": "t1", "check": "tone", "layer": "judge", "grader_id": "j", "verdict": "unknown",
     "reason": "SECRET-VERDICT", "evidence": ["message:0"]},
    {"trace_id": "t1", "check": "json", "layer": "rule", "grader_id": "r", "verdict": "pass"},
]  # fmt: skip


@pytest.fixture
def shown(place: DataDir) -> dict[bool, Exhibit]:
    publish_day(place, [TRACE], grades=GRADES)
    found = {}
    for blind in (True, False):
        exhibit = read_exhibit(place, "t1", day(DAY).first, blind=blind)
        assert exhibit is not None
        found[blind] = exhibit
    return found


def test_messages_calls_results_and_documents_stand_in_order(shown: dict[bool, Exhibit]) -> None:
    assert [(p.ref, p.kind, p.title, p.text) for p in shown[False].passages] == [
        ("message:0", "user", "", "Where is it?"),
        ("span:s1", "call", "get_order: timeout TimeoutError", '{"id":1}'),
        ("message:2", "assistant", "", "Gone."),
        ("span:s1", "tool", "get_order", '{"total":5}'),
        ("span:s2", "call", "audit: timeout TimeoutError", '{"id":1}'),
        ("span:s2", "tool", "audit", '{"total":5}'),
        ("span:s3", "document", "HC-1", "C"),
    ]


def test_evidence_of_a_fail_is_marked(shown: dict[bool, Exhibit]) -> None:
    marked = {p.ref: p.marked_by for p in shown[False].passages if p.marked_by}
    assert marked == {"span:s1": ("wrong_tool",), "message:2": ("wrong_tool",)}
    assert [(t.check, t.verdict) for t in shown[False].told] == [
        ("wrong_tool", "fail"), ("tone", "unknown"),
    ]  # fmt: skip


def test_a_blind_exhibit_tells_nothing_of_judge_rule_or_colleague(
    shown: dict[bool, Exhibit],
) -> None:
    blind = shown[True]
    assert blind.told == ()
    assert not any(p.marked_by for p in blind.passages)
    assert b"SECRET-VERDICT" not in orjson.dumps(blind)
    assert [p.text for p in blind.passages] == [p.text for p in shown[False].passages]


def test_what_the_user_said_of_it_is_shown(shown: dict[bool, Exhibit]) -> None:
    assert shown[True].feedback == ("stars negative: bad", "handed over to a person")


def test_a_trace_or_a_day_that_is_gone_is_none(place: DataDir) -> None:
    assert read_exhibit(place, "t1", day(DAY).first, blind=True) is None
    publish_day(place, [TRACE])
    assert read_exhibit(place, "t2", day(DAY).first, blind=True) is None
