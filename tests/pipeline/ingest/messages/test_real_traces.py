"""What real traces of each framework must yield, told from reading the files, not the importer.

For an observation: which one it is, then per message of its input and of its output the role, the
tools it calls, and a few words it holds.
"""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from pipeline.ingest.messages import read_messages
from pipeline.ingest.records import Message

_TOOLS = "get_pun_suggestion get_dad_joke_suggestion get_one_liner_suggestion"
# file: (name of the observation, number of the one of that name that is meant, input, output)
OBSERVATIONS: dict[str, list[tuple[str, int, str, str]]] = {
    "agno-2025-06-11": [
        ("Agent.run", 0, "user:What is currently trending",
         "system:markdown user:trending assistant>duckduckgo_search tool:Hashtags "
         "assistant:Twitter Explore"),
        ("OpenAIChat.invoke", 0,
         "system:markdown user:trending assistant>duckduckgo_search tool:Hashtags",
         "assistant:Twitter Explore"),
        ("OpenAIChat.invoke", 1, "system:markdown user:trending", "assistant>duckduckgo_search"),
        # The same calls as openlit saw them: a transcript that shows no tool calls.
        ("chat gpt-4o-mini", 0, "system:markdown user:trending tool:Hashtags",
         "assistant:Twitter Explore"),
        ("chat gpt-4o-mini", 1, "system:markdown user:trending", ""),
    ],
    "autogen-2025-06-06": [
        ("chat gpt-4o", 0, "system:TERMINATE user:Hello World", "assistant:Hello World!"),
    ],
    "beeai-2025-08-01": [
        ("backend.openai.chat.start-14", 0, "system:Available functions user:Barcelona", ""),
        ("backend.openai.chat.start-16", 0,
         "system:Available functions user:Barcelona assistant:Thought assistant:Thought", ""),
        ("agent.react.success-2", 0,
         "system:Available functions user:Barcelona assistant:Thought assistant:Thought "
         "assistant:vibrant", "assistant:vibrant"),
        ("beeai-framework-main", 0, "user:planning a trip", "assistant:Barcelona is a vibrant"),
    ],
    "google-adk-2025-08-28": [
        ("call_llm", 0, "system:say_hello user:hi assistant>say_hello tool:greeting",
         "assistant:Hello Langfuse"),
        ("call_llm", 1, "system:say_hello user:hi", "assistant>say_hello"),
        ("invocation [hello_app]", 0, "user:hi", "assistant:Hello Langfuse"),
    ],
    "google-gemini-2025-08-01": [
        ("GenerateContent", 0, "user:What is Langfuse", "assistant:observability"),
    ],
    "google-vertex-tools-langchain-2025-09-19": [
        # Five more entries declare the tools the model may call: nobody said them.
        ("VertexGemini", 0,
         "system:transition tools system:external source user:interested assistant:full name "
         "user:John Smith", "assistant:Thank you"),
    ],
    "koog-2025-08-26": [
        ("llm.chat", 0,
         "system:polite user:Bob assistant>HelloTool tool:darling assistant>ByeTool tool:Bye",
         "assistant:bye my dear"),
        ("llm.chat", 1, "system:polite user:Bob", "assistant>HelloTool assistant>ByeTool"),
    ],
    "langgraph-2025-08-22": [
        ("ChatOpenAI", 0, "user:helpful user:summarize", "assistant>Web-Search"),
        ("ChatOpenAI", 1, "user:helpful user:summarize assistant>Web-Search tool:Example Result",
         "assistant:example.com"),
        ("LangGraph", 0, "user:summarize",
         "user:summarize assistant>Web-Search tool:Example Result assistant:example.com"),
        ("tools", 0, "user:summarize assistant>Web-Search", "tool:Example Result"),
    ],
    "llamaindex-2025-06-05": [
        ("OpenAI.complete", 0, "user:What is Langfuse", "assistant:monitor and debug"),
    ],
    "microsoft-agent-2025-10-14": [
        ("chat gpt-4o", 0, "assistant>get_weather tool:stormy", "assistant:19°C"),
        ("chat gpt-4o", 1, "user:Portland", "assistant>get_weather"),
        ("invoke_agent 99981f6a-abd1-4d09-9fba-00e2ab172193", 0, "user:Portland",
         "assistant>get_weather tool:stormy assistant:19°C"),
    ],
    "openai-agents-2025-09-30": [
        ("response", 0, "user:Tokyo assistant>get_weather tool:sunny",
         "system:helpful assistant:sunny"),
        ("response", 1, "user:Tokyo", "system:helpful assistant>get_weather"),
    ],
    "openai-assistants-2024-05-29": [
        ("", 0, "assistant:math tutor user:3x + 11", "assistant:subtract 11"),
    ],
    "pydantic-ai-tools-2025-12-04": [
        ("chat gpt-4o-mini", 0,
         f"system:joke writer user:THREE assistant>{_TOOLS.replace(' ', '+')} tool:Pun tool:Dad "
         "tool:One-liner", "assistant:dark mode"),
        ("chat gpt-4o-mini", 1, "system:critic user:Rate this joke", "assistant>final_result"),
        ("chat gpt-4o-mini", 2,
         f"system:joke writer user:THREE assistant>{_TOOLS.replace(' ', '+')} tool:Pun tool:Dad "
         "tool:One-liner assistant:dark mode user:Now write", "assistant:too many bugs"),
    ],
}  # fmt: skip
_ROLES = ("system", "user", "assistant", "tool")


