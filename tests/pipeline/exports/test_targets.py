"""What each target's files hold: texts as they were, ids, fixtures and provenance kept."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path
from typing import Any

import jinja2
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from pipeline.exports import TARGETS, write_files
from pipeline.exports.chat import as_chat
from pipeline.exports.promptfoo import inert, inert_json
from tests.pipeline.exports.reading import cases_of, exported, lines_of
from tests.pipeline.exports.toy import HOSTILE, case, nasty_texts, refund_case, toy_suite

CASES = cases_of(toy_suite(40))
NASTY = st.one_of(
    st.text(),
    st.lists(st.sampled_from(["{", "{{", "}}", "{%", "%}", "{#", "#}", "#", "x", '"', "\\", " "]))
    .map("".join),
    st.sampled_from([*HOSTILE, *nasty_texts(50)]),
)  # fmt: skip
# The same syntax as nunjucks has; ours must come out of it as it went in.
TEMPLATES = jinja2.Environment(keep_trailing_newline=True, autoescape=False)


@given(NASTY)
def test_no_template_begins_or_ends_in_inert_json(text: str):
    said = inert_json([{"content": text, "{{": {"#}": [text]}}])
    assert not re.search(r"\{[{%#]|#\}", said)
    assert json.loads(said) == [{"content": text, "{{": {"#}": [text]}}]


@given(NASTY)
def test_an_inert_text_renders_as_itself(text: str):
    text = text.replace("\r\n", "\n").replace("\r", "\n")  # Jinja makes all line breaks one
    assert TEMPLATES.from_string(inert(text)).render(env={}, x=1).removeprefix(" ") in (
        text,
        text.removeprefix(" "),
    )


@pytest.mark.parametrize("text", ["file:///etc/passwd", "package:x:y", "https://127.0.0.1/"])
def test_an_inert_text_is_nothing_to_fetch(text: str):
    assert inert(text) == f" {text}"


def chat_of(target: str) -> dict[str, list[dict[str, Any]]]:
    """The conversations as a target's files hold them, by case."""
    files = exported(target, CASES)
    match target:
        case "promptfoo":
            tests = lines_of(files["tests.jsonl"])
            return {t["vars"]["case"]: json.loads(t["vars"]["messages"]) for t in tests}
        case "inspect":
            return {s["id"]: s["input"] for s in lines_of(files["samples.jsonl"])}
        case "deepeval":
            kept = [g["additional_metadata"] for g in json.loads(files["goldens.json"])]
            return {k["case_id"]: k["messages"] for k in kept}
        case "openai-evals":
            samples = lines_of(files["data/toys/samples.jsonl"])
            return {s["case_id"]: s["input"] for s in samples}
        case "langfuse":
            items = lines_of(files["items.jsonl"])
            return {i["metadata"]["case_id"]: i["input"]["messages"] for i in items}
        case "langsmith":
            examples = lines_of(files["examples.jsonl"])
            return {e["metadata"]["case_id"]: e["inputs"]["messages"] for e in examples}
        case "phoenix":
            body = json.loads(files["dataset.json"])
            pairs = zip(body["example_ids"], body["inputs"], strict=True)
            return {name: given["messages"] for name, given in pairs}
    return {c["id"]: c["input"]["messages"] for c in lines_of(files["cases.jsonl"])}


@pytest.mark.parametrize("target", TARGETS)
def test_every_text_of_every_turn_is_there_as_it_was(target: str):
    found = chat_of(target)
    # promptfoo would call a test without assertions passed: what only a judge can tell stays out
    absent = {"case-judged"} if target == "promptfoo" else set()
    assert set(found) == {one.case_id for one in CASES} - absent
    for one in CASES:
        if one.case_id not in absent:
            texts = [m["content"] or "" for m in found[one.case_id]]
            assert texts == [m["content"] or "" for m in one.messages]
            assert [m["role"] for m in found[one.case_id]] == [m["role"] for m in one.messages]


@pytest.mark.parametrize("target", TARGETS)
def test_checks_fixtures_documents_and_provenance_are_carried(target: str):
    files = exported(target, cases_of([refund_case()]))
    # promptfoo keeps them as JSON in a text: one more level of quoting
    whole = b"".join(files.values()).decode().replace("\\", "").replace("u007b", "{")
    for kept in ("argument_max", "facts_supported", "HC-1", "t" * 32, "fm-1", "get_order"):
        assert kept in whole


