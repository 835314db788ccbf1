"""What docs/cases.md says is so: codes, kinds, settings and fields are whole; its example runs."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import orjson
import pytest

from pipeline.promotion import BLOCKS
from pipeline.promotion.check_kinds import Check
from pipeline.promotion.trials.self_check import SELF_CHECKS
from pipeline.registry.settings import Promotion
from pipeline.suite import render_suite
from tests.pipeline.promotion.hand_made import apart, decisions

PAGE = (Path(__file__).resolve().parent.parent / "docs" / "cases.md").read_text("utf-8")
SUITE_PAGE = (Path(__file__).resolve().parent.parent / "docs" / "suite.md").read_text("utf-8")
KINDS: list[Any] = list(Check.__args__[0].__args__)  # type: ignore[attr-defined]
MADE_BY_THE_SUITE = {"history", "generated"}


def section(title: str) -> str:
    """The text under a heading."""
    return PAGE.partition(f"## {title}\n")[2].partition("\n## ")[0]


def codes(text: str) -> list[str]:
    """What the first cells of the rows of a table name in code."""
    rows = re.findall(r"^\| (`.*?`) \|", text, re.MULTILINE)
    return [code for row in rows for code in re.findall(r"`([\w.]+)`", row)]


@pytest.mark.parametrize("name", Promotion.model_fields)
def test_a_setting_is_documented_with_its_default_and_meaning(name: str) -> None:
    field = Promotion.model_fields[name]
    if f"| `{name}` |" not in SUITE_PAGE:
        assert f"| `{name}` | {field.default} | {field.description} |" in section("The settings")


def test_everything_that_may_stand_against_a_case_is_documented() -> None:
    assert sorted(codes(section("Which failures become cases"))) == sorted(BLOCKS)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: str(kind.__name__))
def test_a_kind_of_check_is_documented_with_all_its_parameters(kind: Any) -> None:
    fields = dict(kind.model_fields)
    name = fields.pop("kind").default
    row = re.search(rf"^\| `{name}` \|.*\|(.*)\|$", section("Checks"), re.MULTILINE)
    assert row
    assert re.findall(r"`(\w+)`", row.group(1)) == list(fields)


def test_a_verdict_of_the_self_check_is_documented_as_it_is_said() -> None:
    for name, meaning in SELF_CHECKS.items():
        assert f"| `{name}` | {meaning} |" in section("Tried out at birth")


def case() -> dict[str, Any]:
    frame = decisions([apart(n) for n in range(3)]).frame
    made: dict[str, Any] = orjson.loads(frame["case"][0])
    return made


def test_every_field_of_a_case_is_documented_and_no_other() -> None:
    named = set(codes(section("The format")))
    fields = {name for name in case() if name not in ("input", "tools")}
    inside = {"input.messages"} | {f"tools.{name}" for name in case()["tools"]}
    assert named == fields | inside | MADE_BY_THE_SUITE
    recorded = next(row for row in section("The format").splitlines() if "| `recorded`" in row)
    spoken = recorded.replace("how the model stopped", "`finish_reason`")
    assert set(re.findall(r"`(\w+)`", spoken)) - {"recorded"} == set(case()["recorded"])


def test_the_example_replays_a_case(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "eval").mkdir()
    (tmp_path / "eval" / "cases_from_prod.yaml").write_text(render_suite([case()]))
    monkeypatch.chdir(tmp_path)
    code = re.search(r"```python\n(.*?)```", section("Replay"), re.DOTALL)
    assert code
    exec(compile(code.group(1), "docs/cases.md", "exec"), {})
    # the right tool was called, of which the case has no fixture
    assert capsys.readouterr().out == "True ('track_shipment',) [('tool_called', True)]\n"
