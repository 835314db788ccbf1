"""The holdout leaks when what it asks stands among the examples, by hand, or in a prompt."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pipeline.embedding import word_embedder
from pipeline.registry import Axis, Registry, Rule, Settings
from pipeline.suite.leaks import Leak, find_leaks
from pipeline.suite.likeness import Likeness
from pipeline.suite.prompts import Prompt, read_prompts

ASKED = "The lamp came broken, how do I get a new one sent to me?"
NEAR = "Hello, the lamp came broken, how do I get a new one sent to me?"
OTHER = "Which of the two winter jackets is warmer in the wind?"


def case(split: str, *asked: str, **fields: Any) -> dict[str, Any]:
    messages = [{"role": "user", "content": text} for text in asked]
    return {"split": split, "input": {"messages": messages}} | fields


def leaks(
    cases: dict[str, dict[str, Any]],
    *prompts: Prompt,
    by_hand: dict[str, dict[str, Any]] | None = None,
    sessions: dict[str, str | None] | None = None,
) -> list[Leak]:
    limits = Settings().promotion
    return find_leaks(
        cases, by_hand or {}, sessions or {}, prompts, Likeness(word_embedder(), 0.92), limits
    )


def test_an_example_that_asks_the_same() -> None:
    cases = {"h": case("holdout", ASKED), "e": case("example", NEAR), "x": case("example", OTHER)}
    assert leaks(cases) == [Leak("h", "e", "example")]
    cases["e"]["status"] = "retired"
    assert leaks(cases) == []


def test_a_regression_case_may_ask_the_same_but_not_in_the_same_session() -> None:
    cases = {"h": case("holdout", ASKED), "r": case("regression", NEAR)}
    assert leaks(cases) == []
    assert leaks(cases, sessions={"h": "s", "r": "s"}) == [Leak("h", "r", "session")]
    for one in cases.values():
        one["provenance"] = {"duplicate_group": "g"}
    assert leaks(cases) == [Leak("h", "r", "duplicate")]


def test_a_case_by_hand_counts_as_an_example_unless_it_says_holdout() -> None:
    cases = {"h": case("holdout", ASKED)}
    assert leaks(cases, by_hand={"mine": case("", NEAR)}) == [Leak("h", "mine", "by_hand")]
    assert leaks(cases, by_hand={"mine": case("holdout", NEAR)}) == []


def test_a_prompt_that_says_or_quotes_it() -> None:
    cases = {"h": case("holdout", ASKED)}
    said = Prompt("few_shot.md", f"You help.\n\n- user: {NEAR}\n- agent: I am sorry.")
    quoted = Prompt("tuning.jsonl", f'{{"messages": [{{"role": "user", "content": "{ASKED}"}}]}}')
    clear = Prompt("system.md", "You help customers of a lamp shop. Be kind when a lamp is broken.")
    assert [leak.of for leak in leaks(cases, said, quoted, clear)] == [
        "few_shot.md",
        "tuning.jsonl",
    ]


def test_prompts_are_the_rubric_the_rules_examples_and_the_files_named(tmp_path: Path) -> None:
    (tmp_path / "eval").mkdir()
    (tmp_path / "prompts").mkdir()
    (tmp_path / "prompts" / "system.md").write_bytes(b"\xffYou help customers of a shop.")
    axis = Axis(id="tone", definition="Kind.", passes_when="x", examples=(ASKED,))
    steps = ({"user": OTHER}, {"agent": "The blue one."})
    rule = Rule.model_validate(
        {"id": "right_tool", "kind": "expected_tool", "title": "x",
         "examples": [{"verdict": "pass", "steps": steps}]}
    )  # fmt: skip
    patterns = ("../prompts/*.md", "nowhere/*.txt")
    settings = Settings.model_validate({"promotion": {"prompt_files": patterns}})
    registry = Registry(settings, (), (rule,), (axis,), (), {})
    prompts = read_prompts(registry, tmp_path / "eval")
    names = [one.name for one in prompts.found]
    assert names == ["rubric, axis tone", "rule right_tool, example 1", "../prompts/system.md"]
    assert prompts.unread == ("nowhere/*.txt: matches no file",)
    (tmp_path / "prompts" / "system.md").write_text("Another text altogether.")
    assert read_prompts(registry, tmp_path / "eval").digest != prompts.digest
