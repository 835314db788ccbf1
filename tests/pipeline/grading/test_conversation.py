"""A row of `redacted_traces` as turns: who said, called and found what."""

from __future__ import annotations

from pipeline.grading import read_conversation
from tests.pipeline.grading.traces import agent, call, conversation, row, search, system, user


def test_turns_hold_what_was_said_called_and_found() -> None:
    view = conversation(
        system("Be kind."),
        user("Hello"),
        user("Where is P-1?"),
        call("get_order", {"order_id": "P-1"}, {"status": "shipped"}),
        agent("Shipped."),
        user("And returns?"),
        search("returns", ("HC-1", "30 days", 0.9)),
        agent("30 days."),
    )
    assert view.system == "Be kind."
    first, second = view.turns
    assert first.user is not None
    assert (first.user.ref, first.user.text) == ("message:2", "Hello\nWhere is P-1?")
    [lookup] = first.calls
    assert (lookup.ref, lookup.arguments, lookup.result) == (
        "span:s3", {"order_id": "P-1"}, {"status": "shipped"},
    )  # fmt: skip
    assert [d.id for d in second.documents] == ["HC-1"]
    assert [a.text for _, _, a in view.answered] == ["Shipped.", "30 days."]


def test_results_come_from_tool_messages_where_no_span_has_them() -> None:
    made = row(user("P-1?"), call("find", {"q": "P-1"}, "Error: not found"), agent("No."))
    made["tool_calls"] = []
    [lookup] = read_conversation(made).calls
    assert (lookup.ref, lookup.status) == ("message:2", "error")


def test_spans_that_no_message_asked_for_are_kept_and_repeated_ones_are_not() -> None:
    made = row(user("P-1?"), call("find", {"q": "P-1"}, {}), agent("No."))
    own = made["tool_calls"][0]
    made["tool_calls"] = [
        own,
        own | {"span_id": None},  # the same call again, out of a repeated history
        own | {"span_id": "s9", "call_id": "c9", "name": "log"},
    ]
    assert [c.name for c in read_conversation(made).calls] == ["find", "log"]


def test_a_result_that_was_not_recorded_is_not_an_empty_one() -> None:
    [unrecorded] = conversation(user("?"), call("find", {}, None), agent("So.")).calls
    [empty] = conversation(user("?"), call("find", {}, ""), agent("So.")).calls
    assert (unrecorded.empty, empty.empty) == (False, True)


def test_documents_are_found_in_a_tools_result_too() -> None:
    documents = [{"id": "HC-7", "content": "Free of charge.", "score": 0.4}]
    view = conversation(user("?"), call("search_help", {"query": "x"}, documents), agent("Free."))
    assert [(d.id, d.score, d.ref) for d in view.documents] == [("HC-7", 0.4, "span:s1")]


def test_a_long_text_keeps_head_and_tail() -> None:
    view = conversation(user("a" * 50_000 + "z"), agent("So."))
    assert len(view.user_text) < 21_000
    assert view.user_text[0] + view.user_text[-1] == "az"


def test_what_rules_derive_is_worked_out_once_for_each_conversation() -> None:
    asked: list[str] = []

    def derive() -> str:
        asked.append("again")
        return "derived"

    one, other = conversation(user("Hi")), conversation(user("Hi"))
    assert [one.once("words", derive), one.once("words", derive)] == ["derived"] * 2
    assert other.once("words", derive) == other.once(("words", 2), derive) == "derived"
    assert len(asked) == 3