def _read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def _expected(told: str) -> list[tuple[str, str, str]]:
    """`role:words` and `role>tool+tool`, in a row, as (role, tools, words)."""
    found: list[list[str]] = []
    for word in told.split():
        role = next((role for role in _ROLES if word.startswith((f"{role}:", f"{role}>"))), None)
        if role is None:
            found[-1][2] += f" {word}"
        elif word[len(role)] == ">":
            found.append([role, word[len(role) + 1 :], ""])
        else:
            found.append([role, "", word[len(role) + 1 :]])
    return [(role, tools, words) for role, tools, words in found]


def _check(messages: list[Message], told: str) -> None:
    expected = _expected(told)
    assert [m.role for m in messages] == [role for role, _, _ in expected]
    for message, (_, tools, words) in zip(messages, expected, strict=True):
        assert "+".join(call.name for call in message.tool_calls) == tools
        assert words in (message.content or "")


@pytest.mark.parametrize(
    ("file", "name", "number", "heard", "said"),
    [(file, *told) for file, many in OBSERVATIONS.items() for told in many],
)
def test_an_observation(shared_data, file, name, number, heard, said):
    trace = _read(shared_data / "langfuse-framework-traces" / f"{file}.json")
    told = [o for o in trace["observations"] if (o["name"] or "") == name][number]
    _check(read_messages(told["input"]), heard)
    _check(read_messages(told["output"], "assistant"), said)


def test_every_framework_is_there(shared_data):
    files = {path.stem for path in (shared_data / "langfuse-framework-traces").glob("*.json")}
    assert files == set(OBSERVATIONS)


@pytest.mark.parametrize(
    ("file", "arguments"),
    [
        ("agno-2025-06-11", '{"query":"currently trending on Twitter"}'),
        ("google-adk-2025-08-28", "{}"),
        ("koog-2025-08-26", '{"name":"Bob"}'),
        ("langgraph-2025-08-22", '{"query":"example"}'),
        ("microsoft-agent-2025-10-14", '{"location":"Portland"}'),
        ("openai-agents-2025-09-30", '{"city":"Tokyo"}'),
        ("pydantic-ai-tools-2025-12-04", '{"topic":"programming"}'),
    ],
)
def test_arguments_and_results_that_join(shared_data, file, arguments):
    trace = _read(shared_data / "langfuse-framework-traces" / f"{file}.json")
    messages = [m for o in trace["observations"] for m in read_messages(o["input"])]
    calls = [call for message in messages for call in message.tool_calls]
    assert calls
    assert {call.arguments for call in calls} == {arguments}
    answered = {m.tool_call_id for m in messages if m.role == "tool"} - {None}
    # Koog's and ADK's results name no call: they join by their order.
    assert answered <= {call.id for call in calls}
    assert bool(answered) == (file not in ("google-adk-2025-08-28", "koog-2025-08-26"))


@pytest.mark.parametrize(
    ("file", "earlier", "later"),
    [
        ("agno-2025-06-11", "OpenAIChat.invoke", "OpenAIChat.invoke"),
        ("google-adk-2025-08-28", "call_llm", "call_llm"),
        ("koog-2025-08-26", "llm.chat", "llm.chat"),
        ("langgraph-2025-08-22", "ChatOpenAI", "ChatOpenAI"),
        ("microsoft-agent-2025-10-14", "chat gpt-4o", "chat gpt-4o"),
        ("openai-agents-2025-09-30", "response", "response"),
    ],
)
def test_what_was_said_is_what_the_next_span_repeats(shared_data, file, earlier, later):
    trace = _read(shared_data / "langfuse-framework-traces" / f"{file}.json")
    spans = [o for o in trace["observations"] if o["name"] == earlier]
    first, second = sorted(spans, key=lambda o: o["startTime"])
    said = read_messages(first["output"], "assistant")
    turns = [(m.role, m.content, m.tool_calls, m.name) for m in read_messages(second["input"])]
    spoken = [(m.role, m.content, m.tool_calls, m.name) for m in said if m.role != "system"]
    assert spoken
    assert all(turn in turns for turn in spoken)


