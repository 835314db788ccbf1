"""When a case expires, and whether the suite was warned: what only all days can say."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import polars as pl
import pytest

from pipeline.promotion import read_checks
from pipeline.promotion.coverage import cases_in_wait, missed_offline
from pipeline.promotion.expiry import expires_when, versions_in_force, why_expired
from pipeline.promotion.teaching.synthesis import Plan
from tests.pipeline.promotion.hand_made import MONDAY


def seen(*rows: tuple[int, str | None]) -> pl.DataFrame:
    """Candidates by day of the month and policy version."""
    return pl.DataFrame(
        [
            {"day": MONDAY + timedelta(days=day), "policy_version": v, "prompt_version": None}
            for day, v in rows
        ],
        schema={"day": pl.Date, "policy_version": pl.String, "prompt_version": pl.String},
    )


CASE = {"expires_when": {"policy_version": "r1"}}
TOLD = [
    ([(0, "r1"), (20, "r2")], None, "Made under policy version r1; by now the traffic has r2"),
    ([(0, "r1"), (14, "r1"), (20, "r2")], None, ""),  # both run side by side this week
    ([(0, "r1"), (20, None)], None, ""),  # the traces do not say
    ([(0, "r1"), (20, "r2")], {"policy_version": ["r1", "r2"]}, ""),  # it failed again under r2
    ([], None, ""),
]


@pytest.mark.parametrize(("rows", "again", "said"), TOLD)
def test_a_case_expires_when_its_policy_is_no_longer_in_force(
    rows: list[tuple[int, str | None]], again: dict[str, list[str]] | None, said: str
) -> None:
    found = why_expired(CASE, versions_in_force(seen(*rows)), again)
    assert found.startswith(said)
    assert bool(found) == bool(said)


@pytest.mark.parametrize("case", [{}, {"expires_when": {}}, {"expires_when": "never"}])
def test_a_case_that_names_no_version_never_expires(case: dict[str, Any]) -> None:
    assert why_expired(case, versions_in_force(seen((0, "r2")))) == ""


PHRASE = {"kind": "not_contains", "none_of": ["you never give"]}
RECITED = {"kind": "rule", "rule": "r", "params": {"kind": "leaked_prompt"}}
ORDERED = {"kind": "rule", "rule": "r", "params": {"kind": "phrases", "forbidden": ["x"]}}
DEPENDS = [
    ([PHRASE], {"policy_version": "r1"}),
    ([PHRASE, ORDERED], {"policy_version": "r1"}),
    ([PHRASE, RECITED], {"policy_version": "r1", "prompt_version": "p1"}),  # it quotes the prompt
]


@pytest.mark.parametrize(("checks", "expected"), DEPENDS)
def test_a_case_hangs_on_the_policy_and_on_a_prompt_only_where_it_quotes_one(
    checks: list[dict[str, Any]], expected: dict[str, str]
) -> None:
    plan = Plan(read_checks(checks), "So.")
    assert expires_when(plan, {"policy_version": "r1", "prompt_version": "p1"}) == expected
    assert expires_when(plan, {"policy_version": None, "prompt_version": None}) == {}


def published(**fields: Any) -> dict[str, Any]:
    base = {"mode": {"id": "m"}, "intent": "track", "history": {"first_day": "2026-11-02"}}
    return {"case-1": base | fields}


WAITING = [
    ({}, ("case-1",)),
    ({"status": "retired"}, ()),
    ({"intent": "other"}, ()),
    ({"mode": {"id": "n"}}, ()),
    ({"history": {"first_day": "2026-11-09"}}, ()),  # it came with that very day
    ({"history": "mangled"}, ("case-1",)),
]


@pytest.mark.parametrize(("fields", "expected"), WAITING)
def test_a_case_that_was_there_before_should_have_caught_it(
    fields: dict[str, Any], expected: tuple[str, ...]
) -> None:
    waiting = cases_in_wait(published(**fields), "m", "track", date(2026, 11, 9))
    assert waiting == expected
    assert missed_offline(1.0, waiting) == (0.5 if expected else 1.0)
    assert missed_offline(0.25, waiting) == 0.25
