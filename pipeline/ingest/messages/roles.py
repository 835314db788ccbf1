"""Who speaks and why a turn ended, in one vocabulary."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["ROLES", "finish_reason", "role_of"]

# Speakers as vendors name them; the class names are those that Python reprs show.
ROLES: Mapping[str, str] = {
    name: role
    for role, names in {
        "system": "system developer systemmessage systemmessagechunk system_prompt system-prompt",
        "user": "user human customer end_user humanmessage humanmessagechunk usermessage",
        "assistant": "assistant model ai bot agent chatbot aimessage aimessagechunk "
        "assistantmessage tool-call tool_call",
        "tool": "tool function ipython toolmessage toolmessagechunk functionmessage toolresult "
        "functionmessagechunk tool-response tool_response tool_result "
        "functionexecutionresultmessage",
    }.items()
    for name in names.split()
} | {"other": "other"}

_REASONS: Mapping[str, str] = {
    name: reason
    for reason, names in {
        "stop": "stop end_turn stop_sequence complete completed end eos eos_token",
        "length": "length max_tokens max_output_tokens model_length model_context_window_exceeded",
        "content_filter": "content_filter content_filtered safety recitation blocklist refusal "
        "prohibited_content spii guardrail_intervened image_safety",
        "tool_call": "tool_call tool_calls tool_use function_call",
    }.items()
    for name in names.split()
}


def role_of(value: Any) -> str:
    """A speaker as system, user, assistant, tool or other; enums are read by their value."""
    if isinstance(value, Mapping):
        value = value.get("value") or value.get("label") or value.get("Label") or value.get("role")
    if not isinstance(value, str) or len(value) > 100:
        return "other"
    return ROLES.get(value) or ROLES.get(value.rpartition(".")[2].strip().lower(), "other")


def finish_reason(value: Any) -> str | None:
    """Why the model stopped, in the words of the OTel GenAI conventions where they have one."""
    if type(value) is str and (known := _REASONS.get(value)) is not None:
        return known
    if isinstance(value, Mapping):  # Vercel: {"unified": "stop", "raw": "end_turn"}
        value = value.get("unified") or value.get("value")
    if not isinstance(value, str) or not value or len(value) > 100:
        return None
    plain = value.rpartition(".")[2].strip().lower().replace("-", "_")
    if not plain.replace("_", "").isalnum():  # a sentence, as AutoGen writes, is no reason
        return None
    return _REASONS.get(plain, plain)
