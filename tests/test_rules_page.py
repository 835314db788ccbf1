"""What docs/rules.md says is so: its kinds are all there are, and its examples hold."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipeline.grading.examples import run_examples
from pipeline.grading.rules import Scope, run_rules
from pipeline.registry import Registry, load_registry
from pipeline.registry.rules import Params, Rule
from tests.pipeline.grading.traces import call, conversation, user

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "docs" / "rules.md").read_text("utf-8")
YAML, PYTHON, CUSTOM = (
    re.search(pattern, PAGE, re.DOTALL).group(1)  # type: ignore[union-attr]
    for pattern in (
        r"```yaml\n(rules:.*?)```",
        r"```python\n(.*?)```",
        r"```yaml\n(  - id: one_refund.*?)```",
    )
)
KINDS: list[Any] = list(Params.__args__[0].__args__)  # type: ignore[attr-defined]


@pytest.fixture(scope="module")
def registry() -> Registry:
    return load_registry(ROOT / "data" / "registry", date(2026, 11, 10))


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: str(kind.__name__))
def test_a_kind_is_documented_with_all_its_parameters(kind: Any) -> None:
    fields = dict(kind.model_fields)
    row = re.search(rf"^\| `{fields.pop('kind').default}` \|.*\|(.*)\|$", PAGE, re.MULTILINE)
    assert row, kind
    assert sorted(re.findall(r"`(\w+)`", row.group(1))) == sorted(fields)


def test_the_page_names_no_kind_that_is_none() -> None:
    named = re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE)
    assert sorted(named) == sorted(kind.model_fields["kind"].default for kind in KINDS)


def test_the_rule_of_the_page_holds_on_its_examples(registry: Registry) -> None:
    rules = [Rule.model_validate(body) for body in yaml.safe_load(YAML)["rules"]]
    runs = run_examples(registry, rules)
    assert [(run.number, run.holds) for run in runs] == [(1, True), (2, True)]


def test_the_function_of_the_page_does_what_the_page_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, registry: Registry
) -> None:
    (tmp_path / "refunds.py").write_text(PYTHON)
    monkeypatch.syspath_prepend(str(tmp_path))
    (body,) = yaml.safe_load(CUSTOM)
    rule = Rule.model_validate(body)
    paid = call("issue_refund", {"amount": 5}, {"ok": True})
    for steps, verdict in (([paid], "pass"), ([paid, paid], "fail")):
        scope = Scope(None, None, registry.intents)
        ((_, found),) = run_rules(conversation(user("Pay"), *steps), [rule], scope)
        assert found.verdict == verdict
