"""A case is put to a toy agent: fixtures answer its calls, the checks say what came of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
import pytest

from pipeline.promotion import Answer, CaseError, World, passes, read_case, replay
from pipeline.promotion.trials.restaging import recorded_of
from tests.pipeline.promotion.hand_made import apart, decisions

Messages = Sequence[Mapping[str, Any]]


def case_of_a_wrong_tool() -> dict[str, Any]:
    """The case of the day in which get_order was called where track_shipment was due."""
    frame = decisions([apart(n) for n in range(3)]).frame
    case: dict[str, Any] = orjson.loads(frame["case"][0])
    return case


def stubborn(messages: Messages, world: World) -> str:
    """An agent that does what the recorded one did."""
    world.call("get_order", {"order_id": "P-1"})
    return "Your order has been shipped."


def mended(messages: Messages, world: World) -> Answer:
    """An agent that has learnt the lesson; it says what the tool says."""
    told = world.call("track_shipment", {"order_id": "P-1"})
    return Answer((f"It is on its way: {told.status}",))


@pytest.mark.parametrize(("agent", "passed"), [(stubborn, False), (mended, True)])
def test_an_agent_that_learnt_the_lesson_passes(agent: Any, passed: bool) -> None:
    run = replay(read_case(case_of_a_wrong_tool()), agent)
    assert run.passed is passed
    assert [result.passed for result in run.results] == [passed]


def test_the_agent_gets_the_conversation_up_to_the_users_turn() -> None:
    seen: list[Messages] = []
    replay(read_case(case_of_a_wrong_tool()), lambda messages, world: seen.append(messages) or "")
    ((message,),) = seen
    assert message["role"] == "user"
    assert message["content"].startswith("Where is it")


def test_a_call_is_answered_as_it_was_recorded() -> None:
    case = case_of_a_wrong_tool()
    shipped = {"name": "get_order", "arguments": '{"order_id":"P-1"}', "result": "shipped"}
    case["tools"]["fixtures"] = [
        shipped,
        shipped | {"result": "lost", "status": "timeout"},
        shipped | {"arguments": '{"order_id":"P-2","full":true}', "result": "P-2"},
    ]
    world = World(read_case(case))
    # the same call again gets the next answer, and then that one for ever
    same = [world.call("get_order", {"order_id": "P-1"}) for _ in range(3)]
    assert [(one.result, one.status) for one in same] == [
        ("shipped", "ok"),
        ("lost", "timeout"),
        ("lost", "timeout"),
    ]
    # other arguments get the nearest fixture, and that is told
    assert world.call("get_order", {"order_id": "P-3", "full": True}).result == "P-2"
    assert world.call("cancel_order", {"order_id": "P-1"}).status == "error"
    assert (world.loose, world.missing) == (["get_order"], ["cancel_order"])
    assert [one.name for one in world.calls] == ["get_order"] * 4 + ["cancel_order"]


def test_a_search_finds_what_was_found_then() -> None:
    case = case_of_a_wrong_tool()
    case["tools"]["documents"] = [
        {"query": "returns", "documents": [{"id": "HC-1", "content": "Thirty days.", "score": 0.9}]}
    ]
    case["checks"] = [{"kind": "cites_only_retrieved"}, {"kind": "facts_supported"}]

    def citing(messages: Messages, world: World) -> str:
        (found,) = world.search("How long may I return it?").documents
        return f"{found.content} [{found.id}]"

    run = replay(read_case(case), citing)
    assert run.passed is True
    assert replay(read_case(case), lambda m, w: "It is 45 days [HC-2].").passed is False


UNHEARD = {"kind": "rule", "rule": "heard", "params": {"kind": "unanswered_call"}}


def test_what_is_said_before_a_call_is_no_answer_to_it() -> None:
    case = case_of_a_wrong_tool() | {"checks": [UNHEARD]}

    def hasty(messages: Messages, world: World) -> Answer:
        world.say("I will look it up.")
        world.call("get_order", {"order_id": "P-1"})
        return Answer(())

    assert replay(read_case(case), hasty).passed is False
    assert replay(read_case(case), stubborn).passed is True
    assert recorded_of(read_case(case)).answer == "Your order has been shipped."
    case["recorded"]["calls_after_answer"] = 1
    unheard = recorded_of(read_case(case))
    (check,) = read_case(case).checks
    assert (unheard.answer, passes(check, unheard)) == ("Your order has been shipped.", False)


def test_effort_is_not_told_by_one_turn() -> None:
    case = case_of_a_wrong_tool() | {"checks": [{"kind": "effort", "most_turns": 3}]}
    assert replay(read_case(case), lambda m, w: "Done.").passed is None
    assert replay(read_case(case), lambda m, w: Answer(("Done.",), turns=4)).passed is False


def test_the_recorded_turn_fails_as_it_did_when_the_case_was_made() -> None:
    read = read_case(case_of_a_wrong_tool())
    recorded = recorded_of(read)
    assert [call.name for call in recorded.calls] == ["get_order"]
    assert recorded.calls[0].result == {"order_id": "P-1", "status": "shipped"}
    assert recorded.answer == "Your order has been shipped."


@pytest.mark.parametrize(
    ("broken", "where"),
    [
        ({"checks": [{"kind": "magic"}]}, "checks.0"),
        ({"input": {"messages": [{"role": "ghost"}]}}, "input.messages.0.role"),
        ({"tools": {"fixtures": ["secret text"]}}, "tools.fixtures.0"),
    ],
)
def test_a_case_that_was_edited_into_nonsense_is_named(broken: dict[str, Any], where: str) -> None:
    with pytest.raises(CaseError) as refused:
        read_case(case_of_a_wrong_tool() | broken)
    assert where in str(refused.value)
    assert "case-" in str(refused.value)
    assert "secret text" not in str(refused.value)


def test_a_case_of_an_older_suite_is_read() -> None:
    case = case_of_a_wrong_tool()
    for name in ("birth", "expires_when"):
        del case[name]
    case["recorded"] = {name: case["recorded"][name] for name in ("answer", "calls")}
    assert replay(read_case(case), stubborn).passed is False
