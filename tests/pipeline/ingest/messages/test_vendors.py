"""Anthropic, Bedrock, Gemini, Cohere, Ollama: requests, responses, and history repeating both."""

from __future__ import annotations

from pipeline.ingest.messages import read_messages
from pipeline.ingest.records import Call, Message

_CLAUDE = [
    {"type": "thinking", "thinking": "hm", "signature": "s"},
    {"type": "text", "text": "According to it, "},
    {"type": "text", "text": "grass is green", "citations": [{"cited_text": "x"}]},
    {"type": "text", "text": "."},
    {"type": "tool_use", "id": "t1", "name": "find", "input": {"q": "x"}},
]
# A citation cuts a sentence: its parts are one text again.
_SAID = ("According to it, grass is green.", (Call("t1", "find", '{"q":"x"}'),))


def test_anthropic():
    request = {
        "model": "claude",
        "system": [{"type": "text", "text": "be kind", "cache_control": {"type": "ephemeral"}}],
        "messages": [
            {"role": "user", "content": "hi"},
            {"role": "assistant", "content": _CLAUDE},
            {
                "role": "user",
                "content": [
                    {"type": "tool_result", "tool_use_id": "t1", "content": [
                        {"type": "text", "text": "found"}]},
                    {"type": "tool_result", "tool_use_id": "t2", "content": "no", "is_error": True},
                    {"type": "image", "source": {"type": "base64", "data": "QUJD"}},
                    {"type": "text", "text": "go on"},
                ],
            },
        ],
    }  # fmt: skip
    assert read_messages(request) == [
        Message("system", "be kind"),
        Message("user", "hi"),
        Message("assistant", *_SAID),
        Message("tool", "found", (), "t1"),
        Message("tool", "no", (), "t2"),
        Message("user", "[image]\ngo on"),
    ]
    response = {
        "type": "message",
        "role": "assistant",
        "content": _CLAUDE,
        "stop_reason": "tool_use",
    }
    assert read_messages(response, "assistant") == [
        Message("assistant", *_SAID, finish_reason="tool_call")
    ]
    assert read_messages(_CLAUDE, "assistant") == [Message("assistant", *_SAID)]


def test_bedrock_converse():
    said = {
        "role": "assistant",
        "content": [
            {"reasoningContent": {"reasoningText": {"text": "hm"}}},
            {"text": "I look."},
            {"toolUse": {"toolUseId": "t1", "name": "f", "input": {"a": 1}}},
        ],
    }
    results = [
        {"toolResult": {"toolUseId": "t1", "status": "success", "content": [{"text": "found"}]}},
        {"toolResult": {"toolUseId": "t2", "content": [{"json": {"x": 1}}]}},
    ]
    request = {
        "system": [{"text": "be kind"}],
        "messages": [
            {"role": "user", "content": [{"text": "hi"}, {"image": {"format": "png"}}]},
            said,
            {"role": "user", "content": results},
        ],
    }
    call = (Call("t1", "f", '{"a":1}'),)
    assert read_messages(request) == [
        Message("system", "be kind"),
        Message("user", "hi\n[image]"),
        Message("assistant", "I look.", call),
        Message("tool", "found", (), "t1"),
        Message("tool", '{"x":1}', (), "t2"),
    ]
    response = {"output": {"message": said}, "stopReason": "tool_use"}
    assert read_messages(response, "assistant") == [
        Message("assistant", "I look.", call, finish_reason="tool_call")
    ]


def test_gemini_and_adk():
    said = {
        "role": "model",
        "parts": [
            {"text": "hm", "thought": True},
            {"text": "I look."},
            {"function_call": {"name": "f", "args": {"a": 1}}},
        ],
    }
    answer = {"function_response": {"name": "f", "response": {"x": 1}}}
    request = {
        "model": "gemini",
        "config": {"system_instruction": "be kind"},
        "contents": [
            {"role": "user", "parts": [{"text": "hi"}, {"inlineData": {"mimeType": "image/png"}}]},
            said,
            {"role": "user", "parts": [answer]},
        ],
    }
    call = (Call(None, "f", '{"a":1}'),)
    assert read_messages(request) == [
        Message("system", "be kind"),
        Message("user", "hi\n[image]"),
        Message("assistant", "I look.", call),
        Message("tool", '{"x":1}', name="f"),
    ]
    ended = Message("assistant", "I look.", call, finish_reason="stop")
    candidates = {"candidates": [{"content": said, "finish_reason": "FinishReason.STOP"}]}
    assert read_messages(candidates, "assistant") == [ended]
    assert read_messages({"content": said, "finishReason": "STOP"}, "assistant") == [ended]
    assert read_messages({"contents": "hi", "model": "gemini"}) == [Message("user", "hi")]
    runner = {"user_id": "u", "new_message": {"role": "user", "parts": [{"text": "hi"}]}}
    assert read_messages(runner) == [Message("user", "hi")]


def test_gemini_in_camel_case_with_a_cut():
    part = {"functionCall": {"id": "1", "name": "f", "args": {}}}
    told = {"candidates": [{"content": {"parts": [part]}, "finishReason": "MAX_TOKENS"}]}
    assert read_messages(told) == [
        Message("assistant", None, (Call("1", "f", "{}"),), finish_reason="length")
    ]


def test_cohere():
    request = {
        "preamble": "be kind",
        "chat_history": [{"role": "USER", "message": "hi"}, {"role": "CHATBOT", "message": "yo"}],
        "message": "more",
    }
    assert read_messages(request) == [
        Message("system", "be kind"),
        Message("user", "hi"),
        Message("assistant", "yo"),
        Message("user", "more"),
    ]
    answer = {"role": "assistant", "content": [{"type": "text", "text": "hello"}]}
    assert read_messages({"message": answer, "finish_reason": "COMPLETE"}) == [
        Message("assistant", "hello", finish_reason="stop")
    ]
    document = {"type": "document", "document": {"data": "found"}}
    assert read_messages([{"role": "tool", "tool_call_id": "c1", "content": [document]}]) == [
        Message("tool", "found", (), "c1")
    ]


def test_ollama():
    told = {
        "model": "m",
        "message": {"role": "assistant", "content": "hello"},
        "done_reason": "stop",
    }
    assert read_messages(told) == [Message("assistant", "hello", finish_reason="stop")]
