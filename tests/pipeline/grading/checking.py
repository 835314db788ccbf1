"""Runs one kind of rule over a conversation made by hand."""

from __future__ import annotations

from typing import Any

from pipeline.grading.rules import Finding, Scope, check_of
from pipeline.registry import Intent
from pipeline.registry.rules import Rule
from pipeline.sampling import UsualEffort
from tests.pipeline.grading.traces import conversation


def intent(**changes: Any) -> Intent:
    return Intent.model_validate({"id": "any", "title": "Any", "exemplars": ["x"]} | changes)


def check(
    kind: str,
    params: dict[str, Any],
    steps: list[dict[str, Any]],
    known: Intent | None = None,
    others: tuple[Intent, ...] = (),
    norm: UsualEffort | None = None,
    tokens: int | None = None,
) -> Finding:
    """Run one rule of `kind` over a conversation made of `steps`."""
    rule = Rule.model_validate({"id": "r", "kind": kind, "title": "R", "params": params})
    scope = Scope(known, 0.9, (*((known,) if known else ()), *others), norm, tokens)
    return check_of(rule.params)(conversation(*steps), rule.params, scope)


def told(finding: Finding) -> tuple[str, str | None]:
    return finding.verdict, finding.error_class
