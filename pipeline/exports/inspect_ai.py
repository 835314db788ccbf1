"""Inspect AI: samples as JSON lines, and a task that scores them by our checks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from pipeline.exports.case import Case
from pipeline.exports.chat import with_ids
from pipeline.exports.target import Files, Target, beside, facts_of_case, json_lines

__all__ = ["TARGET"]


def _write(cases: Sequence[Case], dataset: str, *, judged: bool) -> Files:
    return {
        "samples.jsonl": json_lines([_sample(case) for case in cases]),
        "cases.jsonl": json_lines([case.body for case in cases]),
        **beside("caselaw_task.py", "caselaw_checks.py"),
    }


def _sample(case: Case) -> dict[str, Any]:
    """A sample; its session is the cluster of `stderr(cluster="duplicate_group")`."""
    facts = facts_of_case(case)
    group = case.part("provenance").get("duplicate_group") or case.case_id
    return {
        "id": case.case_id,
        "input": _messages(case),
        "target": case.text("expected"),
        "metadata": facts | {"duplicate_group": group},
    }


def _messages(case: Case) -> list[dict[str, Any]]:
    """The messages; a tool's answer names the function whose call it answers."""
    asked: dict[str, str] = {}
    made = []
    for message in with_ids(case.messages):
        calls = [_call(call) for call in message.get("tool_calls") or ()]
        asked |= {call["id"]: call["function"] for call in calls}
        body: dict[str, Any] = {"role": message["role"], "content": message.get("content") or ""}
        if calls:
            body["tool_calls"] = calls
        if message["role"] == "tool":
            known = message["tool_call_id"]
            body |= {"tool_call_id": known, "function": message.get("name") or asked.get(known)}
        made.append(body)
    return made


def _call(call: Mapping[str, Any]) -> dict[str, Any]:
    """A call as Inspect has it: arguments that are no JSON object are kept as a parse error."""
    given = call.get("arguments")
    arguments, error = given, None
    if isinstance(given, str):
        try:
            arguments = orjson.loads(given)
        except orjson.JSONDecodeError:
            arguments = None
    if not isinstance(arguments, Mapping):
        arguments, error = {}, f"no JSON object: {given}" if given else None
    body = {
        "id": call["id"],
        "function": call["name"],
        "arguments": dict(arguments),
        "type": "function",
    }
    return body | ({"parse_error": error} if error else {})


TARGET = Target(
    "inspect",
    _write,
    runs=True,
    judges=False,
    follow_up="inspect eval {folder}/caselaw_task.py -T agent=my_agent:answer",
)