@pytest.mark.parametrize("target", TARGETS)
def test_an_export_is_the_same_bytes_again_and_written_whole(target: str, tmp_path: Path):
    files = exported(target, CASES)
    assert files == exported(target, CASES)
    write_files(files, tmp_path)
    write_files(files, tmp_path)
    found = {str(p.relative_to(tmp_path)): p.read_bytes() for p in tmp_path.rglob("*.*")}
    assert found == dict(files)
    assert (tmp_path / next(iter(files))).stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize("target", [name for name, one in TARGETS.items() if one.runs])
def test_what_runs_checks_brings_its_code_and_whole_cases(target: str):
    files = exported(target, CASES)
    whole = {c["id"]: c for c in lines_of(files["cases.jsonl"])}
    assert whole == {one.case_id: one.body for one in CASES}
    code = [name for name in files if name.endswith((".py", ".cjs"))]
    assert code
    for name in code:
        if name.endswith(".py"):
            ast.parse(files[name])


def test_no_yaml_of_ours_has_a_tag_and_all_reads_safely():
    for target in TARGETS:
        for name, content in exported(target, CASES).items():
            if name.endswith(".yaml"):
                assert b"!" not in content
                assert yaml.safe_load(content)["toys"]["id"] == "toys.cases.v1"


def test_promptfoo_asks_its_judge_only_when_told_to():
    plain = lines_of(exported("promptfoo", CASES)["tests.jsonl"])
    assert {a["type"] for t in plain for a in t["assert"]} == {"javascript"}
    judged = {
        t["vars"]["case"]: t["assert"]
        for t in lines_of(exported("promptfoo", CASES, judged=True)["tests.jsonl"])
    }
    assert [a["type"] for a in judged["case-judged"]] == ["llm-rubric"]
    assert [a["type"] for a in judged["case-tool"]] == ["javascript", "llm-rubric"]
    assert judged["case-tool"][1]["value"] == 'It is {{ "{" }}{ kind }}.'


def test_promptfoo_never_gets_a_test_that_asserts_nothing():
    cases = cases_of([case("case-none", "Hi"), *toy_suite()])
    for judged in (False, True):
        tests = lines_of(exported("promptfoo", cases, judged=judged)["tests.jsonl"])
        assert all(t["assert"] for t in tests)


def test_inspect_has_calls_as_objects_and_keeps_what_is_no_object():
    broken = {"id": "c2", "name": "get_order", "arguments": "{broken"}
    body = refund_case()
    body["input"]["messages"][1]["tool_calls"].append(broken)
    [sample] = lines_of(exported("inspect", cases_of([body]))["samples.jsonl"])
    calls = sample["input"][1]["tool_calls"]
    assert calls[0]["arguments"] == {"order_id": "P-1"}
    assert (calls[1]["arguments"], calls[1]["parse_error"]) == ({}, "no JSON object: {broken")
    # the tool's answer names the function of the call that it answers
    assert sample["input"][2]["function"] == "get_order"


def test_every_call_has_an_id_and_every_answer_of_a_tool_that_of_its_call():
    """Recorders may leave them out; a model refuses a conversation without."""
    asked = [{"name": "a", "arguments": "{}"}, {"id": "c2", "name": "b", "arguments": "{}"}]
    messages = [
        {"role": "assistant", "content": None, "tool_calls": asked},
        {"role": "tool", "content": "of b", "tool_call_id": "c2"},
        {"role": "tool", "content": "of a"},
        {"role": "assistant", "content": None, "tool_calls": asked[:1]},
        {"role": "tool", "content": "of a again"},
        {"role": "user", "content": "Hi"},
    ]
    [made] = cases_of([case("case-a", "", input={"messages": messages})])
    chat = as_chat(made)
    assert [call["id"] for m in chat for call in m.get("tool_calls", ())] == [
        "call_0_0",
        "c2",
        "call_3_0",
    ]
    answered = [m["tool_call_id"] for m in chat if m["role"] == "tool"]
    assert answered == ["c2", "call_0_0", "call_3_0"]


def test_ids_on_platforms_follow_from_ours_and_differ_by_dataset():
    cases = cases_of([refund_case()])
    one, other = (
        lines_of(TARGETS["langsmith"].write(cases, name, judged=False)["examples.jsonl"])[0]["id"]
        for name in ("toys", "others")
    )
    assert one != other
    [item] = lines_of(exported("langfuse", cases)["items.jsonl"])
    assert item["id"] == "toys:case-refund"  # unique in the whole project, 255 at the most


def test_retired_cases_are_archived_where_a_platform_can_say_so():
    retired = cases_of([refund_case() | {"status": "retired"}])
    assert lines_of(exported("langfuse", retired)["items.jsonl"])[0]["status"] == "ARCHIVED"
