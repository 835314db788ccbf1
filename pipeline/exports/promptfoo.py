r"""promptfoo: a configuration, its tests, and an assertion that runs our checks.

promptfoo renders strings of a configuration as nunjucks templates, reads a variable that begins
with file:// from the disk (and runs it where it is code), and takes a list for many tests. So the
conversation is one JSON text, in which braces inside of strings are written \u007b and \u007d: no
template begins or ends in it, however often it is rendered (a lone end of a comment is an error
too), and any JSON parser gives back what stood there.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import orjson

from pipeline.exports.case import Case
from pipeline.exports.chat import as_chat
from pipeline.exports.target import (
    Files,
    Target,
    beside,
    facts_of_case,
    json_file,
    json_lines,
)
from pipeline.promotion import Check

__all__ = ["TARGET", "inert", "inert_json"]

_STRING = re.compile(rb'"(?:[^"\\]|\\.)*"')
_OPENS = re.compile(r"\{(?=[{%#])|(?<=#)\}")
_FETCHED = re.compile(r"^(?=(?:file|package|https?|portkey|langfuse|helicone):)")
_FILTERED = ("check", "intent", "stakes", "severity", "category")


def inert_json(value: Any) -> str:
    """JSON in which no nunjucks template begins or ends, whatever the texts hold."""
    return _STRING.sub(_without_braces, orjson.dumps(value)).decode()


def _without_braces(string: re.Match[bytes]) -> bytes:
    return string[0].replace(b"{", rb"\u007b").replace(b"}", rb"\u007d")


def inert(text: str) -> str:
    """A text that nunjucks renders as itself, and that does not begin with a scheme to fetch."""
    return _OPENS.sub(lambda brace: f'{{{{ "{brace[0]}" }}}}', _FETCHED.sub(" ", text))


def _write(cases: Sequence[Case], dataset: str, *, judged: bool) -> Files:
    tests = [_test(case, judged) for case in cases if case.decidable or (judged and case.checks)]
    config = {
        "description": dataset,
        "prompts": ["{{messages}}"],
        "providers": ["file://caselaw.cjs"],
        "tests": "file://tests.jsonl",
    }
    return {
        "promptfooconfig.json": json_file(config),
        "tests.jsonl": json_lines(tests),
        "cases.jsonl": json_lines([case.body for case in cases]),
        **beside("caselaw.cjs"),
    }


def _test(case: Case, judged: bool) -> dict[str, Any]:
    rubrics = [_rubric(check) for check in case.checks if check.kind == "rubric"]
    checks = {"type": "javascript", "value": "file://caselaw.cjs:checks", "metric": "caselaw"}
    facts = facts_of_case(case)
    mode = case.part("mode").get("id")
    return {
        "description": inert(f"{case.case_id}: {case.title}"),
        "vars": {"case": case.case_id, "messages": inert_json(as_chat(case))},
        "assert": [*([checks] if case.decidable else []), *(rubrics if judged else [])],
        "metadata": {
            "case": case.case_id,
            "split": inert(case.split),
            "status": inert(case.status),
            **{name: inert(case.text(name)) for name in _FILTERED if case.text(name)},
            **({"mode": inert(mode)} if isinstance(mode, str) else {}),
            "caselaw": inert_json(facts),
        },
    }


def _rubric(check: Check) -> dict[str, Any]:
    said = check.model_dump()
    return {"type": "llm-rubric", "value": inert(said["passes_when"]), "metric": said["axis"]}


TARGET = Target(
    "promptfoo",
    _write,
    runs=True,
    judges=True,
    follow_up="CASELAW_AGENT='python my_agent.py' npx promptfoo eval -c "
    "{folder}/promptfooconfig.json",
)
