"""Traces made to break graders: verdicts stand, and the time taken stays in proportion.

Nothing here measures a time. With checks whose time grows with the square of a trace this file
would take minutes; it takes seconds.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from pipeline.grading import Case, grade_traces, make_judge, read_conversation
from pipeline.grading.judge.payload import write_payload
from pipeline.registry import Registry, Rule, load_registry
from tests.pipeline.grading.traces import agent, call, redacted, row, samples, user

ROOT = Path(__file__).resolve().parents[3]
MANY = 8_000
TOOLS = {"tools": ["write"], "same": "id"}
RECORD_RULES: tuple[tuple[str, dict[str, Any]], ...] = (
    ("tool_order", {"first": ["look"], "then": ["write"], "same": "id"}),
    ("known_arguments", {"tools": ["write"], "arguments": ["id"]}),
    ("stated_arguments", {"tools": ["write"], "arguments": ["id"], "described_by": ["name"]}),
    ("eligibility", TOOLS | {"any_of": [{"field": "state", "one_of": ["open"]}]}),
    ("kept_fields", TOOLS | {"keep": ["state"]}),
    ("date_limit", TOOLS | {"since": "made_on", "days": 3000}),
    ("confirmation", {"tools": ["write"], "explicit": True}),
    ("amount_limit", {"tool": "write", "argument": "amount", "most": 5, "per": "id"}),
)


@pytest.fixture(scope="module")
def registry() -> Registry:
    return load_registry(ROOT / "data" / "registry", date(2026, 11, 10))


def ran_wild() -> dict[str, Any]:
    """An agent that looks up thousands of things and then writes each of them."""
    ids = [f"P-{number:08d}" for number in range(MANY // 2)]
    known = [{"id": i, "name": "thing one", "state": "open", "made_on": "2026-11-01"} for i in ids]
    looks = [call("look", {"id": one["id"]}, one) for one in known]
    writes = [call("write", {"id": i, "amount": 1, "state": "open"}, {"ok": True}) for i in ids]
    asked = [user("Look at thing one"), *looks, agent("Shall I write thing one?"), user("Yes.")]
    return row(*asked, *writes, agent("Done."))


def test_rules_pass_over_thousands_of_calls(registry: Registry, tmp_path: Path) -> None:
    rules = [
        Rule.model_validate({"id": f"own_{kind}", "kind": kind, "title": "t", "params": params})
        for kind, params in RECORD_RULES
    ]
    every = (*(rule.model_copy(update={"intents": ()}) for rule in registry.rules), *rules)
    wild = Registry(
        registry.settings, registry.intents, every, registry.rubric, (), registry.digests
    )
    trace = ran_wild()
    found = grade_traces(redacted(trace), samples(trace), wild, make_judge(wild, tmp_path)).frame
    assert found.filter(verdict="error").is_empty()
    told = dict(found.select("check", "verdict").iter_rows())
    assert {told[rule.id] for rule in rules} == {"pass"}


def test_what_a_judge_is_shown_of_it_stays_small() -> None:
    shown = write_payload(Case(read_conversation(ran_wild()), None))
    assert len(shown.data) < 100_000
    assert b'"left_out_in_the_middle":{"answers":0,"calls":3960,"documents":0}' in shown.data
    long = [
        user("x" * 4_000),
        *(call("look", {"n": n}, "y" * 4_000) for n in range(40)),
        agent("z"),
    ]
    assert len(write_payload(Case(read_conversation(row(*long)), None)).data) < 200_000


DEEP = '{"id":' * 900 + "1" + "}" * 900
TEXTS = {
    "ten megabytes": "x" * 10_000_000,
    "capitals": "A" * 20_000,
    "digits and dashes": "-" * 10_000 + "0" * 10_000,
    "dashed letters": "a-" * 10_000,
    "dotted": "a.b-" * 5_000 + "@",
    "surrogates cut short": "A_" * 10_000,
    "underscores": "a_1" * 6_000,
    "empty lines": "\n" * 20_000,
    "brackets": "[" * 20_000,
    "invisible": "\u200b" * 10_000 + "\u202e\u0000\ufffe" * 3_000,
    "deep JSON": DEEP,
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_no_text_breaks_a_check_or_holds_it_up(
    registry: Registry, tmp_path: Path, text: str
) -> None:
    """As what the user wrote, as a tool's result, as its arguments, as the answer."""
    trace = row(user(text), call("look", {"q": 1}, text), agent(text), user("So?"), agent(text))
    for asked in trace["messages"]:
        for one in asked["tool_calls"] or ():
            one["arguments"] = text
    graded = grade_traces(
        redacted(trace), samples(trace), registry, make_judge(registry, tmp_path)
    ).frame
    assert graded.filter(verdict="error").is_empty()
    assert graded["check"].n_unique() >= len(registry.rules)
