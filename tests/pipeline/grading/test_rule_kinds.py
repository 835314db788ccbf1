"""Rules about which tools run, when, with what, how often; secrets; functions of one's own."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from pipeline.grading import Conversation
from pipeline.grading.rules import Finding, Scope, rule_identity
from pipeline.registry import RegistryError
from pipeline.registry.rules import Rule
from pipeline.sampling import UsualEffort
from tests.pipeline.grading.checking import check, told
from tests.pipeline.grading.traces import agent, call, search, user

LOOKED_UP = call("get_order", {"order_id": "P-1"}, {"delivered_on": "2026-10-01"})
FAILED = call("get_order", {"order_id": "P-1"}, {"error": "no"}, "error")
RETURN = call("create_return", {"order_id": "P-1"}, {"return_id": "R-1"})


@pytest.mark.parametrize(
    ("calls", "expected"),
    [
        ([LOOKED_UP], ("pass", None)),
        ([FAILED], ("pass", None)),  # called, whatever came of it
        ([], ("fail", "missing_tool")),
        ([LOOKED_UP, RETURN], ("fail", "forbidden_tool")),
    ],
)
def test_required_and_forbidden_tools(
    calls: list[dict[str, Any]], expected: tuple[str, str | None]
) -> None:
    params = {"required": ["get_order"], "forbidden": ["create_return"]}
    assert told(check("tool_use", params, [user("?"), *calls, agent("So.")])) == expected


OTHER = call("get_order", {"order_id": "P-2"}, {"status": "shipped"})


@pytest.mark.parametrize(
    ("calls", "expected"),
    [
        ([LOOKED_UP, RETURN], ("pass", None)),
        ([RETURN, LOOKED_UP], ("fail", "out_of_order")),
        ([FAILED, RETURN], ("fail", "out_of_order")),  # looked up, but without success
        ([OTHER, RETURN], ("fail", "out_of_order")),  # another order was looked up
        ([LOOKED_UP], ("skipped", None)),
    ],
)
def test_tool_order(calls: list[dict[str, Any]], expected: tuple[str, str | None]) -> None:
    params = {"first": ["get_order"], "then": ["create_return"], "same": "order_id"}
    assert told(check("tool_order", params, [user("?"), *calls, agent("So.")])) == expected


SCHEMA = {
    "type": "object",
    "required": ["order_id"],
    "additionalProperties": False,
    "properties": {"order_id": {"type": "string"}, "amount": {"type": "number", "minimum": 0}},
}


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"order_id": "P-1", "amount": 4.5}, ("pass", None)),
        ({"amount": 4.5}, ("fail", "arguments_required")),
        ({"order_id": 1}, ("fail", "arguments_type")),
        ({"order_id": "P-1", "amount": -1}, ("fail", "arguments_minimum")),
        ({"order_id": "P-1", "iban": "secret-value"}, ("fail", "arguments_additionalProperties")),
    ],
)
def test_tool_arguments(arguments: dict[str, Any], expected: tuple[str, str | None]) -> None:
    steps = [user("?"), call("refund", arguments, {}), call("other", {}, {}), agent("So.")]
    found = check("tool_arguments", {"schemas": {"refund": SCHEMA}}, steps)
    assert told(found) == expected
    assert "secret" not in f"{found.reason}{found.subject}"


def test_a_tool_schema_that_is_none_is_refused_where_it_stands() -> None:
    params = {"schemas": {"refund": {"type": "many"}}}
    with pytest.raises(ValidationError, match=r"schemas\.refund\n.*no JSON schema: type"):
        Rule.model_validate({"id": "r", "kind": "tool_arguments", "title": "R", "params": params})


@pytest.mark.parametrize(
    ("days", "expected"),
    [(40, ("pass", None)), (39, ("fail", "too_late"))],
)
def test_date_limit(days: int, expected: tuple[str, str | None]) -> None:
    """Delivered on 1 October, asked on 10 November: 40 days later."""
    params = {
        "tools": ["create_return"],
        "since": "delivered_on",
        "days": days,
        "same": "order_id",
    }
    steps = [user("?"), LOOKED_UP, RETURN, agent("So.")]
    assert told(check("date_limit", params, steps)) == expected
    unknown = [user("?"), OTHER, RETURN, agent("So.")]
    assert check("date_limit", params, unknown).verdict == "skipped"


def test_turn_limit() -> None:
    two = [user("a"), LOOKED_UP, agent("b"), user("c"), OTHER, agent("d")]
    assert check("turn_limit", {"turns": 2, "calls": 2}, two).verdict == "pass"
    assert told(check("turn_limit", {"turns": 1}, two)) == ("fail", "too_many_turns")
    assert told(check("turn_limit", {"calls": 1}, two)) == ("fail", "too_many_calls")
    with pytest.raises(ValidationError, match="give turns, calls or both"):
        check("turn_limit", {}, two)


TURN = (user("?"), agent("So."))
STOCK = call("check_stock", {"sku": "A"}, {"quantity": 3})


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ([user("?"), LOOKED_UP, OTHER, agent("So.")], ("pass", None)),
        ([user("?"), FAILED, FAILED, LOOKED_UP, agent("So.")], ("pass", None)),
        ([user("?"), FAILED, FAILED, FAILED, agent("So.")], ("fail", "retried")),
        ([user("?"), OTHER, *TURN, OTHER, *TURN, OTHER, agent("So.")], ("fail", "redundant")),
        ([user("?"), OTHER, STOCK, OTHER, STOCK, agent("So.")], ("fail", "circular")),
        ([user("?"), OTHER, STOCK, RETURN, OTHER, STOCK, agent("So.")], ("pass", None)),
        ([user("Hello"), agent("Hello.")], ("skipped", None)),
    ],
)
def test_trajectory(steps: list[dict[str, Any]], expected: tuple[str, str | None]) -> None:
    assert told(check("trajectory", {}, steps)) == expected


def test_a_long_run_without_a_circle_is_looked_through_in_linear_time() -> None:
    """Fifty thousand calls, no two alike: every round length and start would take hours."""
    many = [call("get_order", {"order_id": n}, {"n": n}) for n in range(50_000)]
    assert told(check("trajectory", {}, [user("?"), *many, agent("So.")])) == ("pass", None)


def test_effort_is_measured_against_what_the_intent_usually_takes() -> None:
    def of(turns: int, tokens: int, traces: int = 10) -> tuple[str, str | None]:
        usual = UsualEffort(turns=2.0, tokens=1000.0, traces=traces)
        params = {"norm_factor": 3.0, "norm_traces": 10}
        return told(check("trajectory", params, [*TURN] * turns, norm=usual, tokens=tokens))

    assert of(6, 3000) == ("pass", None)
    assert of(7, 0) == ("fail", "excess_turns")
    assert of(1, 3001) == ("fail", "excess_tokens")
    assert of(7, 9000, traces=9) == ("pass", None), "nine traces are no median"


def test_a_source_holds_what_it_is_cited_for() -> None:
    article = search("returns", ("HC-110", "Items can be returned within 30 days.", 0.8))

    def of(answer: str, question: str = "How long?") -> tuple[str, str | None]:
        steps = [user(question), article, agent(answer)]
        return told(check("citation", {"demand": "holds"}, steps))

    assert of("You have 30 days [HC-110].") == ("pass", None)
    assert of("You have 90 days [HC-110].") == ("fail", "unsupported_by_source")
    assert of("That is possible [HC-110].") == ("pass", None)
    assert of("Your 90 days are over [HC-110].", "Is it 90 days?") == ("pass", None)
    assert of("You have 90 days.") == ("skipped", None)


def test_a_secret_that_the_user_wrote_is_no_leak() -> None:
    key = "SECRET_BCDFGHJKLMNP"
    shown = check("leaked_secret", {}, [user("?"), agent(f"{key}.")])
    assert told(shown) == ("fail", "secret_shown")
    assert check("leaked_secret", {}, [user(key), agent(f"Replace {key}.")]).verdict == "pass"
    person = [user("?"), agent("PERSON_BCDFGHJKLMNP waits.")]
    assert check("leaked_secret", {}, person).verdict == "pass"
    assert check("leaked_secret", {"entities": ["PERSON"]}, person).verdict == "fail"


def says_please(
    conversation: Conversation, options: Mapping[str, Any], scope: Scope
) -> Finding | str:
    """A function of one's own: it fails users who do not say the word."""
    if options.get("broken"):
        raise RuntimeError(conversation.user_text)
    if options.get("text"):
        return "no finding"
    said = options["word"] in conversation.user_text
    return Finding("pass" if said else "fail", "The word was looked for.")


def test_a_function_of_ones_own_decides() -> None:
    name = f"{__name__}:says_please"

    def of(**options: Any) -> Finding:
        return check("python", {"function": name, "options": options}, [user("Go, please.")])

    assert of(word="please").verdict == "pass"
    assert of(word="thanks").verdict == "fail"
    assert told(of(broken=True)) == ("error", "check_broke")
    assert "Go, please" not in of(broken=True).reason
    assert of(text=True).verdict == "error"
    with pytest.raises(RegistryError, match=r"function 'nowhere:f' cannot be imported"):
        check("python", {"function": "nowhere:f"}, [user("Hello")])


def test_the_version_of_a_function_hangs_on_its_text(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    versions = []
    for number in (1, 2):
        (tmp_path / f"own_check_{number}.py").write_text(f"def check(*_):\n    return {number}\n")
        params = {"function": f"own_check_{number}:check"}
        body = {"id": "r", "kind": "python", "title": "R", "params": params}
        versions.append(rule_identity(Rule.model_validate(body)))
    assert versions[0] != versions[1]
