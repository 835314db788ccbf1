"""Parts of a message (text, calls, results, media), whatever the vendor calls them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pipeline.ingest.messages.calls import CALL_IDS, TOOL_NAMES, plain_result, read_call
from pipeline.ingest.messages.values import call_id, first, joined, json_text, label
from pipeline.ingest.records import Call, Message

__all__ = ["are_parts", "body_text", "kind_of", "read_parts"]

_KIND_KEYS = ("type", "block_type", "part_kind", "content_type", "$type", "__class__", "kind")
KINDS: Mapping[str, str] = {
    name: kind
    for kind, names in {
        "text": "text input_text output_text summary_text refusal TextContent TextPart TextBlock "
        "markdown text_content",
        "system": "system-prompt SystemPromptPart",
        "user": "user-prompt UserPromptPart",
        "dropped": "reasoning thinking redacted_thinking compaction step-start step-finish "
        "source source-url source-document ThinkingPart ThinkingBlock ReasoningContent "
        "encrypted_content usage citations reasoning-file compaction_summary item_reference "
        "text_reasoning context_compaction reasoning_content",
        "call": "tool_call tool-call tool_use toolCall function_call functionCall function "
        "server_tool_use server_tool_call mcp_tool_use ToolCallPart ToolUseBlock "
        "FunctionCallContent builtin-tool-call BuiltinToolCallPart custom_tool_call "
        "ToolCallBlock FunctionCall tool_calls mcp_server_tool_call",
        "both": "mcp_call tool-invocation dynamic-tool",
        "result": "tool_call_response tool_result tool-result toolResult function_call_output "
        "function_result functionResult function_response server_tool_call_response tool-error "
        "ToolReturnPart tool-return builtin-tool-return RetryPromptPart retry-prompt "
        "custom_tool_call_output FunctionResultContent tool-output FunctionExecutionResult "
        "mcp_server_tool_result",
        "media": "image image_url image-url input_image audio audio-url input_audio video "
        "video-url file input_file document document-url blob uri binary media data hosted_file "
        "generic image_file audio_url video_url output_audio ImageContent BinaryContent",
    }.items()
    for name in names.split()
}
# What a part without a type shows by its one telling field.
_SHAPES = {
    "toolUse": "call",
    "functionCall": "call",
    "function_call": "call",
    "tool_call": "call",
    "executable_code": "call",
    "executableCode": "call",
    "toolResult": "result",
    "functionResponse": "result",
    "function_response": "result",
    "tool_call_result": "result",
    "code_execution_result": "result",
    "codeExecutionResult": "result",
    "reasoningContent": "dropped",
    "reasoning": "dropped",
    "cachePoint": "dropped",
    "inlineData": "media",
    "inline_data": "media",
    "fileData": "media",
    "file_data": "media",
    "image": "media",
    "video": "media",
    "document": "media",
    "guardContent": "media",
}
_MEDIA_FIELDS = (
    *("image", "image_url", "source", "data", "url", "uri", "file", "file_id", "file_data"),
    *("input_audio", "audio", "video", "content", "mime_type", "mimeType", "media_type", "blob"),
    *("inline_data", "inlineData", "fileData", "document", "base64", "mediaType", "path", "bytes"),
)
_RESULTS = (
    *("response", "result", "output", "content", "server_tool_call_response", "Result"),
    *("results", "tools", "error", "errorText", "outcome"),
)
_RESULT_WRAPPERS = (
    *("toolResult", "functionResponse", "function_response", "tool_call_result"),
    *("toolInvocation", "code_execution_result", "codeExecutionResult"),
)


def kind_of(part: Mapping[str, Any]) -> str | None:
    """What a part is: text, system, user, call, result, both, media or dropped; None: no part."""
    for key in _KIND_KEYS:
        named = part.get(key)
        if isinstance(named, str):
            kind = KINDS.get(named) or _by_ending(named)
            if kind is not None:
                return kind if _has_payload(part, kind) else None
    if "type" in part and isinstance(part["type"], str) and "toolCallId" not in part:
        return None
    for key, kind in _SHAPES.items():
        if isinstance(part.get(key), Mapping):
            return kind
    if isinstance(part.get("text"), str):
        return "dropped" if part.get("thought") is True else "text"
    if "json" in part and len(part) == 1:
        return "text"
    return _untyped(part)


def _by_ending(named: str) -> str | None:
    if named.startswith("tool-"):
        return "both"
    if named.endswith(("_tool_result", "_call_output")):
        return "result"
    return "call" if named.endswith("_call") else None


def _has_payload(part: Mapping[str, Any], kind: str) -> bool:
    if kind == "text":
        return isinstance(_text_of(part), str)
    if kind == "media":
        return any(key in part for key in _MEDIA_FIELDS)
    if kind == "call":
        return not _is_declaration(part)
    return True


def _is_declaration(part: Mapping[str, Any]) -> bool:
    """Whether this declares a tool rather than calls it; LangChain's callback lists them."""
    function = part.get("function", part)
    return isinstance(function, Mapping) and "description" in function and "id" not in part


def _untyped(part: Mapping[str, Any]) -> str | None:
    """AutoGen writes calls and results without a type."""
    has_id = any(part.get(key) is not None for key in CALL_IDS[:-3])
    if has_id and any(key in part for key in ("content", "output", "result")):
        return "result"
    if isinstance(part.get("function"), Mapping):
        return None if _is_declaration(part) else "call"
    called = "arguments" in part or "args" in part
    return "call" if called and label(first(part, TOOL_NAMES)) else None


