"""OpenAI's shapes: chat completions, the Responses API, Assistants."""

from __future__ import annotations

import orjson
from hypothesis import given
from hypothesis import strategies as st

from pipeline.ingest.messages import openai_message, read_messages
from pipeline.ingest.records import Call, Message

_CALL = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}}


def test_a_conversation_with_a_tool():
    told = [
        {"role": "developer", "content": "be kind"},
        {"role": "user", "content": "hi"},
        {"role": "assistant", "content": "", "tool_calls": [_CALL]},
        {"role": "tool", "tool_call_id": "c1", "content": "found"},
        {"role": "assistant", "content": "done", "refusal": None},
    ]
    expected = [
        Message("system", "be kind"),
        Message("user", "hi"),
        # Arguments stay byte for byte; an empty text beside a call says nothing.
        Message("assistant", None, (Call("c1", "f", '{"a": 1}'),)),
        Message("tool", "found", (), "c1"),
        Message("assistant", "done"),
    ]
    assert read_messages(told) == expected
    assert read_messages(orjson.dumps(told).decode()) == expected
    assert read_messages({"model": "m", "messages": told}) == expected
    assert [openai_message(message) for message in told] == expected


def test_parts_of_a_content():
    parts = [
        {"type": "text", "text": "look"},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}},
        {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}},
    ]
    assert read_messages([{"role": "user", "content": parts}]) == [
        Message("user", "look\n[image]\n[audio]")
    ]


def test_the_function_call_of_old():
    told = {"role": "assistant", "content": None, "function_call": {"name": "f", "arguments": "{}"}}
    answer = {"role": "function", "name": "f", "content": "found"}
    assert read_messages([told, answer]) == [
        Message("assistant", None, (Call(None, "f", "{}"),)),
        Message("tool", "found", name="f"),
    ]


def test_a_response_and_why_it_ended():
    answer = {"role": "assistant", "content": None, "tool_calls": [_CALL]}
    choices = [{"index": 0, "finish_reason": "tool_calls", "message": answer}]
    assert read_messages({"choices": choices, "usage": {}}, "assistant") == [
        Message("assistant", None, (Call("c1", "f", '{"a": 1}'),), finish_reason="tool_call")
    ]
    cut = {"choices": [{"text": "Once upon", "finish_reason": "length"}]}
    assert read_messages(cut, "assistant") == [
        Message("assistant", "Once upon", finish_reason="length")
    ]


def test_the_first_of_several_choices_is_the_one_said():
    choices = [{"message": {"role": "assistant", "content": text}} for text in ("one", "two")]
    assert read_messages({"choices": choices}) == [Message("assistant", "one")]


RESPONSE_ITEMS = [
    {"type": "reasoning", "id": "rs", "summary": [{"type": "summary_text", "text": "hm"}]},
    {"type": "web_search_call", "id": "ws", "status": "completed", "action": {"query": "q"}},
    {"type": "function_call", "id": "fc", "call_id": "c1", "name": "f", "arguments": '{"a": 1}'},
    {
        "type": "message",
        "role": "assistant",
        "content": [{"type": "output_text", "text": "hello", "annotations": []}],
    },
]
RESPONSE_MESSAGES = [
    Message("assistant", None, (Call("ws", "web_search", '{"query":"q"}'),)),
    Message("assistant", None, (Call("c1", "f", '{"a": 1}'),)),
    Message("assistant", "hello"),
]


def test_the_responses_api():
    response = {"object": "response", "instructions": "be kind", "output": RESPONSE_ITEMS}
    assert read_messages(response, "assistant") == [
        Message("system", "be kind"),
        *RESPONSE_MESSAGES,
    ]
    # The next request repeats the items among others: the same turns.
    result = {"type": "function_call_output", "call_id": "c1", "output": "found"}
    request = {
        "instructions": "be kind",
        "input": [{"role": "user", "content": "hi"}, *RESPONSE_ITEMS, result],
    }
    assert read_messages(request) == [
        Message("system", "be kind"),
        Message("user", "hi"),
        *RESPONSE_MESSAGES,
        Message("tool", "found", (), "c1"),
    ]
    assert read_messages({"instructions": None, "input": "hi"}) == [Message("user", "hi")]


def test_a_response_that_was_cut():
    output = [{"type": "message", "role": "assistant", "content": [
        {"type": "output_text", "text": "Once"}]}]  # fmt: skip
    told = {"output": output, "incomplete_details": {"reason": "max_output_tokens"}}
    assert read_messages(told) == [Message("assistant", "Once", finish_reason="length")]


def test_messages_of_the_assistants_api():
    content = [{"type": "text", "text": {"value": "hello", "annotations": []}}]
    told = {"object": "list", "data": [{"object": "thread.message", "role": "assistant",
            "content": content}]}  # fmt: skip
    assert read_messages(told) == [Message("assistant", "hello")]


def test_an_api_resource_is_no_message():
    # It has instructions and a type, but nobody says anything in it.
    told = {"id": "asst", "object": "assistant", "instructions": "be kind", "name": "Tutor"}
    (message,) = read_messages(told, "assistant")
    assert orjson.loads(message.content or "") == told


_TEXT = st.text(max_size=8)
_IDS = st.sampled_from(["c1", "c2", '["run", "c3"]'])
_CALLS = st.lists(
    st.builds(
        lambda name, arguments, identity: {
            "id": identity,
            "type": "function",
            "function": {"name": name, "arguments": arguments},
        },
        st.sampled_from(["f", "g"]),
        st.sampled_from(["{}", '{"a": 1}', ""]),
        _IDS,
    ),
    max_size=2,
)
_MESSAGES = st.lists(
    st.one_of(
        st.fixed_dictionaries(
            {"role": st.sampled_from(["system", "user", "human", "bot", "Chef"]), "content": _TEXT},
            optional={"name": st.sampled_from(["", "Ada"])},
        ),
        st.fixed_dictionaries(
            {"role": st.just("assistant"), "content": st.none() | _TEXT},
            optional={"tool_calls": _CALLS, "refusal": st.none()},
        ),
        st.fixed_dictionaries(
            {"role": st.just("tool"), "content": _TEXT | st.just('"quoted"')},
            optional={"tool_call_id": _IDS},
        ),
    ),
    min_size=1,
    max_size=4,
)


@given(_MESSAGES)
def test_json_text_says_what_the_list_says(told):
    # JSON text of the plain shape is decoded on a shorter way; both ways must say the same.
    assert read_messages(orjson.dumps(told).decode()) == read_messages(told)
