"""`caselaw rules`: the list, and every rule on its own examples."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from pipeline.cli.main import main
from pipeline.datadir import COMMITTED
from pipeline.registry.rules import KINDS, Parameters


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(COMMITTED / "registry", tmp_path / "registry")
    monkeypatch.setenv("CASELAW_DATA", str(tmp_path))
    return tmp_path


def run(*words: str) -> int:
    with pytest.raises(SystemExit) as stopped:
        main(["rules", *words])
    return int(stopped.value.code or 0)


def change(data: Path, before: str, after: str) -> None:
    path = data / "registry" / "rules.yaml"
    text = path.read_text("utf-8")
    assert before in text
    path.write_text(text.replace(before, after, 1), "utf-8")


def test_every_committed_rule_holds_on_its_examples(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("test") == 0
    assert capsys.readouterr().out == "25 rules, 50 examples: 50 hold\n"


def test_a_rule_that_stopped_doing_what_it_says_is_a_finding(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    change(data, "most: 200", "most: 300")
    assert run("test", "refund_limit") == 1
    told = capsys.readouterr().out.splitlines()
    assert told[0].startswith(
        "refund_limit, example 1: fail (limit_exceeded) is stated, the rule says pass: "
    )
    assert told[1] == "1 rule, 2 examples: 1 hold"


def test_a_rule_without_an_example_is_a_finding(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with (data / "registry" / "rules.yaml").open("a", encoding="utf-8") as file:
        file.write("\n  - {id: quick, kind: turn_limit, title: Quick, params: {turns: 9}}\n")
    assert run("test", "quick") == 1
    assert capsys.readouterr().out.startswith("quick: has no example;")


def test_an_example_that_is_none_is_named_with_line_and_field(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    change(data, "error_class: no_tool_called", "error_klass: no_tool_called")
    assert run("test") == 2
    assert "rules[0].examples[0].error_klass" in capsys.readouterr().err


def test_an_unknown_rule_is_wrong_usage(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("test", "nonsense") == 2
    assert "no rule 'nonsense'; there are: right_tool, " in capsys.readouterr().err


def test_the_list_shows_kind_severity_version_and_examples(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("ls") == 0
    line = capsys.readouterr().out.splitlines()[0].split()
    assert line[:3] == ["right_tool", "expected_tool", "medium"]
    assert line[3].startswith("rule-")
    assert line[4:6] == ["2", "examples"]


def test_the_kinds_and_what_each_takes_can_be_asked_for(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("kinds") == 0
    listed = capsys.readouterr().out.splitlines()
    assert len(listed) == len(KINDS)
    assert listed[0].split(maxsplit=1)[0] == "amount_limit"
    assert run("kinds", "eligibility") == 0
    told = capsys.readouterr().out.splitlines()
    assert "  tools (list of text, required)" in told
    assert "    within_days (whole number, default none): of the day of the conversation" in told
    assert run("kinds", "eligible") == 2
    assert "no kind 'eligible'; there are: amount_limit," in capsys.readouterr().err


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: str(kind.__name__))
def test_every_parameter_is_told_with_its_type(
    kind: type[Parameters], capsys: pytest.CaptureFixture[str]
) -> None:
    fields = dict(kind.model_fields)
    assert run("kinds", str(fields.pop("kind").default)) == 0
    told = capsys.readouterr().out
    assert all(f"  {name} (" in told for name in fields)
