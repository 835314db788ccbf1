"""What a part of a message is, told by its type or by the one field that gives it away."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline.ingest.messages.calls import CALL_IDS, TOOL_NAMES
from pipeline.ingest.messages.values import first, label

__all__ = ["KIND_KEYS", "SHAPES", "TELLING", "are_parts", "kind_of", "part_text"]

KIND_KEYS = ("type", "block_type", "part_kind", "content_type", "$type", "__class__", "kind")
_KINDS: Mapping[str, str] = {
    name: kind
    for kind, names in {
        "text": "text input_text output_text summary_text refusal TextContent TextPart TextBlock "
        "markdown text_content text-content",
        "system": "system-prompt SystemPromptPart instruction",
        "user": "user-prompt UserPromptPart retry-feedback",
        "dropped": "reasoning thinking redacted_thinking compaction step-start step-finish "
        "source source-url source-document ThinkingPart ThinkingBlock ReasoningContent "
        "encrypted_content reasoning-file compaction_summary item_reference "
        "text_reasoning context_compaction reasoning_content cache-point instruction-delta "
        "instruction-digest instruction-baseline tool-availability-delta capability-load-delta "
        "model-settings-delta",
        "call": "tool_call tool-call tool_use toolCall function_call functionCall function "
        "server_tool_use server_tool_call mcp_tool_use ToolCallPart ToolUseBlock "
        "FunctionCallContent builtin-tool-call BuiltinToolCallPart custom_tool_call "
        "ToolCallBlock FunctionCall ToolCall mcp_server_tool_call",
        "both": "mcp_call tool-invocation dynamic-tool",
        "result": "tool_call_response tool_result tool-result toolResult function_call_output "
        "function_result functionResult function_response server_tool_call_response tool-error "
        "ToolReturnPart tool-return builtin-tool-return RetryPromptPart retry-prompt "
        "custom_tool_call_output FunctionResultContent tool-output FunctionExecutionResult "
        "mcp_server_tool_result ToolCallResult",
        "media": "image image_url image-url input_image audio audio-url input_audio video "
        "video-url file input_file document document-url blob uri binary media data hosted_file "
        "generic resource uploaded-file image_file audio_url video_url output_audio ImageContent "
        "BinaryContent ImageUrl AudioUrl VideoUrl DocumentUrl UploadedFile",
    }.items()
    for name in names.split()
}
# What a part without a type shows by its one telling field.
SHAPES = {
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
    *("source", "data", "file", "file_id", "file_data", "mime_type", "mimeType", "media_type"),
    *("mediaType", "blob", "inline_data", "inlineData", "fileData", "document", "base64", "bytes"),
    *("file_url", "fileId", "resource"),
)
_POINTERS = ("image", "image_url", "url", "uri", "input_audio", "audio", "video", "content")
# Words that records of any kind use for their own type: a pointer alone makes no part of them.
_COMMON = {"file", "document", "data", "generic", "media", "source", "resource"}


TELLING = frozenset(
    (*KIND_KEYS, *SHAPES, *CALL_IDS[:-3], "text", "json", "function", "arguments", "args")
)


def kind_of(part: Mapping[str, Any]) -> str | None:
    """What a part is: text, system, user, call, result, both, media or dropped; None: no part."""
    if part.keys().isdisjoint(TELLING):  # data, as most tool results are
        return None
    for key in KIND_KEYS:
        named = part.get(key)
        if isinstance(named, str):
            kind = _KINDS.get(named) or _by_ending(named)
            if kind is not None:
                return kind if _has_payload(part, kind) else None
    if "type" in part and isinstance(part["type"], str) and "toolCallId" not in part:
        return None
    for key, kind in SHAPES.items():
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
        return isinstance(part_text(part), str)
    if kind == "media":
        fields = _MEDIA_FIELDS if part.get("type") in _COMMON else _MEDIA_FIELDS + _POINTERS
        return any(key in part for key in fields)
    if kind == "call":
        return not _is_declaration(part)
    if part.get("type") == "source":  # Vercel's; records of any kind have a source
        return "sourceType" in part
    return True


def _is_declaration(part: Mapping[str, Any]) -> bool:
    """Whether this declares a tool rather than calls it; LangChain's callback lists them."""
    function = part.get("function", part)
    if not isinstance(function, Mapping):
        return False
    schema = function.get("parameters")
    told = isinstance(schema, Mapping) and (
        "properties" in schema or schema.get("type") == "object"
    )
    return told or ("description" in function and "id" not in part)


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


def part_text(part: Mapping[str, Any]) -> str | None:
    """The text of a text part, wherever it stands; None where it has none."""
    value = first(part, ("text", "content", "refusal", "value", "Text"))
    if isinstance(value, Mapping):  # OpenAI Assistants: {"text": {"value": ...}}
        value = value.get("value")
    if value is None and ("text" in part or "content" in part):
        return ""
    return value if isinstance(value, str) else None
