"""The OTel GenAI conventions: messages with parts."""

from __future__ import annotations

import orjson
from hypothesis import given
from hypothesis import strategies as st

from pipeline.ingest.messages import genai_messages, read_messages
from pipeline.ingest.records import Call, Message


def _one(role: str, *parts: dict, **more: object) -> dict:
    return {"role": role, "parts": list(parts), **more}


def _text(text: str) -> dict:
    return {"type": "text", "content": text}


def test_a_conversation_with_a_tool():
    told = [
        _one("system", _text("be kind")),
        _one("user", _text("hi"), {"type": "uri", "modality": "image", "uri": "https://x"}),
        _one(
            "assistant",
            {"type": "reasoning", "content": "hm"},
            _text("I look."),
            {"type": "tool_call", "id": "c1", "name": "f", "arguments": {"b": 2, "a": 1}},
            finish_reason="tool_call",
        ),
        _one("tool", {"type": "tool_call_response", "id": "c1", "response": {"x": 1}}),
        _one("assistant", _text("done"), finish_reason="stop"),
    ]
    expected = [
        Message("system", "be kind"),
        Message("user", "hi\n[image]"),
        Message("assistant", "I look.", (Call("c1", "f", '{"a":1,"b":2}'),), None, None,
                "tool_call"),
        Message("tool", '{"x":1}', (), "c1"),
        Message("assistant", "done", finish_reason="stop"),
    ]  # fmt: skip
    assert read_messages(told) == expected
    assert read_messages(orjson.dumps(told).decode()) == expected
    assert genai_messages(told) == expected


def test_results_under_either_name_and_several_in_one_message():
    told = _one(
        "user",
        {"type": "tool_call_response", "id": "c1", "name": "f", "result": "one"},
        {"type": "tool_call_response", "id": "c2", "name": "g", "response": "two"},
        _text("go on"),
    )
    assert read_messages([told]) == [
        Message("tool", "one", (), "c1", "f"),
        Message("tool", "two", (), "c2", "g"),
        Message("user", "go on"),
    ]


def test_microsofts_ids_of_run_and_call():
    call = {"type": "tool_call", "id": '["run_1", "call_1"]', "name": "f", "arguments": "{}"}
    # The text of the result is quoted once more in one span, and plain in the next.
    quoted = {"type": "tool_call_response", "id": ["run_1", "call_1"], "response": '"caf\\u00e9"'}
    assert read_messages([_one("assistant", call), _one("tool", quoted)]) == [
        Message("assistant", None, (Call("call_1", "f", "{}"),)),
        Message("tool", "café", (), "call_1"),
    ]


def test_tools_that_the_vendor_runs():
    told = _one(
        "assistant",
        _text("I search."),
        {"type": "server_tool_call", "id": "s1", "name": "web", "server_tool_call": {"q": "x"}},
        {"type": "server_tool_call_response", "id": "s1", "server_tool_call_response": {"n": 0}},
        _text("Nothing."),
        finish_reason="stop",
    )
    assert read_messages([told]) == [
        Message("assistant", "I search.", (Call("s1", "web", '{"q":"x"}'),)),
        Message("tool", '{"n":0}', (), "s1"),
        Message("assistant", "Nothing.", finish_reason="stop"),
    ]


def test_media_are_named_and_never_kept():
    told = _one(
        "user",
        {"type": "blob", "mime_type": "image/png", "modality": "image", "content": "QUJD"},
        {"type": "file", "mime_type": "application/pdf", "file_id": "f1"},
        {"type": "compaction", "content": "secret"},
    )
    assert read_messages([told]) == [Message("user", "[image]\n[file]")]


def test_a_message_of_reasoning_alone_is_none():
    assert read_messages([_one("assistant", {"type": "reasoning", "content": "hm"})]) == []


def test_system_instructions_are_parts_without_a_message():
    assert read_messages([_text("be kind"), _text("be brief")], "system") == [
        Message("system", "be kind\nbe brief")
    ]


def test_an_unknown_part_stays_as_json():
    assert read_messages([_one("user", {"type": "mood", "value": 7})]) == [
        Message("user", '{"type":"mood","value":7}')
    ]


_PARTS = st.one_of(
    st.builds(_text, st.text(max_size=8)),
    st.just({"type": "reasoning", "content": "hm"}),
    st.builds(
        lambda arguments, identity: {
            "type": "tool_call", "id": identity, "name": "f", "arguments": arguments,
        },
        st.sampled_from(["{}", '{"a": 1}', {"a": 1}, None, ""]),
        st.sampled_from(["c1", None]),
    ),
    st.builds(
        lambda key, value: {"type": "tool_call_response", "id": "c1", key: value},
        st.sampled_from(["response", "result"]),
        st.sampled_from(["ok", '"ok"', "", None, {"a": 1}, [{"type": "text", "text": "ok"}]]),
    ),
)  # fmt: skip
_MESSAGES = st.lists(
    st.fixed_dictionaries(
        {
            "role": st.sampled_from(["user", "assistant", "tool", "Chef"]),
            "parts": st.lists(_PARTS, max_size=3),
        },
        optional={
            "finish_reason": st.sampled_from(["stop", "MAX_TOKENS", None]),
            "name": st.sampled_from(["", "Ada"]),
        },
    ),
    min_size=1,
    max_size=3,
)


@given(_MESSAGES)
def test_json_text_says_what_the_list_says(told):
    assert read_messages(orjson.dumps(told).decode()) == read_messages(told)