def are_parts(value: Any) -> bool:
    """Whether a list is a list of parts, and not data that happens to be a list."""
    return isinstance(value, list) and all(
        isinstance(part, str) or (isinstance(part, Mapping) and kind_of(part) is not None)
        for part in value
    )


def body_text(value: Any) -> str | None:
    """The prose of a content field: text, parts, or JSON of data."""
    value = plain_result(value)
    if value is None or isinstance(value, str):
        return value
    if are_parts(value):
        return joined(text for part in value if (text := _shown(part)))
    if isinstance(value, Mapping) and kind_of(value) in ("text", "media"):
        return _shown(value)
    return json_text(value)


def _text_of(part: Mapping[str, Any]) -> str | None:
    value = first(part, ("text", "content", "refusal", "value", "Text"))
    if isinstance(value, Mapping):  # OpenAI Assistants: {"text": {"value": ...}}
        value = value.get("value")
    if value is None and ("text" in part or "content" in part):
        return ""
    return value if isinstance(value, str) else None


def _shown(part: Any) -> str:
    """A part as text; media by a placeholder, since neither URLs nor bytes are kept."""
    if isinstance(part, str):
        return part
    kind = kind_of(part)
    if kind == "text":
        return json_text(part["json"]) if "json" in part else _text_of(part) or ""
    if kind in ("system", "user"):
        return body_text(part.get("content")) or ""
    if kind == "media":
        return f"[{_medium(part)}]"
    return ""


def _medium(part: Mapping[str, Any]) -> str:
    told = label(part.get("modality"))
    mime = first(part, ("mime_type", "mimeType", "media_type", "mediaType"))
    if told is None and isinstance(mime, str) and "/" in mime:
        told = mime.partition("/")[0]
        told = told if told in ("image", "audio", "video") else "file"
    if told is None:
        told = label(first(part, _KIND_KEYS)) or next((k for k in _SHAPES if k in part), "file")
    for medium in ("image", "audio", "video", "document"):
        if medium in told.lower():
            return medium
    return "file" if told.lower() not in ("blob", "uri", "data", "generic") else told.lower()


class _Turn:
    """The messages that parts make up, in the order in which they were said."""

    def __init__(self, role: str, name: str | None, answered: str | None) -> None:
        self.role, self.name, self.answered = role, name, answered
        self.messages: list[Message] = []
        self.texts: list[str] = []
        self.calls: list[Call] = []

    def close(self, reason: str | None = None) -> None:
        """End the message under way, if anything was said in it."""
        if self.texts or self.calls or reason is not None:
            role = "assistant" if self.calls else self.role
            text = joined(self.texts) if self.texts else None
            if self.calls and not text:
                text = None
            answered = self.answered if role == "tool" else None
            self.messages.append(
                Message(role, text, tuple(self.calls), answered, self.name, reason)
            )
        self.texts, self.calls = [], []

    def answer(self, part: Mapping[str, Any]) -> None:
        """Add a tool's result as a message of its own."""
        self.close()
        inner: Any = part
        for key in _RESULT_WRAPPERS:
            if isinstance(part.get(key), Mapping):
                inner = part[key]
        origin = inner.get("origin")
        told = {**inner, **origin, **part} if isinstance(origin, Mapping) else {**part, **inner}
        identity = call_id(first(told, CALL_IDS)) or self.answered
        name = label(first(told, TOOL_NAMES)) or self.name
        value = first(inner, _RESULTS)
        content = body_text(value) if value is not None else _silent(inner)
        self.messages.append(Message("tool", content, (), identity, name))


def _silent(part: Mapping[str, Any]) -> str | None:
    return "" if any(part.get(key) == "" for key in _RESULTS) else None


def read_parts(
    parts: Iterable[Any],
    role: str,
    name: str | None = None,
    answered: str | None = None,
    reason: str | None = None,
) -> list[Message]:
    """The messages that a message's parts make up: a tool's result is a message of its own.

    Reasoning is dropped, since nobody was told it; so is a message of nothing else.

    Args:
        parts: strings and objects; what is no part stays as JSON text.
        role: whose message it is, name: its name, answered: the call that a tool message answers.
        reason: why the model stopped.
    """
    turn = _Turn(role, name, answered)
    for part in parts:
        if not isinstance(part, Mapping):
            if part is not None:
                turn.texts.append(json_text(part))
            continue
        kind = kind_of(part)
        if kind in ("call", "both"):
            named = label(part.get("type"))
            own = named.removesuffix("_call").removeprefix("tool-") if named else None
            call = read_call(part, own)
            if call is not None:
                turn.calls.append(call)
            inner = part.get("toolInvocation", part)
            if kind == "both" and isinstance(inner, Mapping):
                if any(inner.get(key) is not None for key in ("output", "result", "errorText")):
                    turn.answer(part)
        elif kind == "result":
            turn.answer(part)
        elif kind in ("system", "user"):
            if turn.role != kind:
                turn.close()
                turn.role = kind
            turn.texts.append(_shown(part))
        elif kind is None:
            turn.texts.append(json_text(part))
        elif kind != "dropped":
            turn.texts.append(_shown(part))
    if reason is not None and turn.messages and not turn.texts and not turn.calls:
        reason = None
    turn.close(reason)
    return turn.messages
