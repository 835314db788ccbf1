"""Rules about which tools run: required and forbidden ones, their order, their arguments."""

from __future__ import annotations

from collections.abc import Hashable

from jsonschema.exceptions import best_match

from pipeline.grading.conversation import Call, Conversation
from pipeline.grading.rules.kinds import PASS, SKIPPED, Finding, Scope, checks, failed, search
from pipeline.grading.rules.reading import argument, key_of, values_under
from pipeline.ids import canonical_json
from pipeline.json_schemas import validator_of
from pipeline.registry.rules import DueCall, ToolArguments, ToolOrder, ToolUse, UnansweredCall

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
    """Before each call of `then`, a call of `first` succeeded: about the same thing, if told.

    The first call shares the argument `same`, or gave an object of that key and value: an order
    that was just placed has been seen.
    """
    seen = False
    done: set[Hashable] = set()
    for call in conversation.calls:
        if call.name in params.then:
            seen = True
            if _about(call, params.same) not in done:
                return failed(
                    "A tool was called before the one that has to come first had succeeded.",
                    call.ref,
                    subject=call.name,
                    error_class="out_of_order",
                )
        elif call.name in params.first and not call.failed:
            done.add(_about(call, params.same))
            if params.same is not None:
                done.update(map(key_of, values_under(call.result, params.same)))
    return PASS if seen else SKIPPED


def _about(call: Call, same: str | None) -> Hashable:
    """What a call is about; every call is about the same where nothing tells."""
    return None if same is None else key_of(argument(call, same))


@checks(DueCall)
def due_call(conversation: Conversation, params: DueCall, scope: Scope) -> Finding:
    """Where the user says one of `when`, one of the tools is called in the conversation."""
    for turn in conversation.turns:
        if turn.user and any(search(pattern, turn.user.text) for pattern in params.when):
            if any(call.name in params.tools for call in conversation.calls):
                return PASS
            return failed(
                "What the user said calls for a tool, and none that serves was called.",
                turn.user.ref,
                subject=params.tools[0],
                error_class="call_missing",
            )
    return SKIPPED


@checks(UnansweredCall)
def unanswered_call(conversation: Conversation, params: UnansweredCall, scope: Scope) -> Finding:
    """After the last call the agent says something, unless the call itself closes the talk."""
    if not conversation.calls:
        return SKIPPED
    last = conversation.turns[-1]
    heard = last.answer is not None and last.answer.index == conversation.message_count - 1
    if not last.calls or heard or last.calls[-1].name in params.closing:
        return PASS
    return failed(
        "The conversation ends with a call of which the user heard nothing.",
        last.calls[-1].ref,
        subject=last.calls[-1].name,
        error_class="unanswered",
    )


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
        error = best_match(validator_of(canonical_json(schema)).iter_errors(arguments))
        if error is not None:
            path = ".".join(str(p) for p in error.absolute_schema_path if p != "items")[:80]
            return failed(
                "A tool was called with arguments that its schema does not allow.",
                call.ref,
                subject=f"{call.name}: {path}",
                error_class=f"arguments_{error.validator}",
            )
    return PASS if seen else SKIPPED
