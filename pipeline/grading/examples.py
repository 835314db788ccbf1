"""The examples of a rule in the registry: made into conversations, and the rule run on them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time
from typing import Any

import orjson

from pipeline.grading.conversation import read_conversation
from pipeline.grading.rules import Finding, Scope, run_rules
from pipeline.registry import Registry, Rule
from pipeline.registry.rules import Example, ExampleStep
from pipeline.tables import REDACTED_TRACES

__all__ = ["ExampleRun", "example_row", "run_examples"]


@dataclass(frozen=True)
class ExampleRun:
    """One example of a rule, by its place in the YAML (from 1), and what the rule said of it."""

    rule: Rule
    number: int
    example: Example
    finding: Finding

    @property
    def holds(self) -> bool:
        """Whether the rule gave the verdict, and the code where one is stated."""
        wanted, got = self.example, self.finding
        return wanted.verdict == got.verdict and wanted.error_class in (None, got.error_class)


def run_examples(registry: Registry, rules: Sequence[Rule]) -> list[ExampleRun]:
    """Run each of `rules` on its own examples, in the registry's order."""
    intents = {intent.id: intent for intent in registry.intents}
    runs = []
    for rule in rules:
        for number, example in enumerate(rule.examples, 1):
            intent = intents.get(example.intent or "")
            scope = Scope(intent, example.intent_score, registry.intents)
            conversation = read_conversation(example_row(example.steps, example))
            ((_, finding),) = run_rules(conversation, [rule], scope)
            runs.append(ExampleRun(rule, number, example, finding))
    return runs


def example_row(steps: Sequence[ExampleStep], example: Example | None = None) -> dict[str, Any]:
    """The row of `redacted_traces` that a conversation of `steps` would have."""
    row: dict[str, Any] = dict.fromkeys(REDACTED_TRACES.columns)
    row |= {"trace_id": "example", "messages": [], "tool_calls": [], "retrievals": []}
    if example:
        row["started_at"] = datetime.combine(example.started_on, time(12), UTC)
    if example and example.output_type:
        row["attributes"] = orjson.dumps({"gen_ai.output.type": example.output_type}).decode()
    for number, step in enumerate(steps):
        for role, text in (
            ("system", step.system),
            ("user", step.user),
            ("assistant", step.agent),
        ):
            if text is not None:
                finish = step.finish_reason if role == "assistant" else None
                row["messages"].append(_message(role, text, finish_reason=finish))
        if step.call is not None or step.search is not None:
            _add_call(row, step, number)
    return row


def _add_call(row: dict[str, Any], step: ExampleStep, number: int) -> None:
    """Add a call to the messages, and its span or retrieval beside them."""
    name = step.call or "search"
    given: dict[str, Any] = {"query": step.search} if step.search is not None else step.arguments
    arguments = orjson.dumps(given).decode()
    text = step.result
    if step.search is not None:
        text = "\n".join(document.content for document in step.documents)
        documents = [document.model_dump() for document in step.documents]
        row["retrievals"].append(
            {"span_id": f"s{number}", "query": step.search, "documents": documents}
        )
    else:
        if text is not None and not isinstance(text, str):
            text = orjson.dumps(text).decode()
        row["tool_calls"].append(
            {
                "span_id": f"s{number}",
                "call_id": f"c{number}",
                "name": name,
                "arguments": arguments,
                "result": text,
                "status": step.status,
                "error": None,
                "started_at": row["started_at"],
                "duration_ms": 5.0,
            }
        )
    asked = {"id": f"c{number}", "name": name, "arguments": arguments}
    row["messages"].append(_message("assistant", None, tool_calls=[asked]))
    row["messages"].append(_message("tool", text, tool_call_id=f"c{number}"))


def _message(role: str, content: str | None, **more: Any) -> dict[str, Any]:
    empty: dict[str, Any] = dict.fromkeys(("tool_call_id", "name", "finish_reason"))
    return {"role": role, "content": content, "tool_calls": []} | empty | more