def test_traces_as_a_whole(shared_data):
    # ADK's input is JSON inside JSON, Assistants' output a text quoted twice.
    folder = shared_data / "langfuse-framework-traces"
    adk = _read(folder / "google-adk-2025-08-28.json")["trace"]
    assert read_messages(adk["input"]) == [Message("user", "hi")]
    tutor = _read(folder / "openai-assistants-2024-05-29.json")["trace"]
    (answer,) = read_messages(tutor["output"], "assistant")
    assert (answer.content or "").startswith("Sure, first")
    microsoft = _read(folder / "microsoft-agent-2025-10-14.json")["trace"]
    said = read_messages(microsoft["output"], "assistant")
    _check(said, "assistant>get_weather tool:stormy assistant:19°C")
    assert said[0].tool_calls[0].id == said[1].tool_call_id == "call_Sz1QP8T7fuJkIECGDLFWOorq"


def test_tau_bench(shared_data):
    runs = _read(shared_data / "tau-bench" / "gpt-4o-airline.tasks00-24.json")
    roles: Counter[str] = Counter()
    for run in runs:
        messages = read_messages(run["traj"])
        assert len(messages) == len(run["traj"])
        roles.update(message.role for message in messages)
        for message, told in zip(messages, run["traj"], strict=True):
            assert message.content == told["content"]
            written = [c["function"]["arguments"] for c in told.get("tool_calls") or ()]
            assert [call.arguments for call in message.tool_calls] == written
    # 760 answers, 576 calls, and 45 of both at once; counted in the file.
    assert roles == {"system": 100, "user": 860, "assistant": 1381, "tool": 621}


def test_who_and_when(shared_data):
    for path in (shared_data / "who-and-when").glob("*.json"):
        history = _read(path)["history"]
        messages = read_messages(history)
        assert [m.content for m in messages] == [told["content"] for told in history]
        assert [m.name for m in messages] == [told["name"] for told in history]
        assert {m.role for m in messages} <= {"user", "assistant"}


def test_inspect_logs(shared_data):
    folder = shared_data / "inspect-logs" / "eval-logs"
    images = _read(folder / "log_images_tc.json")["samples"][0]["messages"]
    _check(read_messages(images), "system:single word user:picture assistant:[hedgehog]")
    user = read_messages(images)[1].content or ""
    assert user == "What is this a picture of?\n[image]"
    errors = _read(folder / "log_tool_call_error.json")["samples"][0]["messages"]
    messages = read_messages(errors)
    assert {(m.role, m.name) for m in messages} == {("tool", "bash")}
    assert messages[0].tool_call_id == "bash_1"


def test_openinference_fixtures(shared_data):
    folder = shared_data / "openinference-fixtures"
    current = _read(folder / "genai" / "otel_genai_client_span_tool_calls.json")
    heard = "user:Weather in Paris? assistant>get_weather tool:rainy, 57°F"
    for name in ("gen_ai.input.messages", "input"):
        messages = read_messages(current[name])
        _check(messages, heard)
        assert messages[1].content == "Absolutely! Let me check the weather for you."
        assert messages[1].tool_calls[0].arguments == '{"location":"Paris"}'
    _check(read_messages(current["output"], "assistant"), "assistant:57°F")
    old = _read(folder / "genai" / "otel_genai_deprecated_client_span_tool_calls.json")
    _check(read_messages(old["gen_ai.prompt"]), heard)
    assert read_messages(old["gen_ai.completion"], "assistant")[0].finish_reason == "stop"
    spans = _read(folder / "vercel-v6" / "all-spans.json")
    told = [span["attributes"] for span in spans if "ai.prompt.messages" in span["attributes"]]
    turns = [len(read_messages(attributes["ai.prompt.messages"])) for attributes in told]
    assert turns == [1, 4, 1, 1]
    assert read_messages(spans[1]["attributes"]["ai.prompt"]) == [
        Message("user", "Write a haiku about programming.")
    ]
