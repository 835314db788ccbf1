"""Rates by a user attribute: small groups are not shown, and do not follow from what is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson
import polars as pl
import pytest

from pipeline import windows
from pipeline.catalog import build_warehouse
from pipeline.datadir import DataDir
from pipeline.lake import Lake
from pipeline.provenance import Counts, Provenance
from pipeline.report import run_query
from pipeline.tables import GRADES, REDACTED_TRACES, Table
from tests.hand_made_lake import frame

DAY = windows.day("2026-11-09")
MISSPELT = "(stated by no conversation; what they state: app.region, app.segment)"

# Segment, user, chance of being drawn, did it fail: one conversation each.
Conversation = tuple[str | None, str | None, float, bool]
Shown = list[tuple[Any, ...]]


@pytest.fixture
def rates(place: DataDir) -> Callable[..., Shown]:
    """Publish conversations and ask for the rates by segment."""

    def ask(conversations: list[Conversation], session: str | None = None, **more: str) -> Shown:
        redacted, grades = [], []
        for number, (segment, user, chance, failed) in enumerate(conversations):
            said = {} if segment is None else {"app.segment": segment, "app.region": "EU"}
            name = {"trace_id": f"t{number:03}"}
            redacted.append(name | {"user_key": user, "session_id": session,
                                    "attributes": orjson.dumps(said).decode()})  # fmt: skip
            grades.append(name | {
                "check": "wrong_tool", "grader_id": "wrong_tool@1", "layer": "rule", "axis": "tone",
                "verdict": "fail" if failed else "pass", "weight": 1 / chance,
                "rate_probability": 1.0, "intent": "refund", "stakes": "low",
            })  # fmt: skip
        for table, rows in ((REDACTED_TRACES, redacted), (GRADES, grades)):
            _publish(Lake(place), table, rows)
        build_warehouse(place)
        columns = ("segment", "groups", "users", "failures", "n", "share")
        return run_query(place, "failure_rates_by_segment", more).select(columns).rows()

    return ask


def _publish(lake: Lake, table: Table, rows: list[dict[str, Any]]) -> None:
    lake.publish(table, DAY, frame(table, rows), Provenance(Counts("rows", len(rows), len(rows))))


def group(
    segment: str | None, users: int, failing: int = 0, chance: float = 1.0
) -> list[Conversation]:
    """One conversation of each user of a group, the first so many of which failed."""
    return [(segment, f"{segment}-{n}", chance, n < failing) for n in range(users)]


def test_rates_are_weighted_and_only_of_their_group(rates: Callable[..., Shown]) -> None:
    # pro: 2 of 5 fail. free: five drawn by a quarter stand for 20, one of them fails; a sixth,
    # drawn for certain, fails too: (4 + 1) of 21.
    shown = rates([*group("pro", 5, 2), *group("free", 5, 1, 0.25), ("free", "u", 1.0, True)])
    assert shown == [("pro", 1, 5, 2, 5, 0.4), ("free", 1, 6, 2, 6, round(5 / 21, 6))]


def test_small_groups_are_folded_until_they_are_large_enough(rates: Callable[..., Shown]) -> None:
    # 2 and 4 users make 6: enough, and neither follows from what is printed.
    shown = rates([*group("a", 2, 1), *group("b", 4, 1), *group("c", 8)])
    assert shown == [("c", 1, 8, 0, 8, 0.0), ("(smaller groups)", 2, 6, 2, 6, round(2 / 6, 6))]


def test_one_small_group_takes_the_next_larger_one_with_it(rates: Callable[..., Shown]) -> None:
    # Were b printed, a would be the total (failure_rates_by_axis) less b and c.
    shown = rates([*group("a", 2, 2), *group("b", 6), *group("c", 8)])
    assert shown == [("c", 1, 8, 0, 8, 0.0), ("(smaller groups)", 2, 8, 2, 8, 0.25)]


def test_small_groups_that_are_too_few_together_take_the_next_one_too(
    rates: Callable[..., Shown],
) -> None:
    shown = rates([*group("a", 1), *group("b", 2), *group("c", 5), *group("d", 9)])
    assert [(row[0], row[1], row[2]) for row in shown] == [("d", 1, 9), ("(smaller groups)", 3, 8)]


def test_where_all_are_too_few_nothing_is_shown(rates: Callable[..., Shown]) -> None:
    assert rates([*group("a", 2, 2), *group("b", 2)]) == []


def test_a_user_in_several_groups_is_one_user(rates: Callable[..., Shown]) -> None:
    # Four users each in a and b: eight rows, four people.
    both = [(segment, f"u{n}", 1.0, False) for n in range(4) for segment in ("a", "b")]
    assert rates(both) == []
    shown = rates([*both, *group("c", 5)])
    assert [(row[0], row[1], row[2]) for row in shown] == [("(smaller groups)", 3, 9)]


def test_many_conversations_of_few_users_are_a_small_group(rates: Callable[..., Shown]) -> None:
    chatty = [("a", f"u{n % 3}", 1.0, True) for n in range(30)]
    assert [row[0] for row in rates([*chatty, *group("b", 5), *group("c", 6)])] == [
        "c",
        "(smaller groups)",
    ]


def test_sessions_count_where_users_are_unknown_and_conversations_where_both_are(
    rates: Callable[..., Shown],
) -> None:
    unknown: list[Conversation] = [("a", None, 1.0, False)] * 6
    assert rates(unknown, session="one session") == []
    assert rates(unknown) == [("a", 1, 6, 0, 6, 0.0)]


def test_what_does_not_state_the_attribute_is_a_group(rates: Callable[..., Shown]) -> None:
    shown = rates([*group(None, 5, 5), *group("a", 5)])
    assert [row[0] for row in shown] == ["(not stated)", "a"]


def test_attribute_and_axis_are_chosen_by_variables(rates: Callable[..., Shown]) -> None:
    conversations = [*group("a", 2, 2), *group("b", 6)]
    assert rates(conversations, attribute="app.region") == [("EU", 1, 8, 2, 8, 0.25)]
    assert rates(conversations, attribute='no"such') == [(MISSPELT, 1, 8, 2, 8, 0.25)]
    assert rates(conversations, axis="tone", attribute="app.region")[0][0] == "EU"
    assert rates(conversations, axis="helpfulness") == []


def test_the_size_is_a_setting(place: DataDir, rates: Callable[..., Shown]) -> None:
    own = place.root / "registry"
    own.mkdir(parents=True)
    for path in (DataDir(place.root / "nowhere").registry).glob("*.yaml"):
        (own / path.name).write_bytes(path.read_bytes())
    (own / "settings.yaml").write_text("settings:\n  - privacy: {smallest_group: 2}\n")
    shown = rates([*group("a", 2, 2), *group("b", 6)])
    assert [row[0] for row in shown] == ["a", "b"]


def test_rows_add_up_to_the_whole(rates: Callable[..., Shown]) -> None:
    shown = rates([c for n, s in enumerate("abcdef") for c in group(s, n + 1, n)])
    total = pl.DataFrame(shown, orient="row")
    assert total["column_4"].sum() == 21
