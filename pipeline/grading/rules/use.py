"""Rules about which tools run: required and forbidden ones, their order, their arguments."""

from __future__ import annotations

from functools import lru_cache

import orjson
from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match

from pipeline.grading.conversation import Call, Conversation
from pipeline.grading.rules.kinds import PASS, SKIPPED, Finding, Scope, checks, failed
from pipeline.grading.rules.reading import argument
from pipeline.ids import canonical_json
from pipeline.registry.rules import ToolArguments, ToolOrder, ToolUse

__all__: list[str] = []


@checks(ToolUse)
def tool_use(conversation: Conversation, params: ToolUse, scope: Scope) -> Finding:
    """Every required tool is called, whatever came of it, and none of the forbidden ones."""
    for call in conversation.calls:
        if call.name in params.forbidden:
            return failed(
                "A tool was called that the rule forbids.",
                call.ref,
                subject=call.name,
                error_class="forbidden_tool",
            )
    called = {call.name for call in conversation.calls}
    missing = [tool for tool in params.required if tool not in called]
    if missing and conversation.turns:
        last = conversation.turns[-1].answer or conversation.turns[-1].user
        return failed(
            "A tool that the rule requires was never called.",
            *([last.ref] if last else []),
            subject=missing[0],
            error_class="missing_tool",
        )
    return PASS


@checks(ToolOrder)
def tool_order(conversation: Conversation, params: ToolOrder, scope: Scope) -> Finding:
    """Before each call of `then`, a call of `first` succeeded: about the same thing, if told."""
    seen = False
    before: list[Call] = []
    for call in conversation.calls:
        if call.name in params.then:
            seen = True
            about = params.same
            if not any(
                about is None or argument(b, about) == argument(call, about) for b in before
            ):
                return failed(
                    "A tool was called before the one that has to come first had succeeded.",
                    call.ref,
                    subject=call.name,
                    error_class="out_of_order",
                )
        elif call.name in params.first and not call.failed:
            before.append(call)
    return PASS if seen else SKIPPED


@checks(ToolArguments)
def tool_arguments(conversation: Conversation, params: ToolArguments, scope: Scope) -> Finding:
    """Each call's arguments are an object that the schema of its tool allows.

    The subject names a place in the schema, never one in the arguments.
    """
    seen = False
    for call in conversation.calls:
        schema = params.schemas.get(call.name)
        if schema is None:
            continue
        seen = True
        if call.arguments is None and call.arguments_text.strip():
            return failed(
                "A tool was called with arguments that are no JSON.",
                call.ref,
                subject=call.name,
                error_class="arguments_not_json",
            )
        arguments = {} if call.arguments is None else call.arguments
        error = best_match(_validator(canonical_json(schema)).iter_errors(arguments))
        if error is not None:
            path = ".".join(str(p) for p in error.absolute_schema_path if p != "items")[:80]
            return failed(
                "A tool was called with arguments that its schema does not allow.",
                call.ref,
                subject=f"{call.name}: {path}",
                error_class=f"arguments_{error.validator}",
            )
    return PASS if seen else SKIPPED


@lru_cache(maxsize=256)
def _validator(schema: bytes) -> Draft202012Validator:
    return Draft202012Validator(orjson.loads(schema))
