"""Text that holds messages: JSON in JSON, Python reprs, transcripts; and text that holds none."""

from __future__ import annotations

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.ingest.messages import read_messages, read_text
from pipeline.ingest.records import Call, Message

_USER = Message("user", "hi")


def test_plain_text_is_one_message_of_the_given_role():
    assert read_messages("hi") == [_USER]
    assert read_messages("hi", "assistant") == [Message("assistant", "hi")]


@pytest.mark.parametrize("silent", [None, "", "  ", "null", "None", "[]", "{}", [], {}])
def test_what_says_nothing_is_no_message(silent):
    assert read_messages(silent) == []


def test_json_inside_json():
    once = orjson.dumps([{"role": "user", "content": "hi"}]).decode()
    twice = orjson.dumps(once).decode()
    assert read_messages(once) == read_messages(twice) == [_USER]
    assert read_messages('"hi"') == read_messages('"\\"hi\\""') == [_USER]


def test_data_stays_byte_for_byte():
    assert read_messages('{"city":  "Oslo"}') == [Message("user", '{"city":  "Oslo"}')]
    assert read_messages({"city": "Oslo"}) == [Message("user", '{"city":"Oslo"}')]
    documents = [{"content": "x", "score": 1, "source": "page.html"}]
    assert read_messages(documents) == [Message("user", orjson.dumps(documents).decode())]


def test_results_that_look_like_parts_are_data():
    for data in (
        [{"type": "source", "page": 1}],
        [{"type": "document", "url": "u", "title": "t"}],
        [{"type": "file", "path": "a.txt"}],
        [{"name": "Ada", "id": "1"}],
    ):
        text = orjson.dumps(data).decode()
        (result,) = read_messages([{"role": "tool", "tool_call_id": "c1", "content": text}])
        assert result.content == text
        (result,) = read_messages([{"role": "tool", "tool_call_id": "c1", "content": data}])
        assert orjson.loads(result.content or "") == data


def test_the_repr_of_a_message_list():
    told = [
        {"role": "user", "content": "it's\n\"é\" \\ \U0001f44b"},
        {"role": "assistant", "content": None, "tool_calls": [
            {"id": "c1", "function": {"name": "f", "arguments": '{"a": "b\'"}'}}]},
        {"role": "tool", "tool_call_id": "c1", "content": "['not', 'data']"},
    ]  # fmt: skip
    assert read_messages(repr(told)) == read_messages(told)
    assert read_messages(repr(tuple(told))) == read_messages(told)


@given(st.lists(st.tuples(st.sampled_from(["user", "assistant"]), st.text(min_size=1)), min_size=1))
def test_any_text_survives_its_repr(turns):
    told = [{"role": role, "content": text} for role, text in turns]
    assert read_messages(repr(told)) == read_messages(told)


def test_objects_as_their_classes_print_them():
    agno = "role='user' content='it\\'s \"hi\"' name=None timer=<agno.Timer object at 0x30> n=1"
    assert read_messages(agno) == [Message("user", 'it\'s "hi"')]
    assert read_messages({"messages": [agno, agno.replace("'user'", "'model'")]}) == [
        Message("user", 'it\'s "hi"'),
        Message("assistant", 'it\'s "hi"'),
    ]
    llamaindex = (
        "[ChatMessage(role=<MessageRole.USER: 'user'>, additional_kwargs={}, "
        "blocks=[TextBlock(block_type='text', text='hi')])]"
    )
    assert read_messages(llamaindex) == [_USER]
    openai = (
        "ChatCompletion(id='1', choices=[Choice(finish_reason='tool_calls', "
        "message=ChatCompletionMessage(content=None, role='assistant', "
        "tool_calls=[ChatCompletionMessageToolCall(id='c1', "
        "function=Function(arguments='{\"a\": 1}', name='f'), type='function')]))])"
    )
    assert read_messages(openai, "assistant") == [
        Message("assistant", None, (Call("c1", "f", '{"a": 1}'),), finish_reason="tool_call")
    ]
    pydantic = (
        "[ModelRequest(parts=[UserPromptPart(content='hi', "
        "timestamp=datetime.datetime(2026, 1, 5, tzinfo=datetime.timezone.utc))])]"
    )
    assert read_messages(pydantic) == [_USER]
    assert read_messages("Prediction(\n    answer='4'\n)", "assistant") == [
        Message("assistant", "4")
    ]


@pytest.mark.parametrize(
    "text",
    [
        "print('x')",
        "print(text='x')",
        "x = 5",
        "x=5",
        "level=info text='lost?' msg='no'",
        "['unclosed",
        "{'role': 'user', 'content': ",
        "[object Object]",
        "(see page 3)",
        "[1, 2]",
        "Note: the system is down\nuser: me",
        "System: Windows 11\nProblem: it hangs",
    ],
)
def test_what_only_looks_like_a_structure_is_text(text):
    assert read_messages(text) == [Message("user", text)]


def test_transcripts():
    told = "system: be kind\nuser: hi\nthere\nassistant: None\ntool: found\nassistant: done"
    expected = [
        Message("system", "be kind"),
        Message("user", "hi\nthere"),
        Message("tool", "found"),
        Message("assistant", "done"),
    ]
    assert read_messages(told) == expected
    assert read_messages("Human: hi\nAI: done") == [_USER, expected[-1]]
    assert read_messages("assistant: done", "assistant") == expected[-1:]
    assert read_messages(["user: hi", "assistant: ", "assistant: done"]) == [_USER, expected[-1]]


def test_a_surrogate_alone_is_replaced():
    # orjson refuses such JSON, and could not write it either.
    (message,) = read_messages('[{"role": "user", "content": "\\ud83d hi"}]')
    assert message.role == "user"
    assert message.content == "� hi"


@pytest.mark.parametrize("name", ["input", "question", "query", "prompt", "user_input", "text"])
def test_inputs_of_agents(name):
    assert read_messages({name: "hi", "top_k": 3}) == [_USER]


@pytest.mark.parametrize(
    "name", ["output", "answer", "response", "result", "completion", "generated_text", "text"]
)
def test_outputs_of_agents(name):
    told = {name: "done", "score": 0.5}
    assert read_messages(told, "assistant") == [Message("assistant", "done")]
    assert read_text(told) == "done"


def test_arguments_of_a_traced_function():
    assert read_messages({"args": ["hi"], "kwargs": {}}) == [_USER]
    assert read_messages({"args": [], "kwargs": {"question": "hi"}}) == [_USER]
    assert read_messages({"args": [], "kwargs": {}}) == []


def test_read_text_is_the_assistants_prose():
    assert read_text([{"role": "user", "content": "hi"}]) is None
    assert read_text({"choices": [{"message": {"role": "assistant", "content": "done"}}]}) == "done"
    assert read_text(None) is None
