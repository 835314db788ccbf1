"""A function of one's own as a rule: whatever it does, it harms no other verdict."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.grading import Conversation
from pipeline.grading.rules import Finding, Scope, rule_identity, run_rules
from pipeline.registry import RegistryError, Rule
from tests.pipeline.grading.traces import agent, call, conversation, user

HEAD = "from pipeline.grading.rules import Finding\n"
TALK = (user("Pay it"), call("pay", {"to": {"name": "a"}}, {"ok": True}), agent("Paid."))


@pytest.fixture
def rule_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Callable[..., Rule]:
    """Makes a rule of a module's text; each test has a module of its own."""
    monkeypatch.syspath_prepend(str(tmp_path))
    name = f"own_{abs(hash(request.node.nodeid))}"

    def make(text: str, function: str | None = None) -> Rule:
        (tmp_path / f"{name}.py").write_text(HEAD + text)
        params = {"function": function or f"{name}:check", "options": {"limits": [1]}}
        return Rule.model_validate(
            {"id": "own", "kind": "python", "title": "Own", "params": params}
        )

    return make


def run(rule: Rule, talk: Conversation) -> Finding:
    ((_, found),) = run_rules(talk, [rule], Scope(None, None, ()))
    return found


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("raise ValueError(conversation.user_text)", r"The function broke (ValueError)."),
        ("raise SystemExit(conversation.user_text)", r"The function broke (SystemExit)."),
        ("return check(conversation, options, scope)", r"The function broke (RecursionError)."),
        ("return True", "The function gave no Finding."),
        ("return Finding('banana', 'So.')", "The function gave no verdict of "),
        ("return Finding('fail', conversation)", "The function's reason, subject or code is no "),
        ("return Finding('fail', 'x' * 301)", "The function's reason, subject or code is no "),
        ("return Finding('fail', 'So.', ('message:99',))", "The function named evidence that "),
        ("return Finding('fail', 'So.', [1])", "The function named evidence that "),
    ],
)
def test_what_is_no_verdict_is_an_error_of_that_rule_alone(
    rule_of: Callable[..., Rule], body: str, reason: str
) -> None:
    rule = rule_of(f"def check(conversation, options, scope):\n    {body}\n")
    found = run(rule, conversation(*TALK))
    assert (found.verdict, found.error_class) == ("error", "check_broke")
    assert found.reason.startswith(reason)
    assert "Pay it" not in found.reason


def test_what_it_changes_reaches_neither_the_trace_nor_the_next_one(
    rule_of: Callable[..., Rule],
) -> None:
    rule = rule_of(
        "def check(conversation, options, scope):\n"
        "    conversation.calls[0].arguments['to']['name'] = 'b'\n"
        "    options['limits'].append(2)\n"
        "    return Finding('pass', f'{len(options[\"limits\"])} limits.')\n"
    )
    talk = conversation(*TALK)
    assert [run(rule, talk).reason for _ in range(2)] == ["2 limits."] * 2
    assert talk.calls[0].arguments == {"to": {"name": "a"}}


def test_what_it_prints_is_dropped(
    rule_of: Callable[..., Rule], capsys: pytest.CaptureFixture[str]
) -> None:
    rule = rule_of(
        "import sys\n"
        "def check(conversation, options, scope):\n"
        "    print(conversation.user_text)\n"
        "    print(conversation.user_text, file=sys.stderr)\n"
        "    return Finding('pass', 'So.')\n"
    )
    assert run(rule, conversation(*TALK)).verdict == "pass"
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("text", "function", "complaint"),
    [
        ("raise RuntimeError('no')", None, r"cannot be imported \(RuntimeError\)"),
        ("def check(:", None, r"cannot be imported \(SyntaxError\)"),
        ("raise SystemExit", None, r"cannot be imported \(SystemExit\)"),
        ("other = 1", None, r"cannot be imported \(AttributeError\)"),
        ("check = 1", None, "is no function"),
        ("", "math:floor", "has no Python text"),
    ],
)
def test_what_cannot_be_called_stops_the_run_and_is_named(
    rule_of: Callable[..., Rule], text: str, function: str | None, complaint: str
) -> None:
    with pytest.raises(RegistryError, match=complaint):
        rule_identity(rule_of(text, function))
