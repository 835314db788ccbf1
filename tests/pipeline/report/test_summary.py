"""The summary of a day, against figures derived by hand (see `tests/hand_made_lake.py`)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import polars as pl
import pytest

from pipeline.datadir import DataDir
from pipeline.lake import Lake, MissingPartition
from pipeline.registry import Registry, Settings
from pipeline.report import DayTables, Summary, read_day, summarise
from pipeline.tables import RUN_SUMMARIES
from pipeline.windows import day
from tests.hand_made_lake import EMPTY, JUDGE, MONDAY, TUESDAY, publish_hand_made_lake

REGISTRY = Registry(Settings(), (), (), (), (), {})


@pytest.fixture(scope="module")
def hand_made(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    lake = Lake(DataDir(tmp_path_factory.mktemp("lake") / "data"))
    publish_hand_made_lake(lake)
    return lake


@pytest.fixture
def monday(hand_made: Lake) -> DayTables:
    return read_day(hand_made, MONDAY)


def facts(summary: Summary, metric: str, *columns: str) -> dict[str, Any]:
    rows = summary.frame.filter(pl.col("metric") == metric)
    wanted = columns or ("value",)
    return {
        row["slice"]: tuple(row[c] for c in wanted) if len(wanted) > 1 else row[wanted[0]]
        for row in rows.iter_rows(named=True)
    }


def test_traffic(monday: DayTables) -> None:
    found = summarise(monday, REGISTRY)
    # 12 spans kept, one repeated, one in quarantine; 4 drawn + 4 not drawn + 2 opted out.
    assert facts(found, "records_read") == {"": 14}
    assert facts(found, "records_repeated") == {"": 1}
    assert facts(found, "traces_seen") == {"": 10}
    assert facts(found, "traces_left_out") == {"not_drawn": 4, "opted_out": 2}
    assert facts(found, "traces_sampled") == {"": 4}
    assert facts(found, "traces_sampled_by") == {"census": 2, "proportional": 2}
    assert facts(found, "traces_graded") == {"": 4}
    assert facts(found, "quarantined_by") == {"ingest/malformed_json": 1}


def test_failure_rates_are_shares_of_all_traffic(monday: DayTables) -> None:
    found = summarise(monday, REGISTRY)
    rates = facts(found, "failure_rate", "value", "n", "judge_id")
    # contract: a4 (2) of 1 + 1 + 4 + 2; rules alone, so no judge.
    assert rates["contract"] == (0.25, 4, None)
    # helpfulness: a1 (1, by a rule) and a3 (4, by the judge); a2 passed, and as the judge saw it
    # with chance 0.5 it counts 2; of a4 (2) the judge could not tell: 5/9.
    assert rates["helpfulness"] == (0.555556, 4, JUDGE)
    assert facts(found, "unknown_traces") == {"any": 0, "contract": 0, "helpfulness": 1}
    # any: a4 counts through its contract: (1 + 4 + 2) / (1 + 2 + 4 + 2).
    assert rates["any"] == (0.777778, 4, JUDGE)
    assert facts(found, "failing_traces") == {"any": 3, "contract": 1, "helpfulness": 2}
    assert facts(found, "verdicts_open") == {"judge/unknown": 1, "rule/skipped": 1}


def test_a_trace_kept_from_the_judge_counts_as_one_without_a_finding(monday: DayTables) -> None:
    # Let the judge grade tone for a3 (4, fail). a1 was kept from it, a2 and a4 were not graded on
    # tone either: 4 of 1 + 1 + 4 + 2. A grader's error says nothing: without a2, 4 of 1 + 4 + 2.
    tone = monday.grades.filter(pl.col("check") == "helpfulness").with_columns(
        check=pl.lit("tone"), axis=pl.lit("tone"), rate_probability=1.0
    )
    failing = tone.filter(pl.col("trace_id") == "a3")
    assert _rate(replace(monday, grades=pl.concat([monday.grades, failing])), "tone") == 0.5
    error = tone.filter(pl.col("trace_id") == "a2").with_columns(verdict=pl.lit("error"))
    with_error = replace(monday, grades=pl.concat([monday.grades, failing, error]))
    assert _rate(with_error, "tone") == 0.571429


def _rate(tables: DayTables, axis: str) -> float:
    value: float = facts(summarise(tables, REGISTRY), "failure_rate")[axis]
    return value


def test_modes_new_and_known(monday: DayTables) -> None:
    found = summarise(monday, REGISTRY)
    columns = ("value", "low", "n", "example", "judge_id")
    assert facts(found, "known_mode", *columns) == {"m-old": (1.0, 1.0, 4, "a1", None)}
    new = facts(found, "new_mode", *columns)
    assert set(new) == {"m-half", "m-json"}
    assert new["m-half"][0] == 4.0
    assert new["m-half"][2:] == (4, "a3", JUDGE)
    assert new["m-json"][0] == 2.0


def test_a_mode_that_was_merged_is_no_new_one(hand_made: Lake) -> None:
    found = summarise(read_day(hand_made, TUESDAY), REGISTRY)
    assert set(facts(found, "known_mode")) == {"m-ancient"}
    assert facts(found, "new_mode") == {}


def test_every_mode_is_new_where_no_week_came_before(monday: DayTables) -> None:
    found = summarise(replace(monday, modes_before=None), REGISTRY)
    assert set(facts(found, "new_mode")) == {"m-half", "m-json", "m-old"}
    assert "no_modes_before" in facts(found, "oddity")


def test_decisions_with_what_blocks_them_counted(monday: DayTables) -> None:
    found = summarise(monday, REGISTRY)
    assert facts(found, "decided") == {"promoted": 1, "review": 1, "rejected": 1}
    assert facts(found, "decided_because") == {
        "review/untrusted_judge": 1,
        "rejected/no_pattern": 1,
    }


def test_judging(monday: DayTables) -> None:
    found = summarise(monday, REGISTRY)
    # The judge was asked about a2, a3 and a4; a1 failed a rule.
    assert facts(found, "judge_calls") == {"": 3}
    assert facts(found, "judge_saved") == {"": 1}
    assert facts(found, "judge_cost_usd") == {"": 0}
    trusted = facts(found, "judge_trusted", "value", "n", "label")
    assert trusted == {"helpfulness": (0.0, 12, "12 labels, 30 are needed")}


def test_a_judge_without_a_report_is_not_trusted(monday: DayTables) -> None:
    found = summarise(replace(monday, calibration_before=None), REGISTRY)
    assert facts(found, "judge_trusted") == {"helpfulness": 0.0}


def test_cost_and_unknown_intents(monday: DayTables) -> None:
    found = summarise(monday, REGISTRY)
    # 0.10 + 0.20 + 4 · 0.05; a4 states no cost. a4 stands for 2 of 8 and has no known intent.
    assert facts(found, "agent_cost_usd", "value", "n") == {"": (0.5, 3)}
    assert facts(found, "agent_cost_unstated") == {"": 1}
    assert facts(found, "unknown_intent_share", "value", "n") == {"": (0.25, 4)}


def test_oddities(monday: DayTables) -> None:
    assert facts(summarise(monday, REGISTRY), "oddity") == {
        "partial_traces": 1,
        "flag/clock_skew": 1,
    }


def test_an_empty_day_says_so_and_divides_by_nothing(hand_made: Lake) -> None:
    found = summarise(read_day(hand_made, EMPTY), REGISTRY)
    assert facts(found, "traces_seen") == {"": 0}
    assert facts(found, "oddity", "value", "label") == {"no_traces": (1.0, "no traces came in")}
    assert facts(found, "failure_rate", "value", "n") == {"any": (None, 0)}


def test_every_estimate_carries_what_must_stand_beside_it(monday: DayTables) -> None:
    rows = summarise(monday, REGISTRY).frame.filter(pl.col("estimator") != "count")
    # three axes, three modes, the intent share, the agent's cost; of last week a mode, a measure
    # and what nobody planned for
    assert rows.height == 11
    assert rows.select("value", "low", "high", "n").null_count().row(0) == (0, 0, 0, 0)
    assert rows.filter(~pl.col("value").is_between("low", "high")).is_empty()
    assert rows["estimator"].str.contains("weights 1/inclusion_probability").all()


def test_holds_no_text_of_a_trace(monday: DayTables) -> None:
    assert "PAYLOAD" in str(monday.redacted["messages"].to_list())
    assert "PAYLOAD" not in summarise(monday, REGISTRY).frame.write_json()


def test_does_not_depend_on_the_order_of_rows(monday: DayTables) -> None:
    turned = replace(
        monday,
        **{
            name: getattr(monday, name).reverse()
            for name in ("quarantined", "samples", "redacted", "grades", "clusters", "decisions")
        },
    )
    expected, found = summarise(monday, REGISTRY), summarise(turned, REGISTRY)
    assert found.frame.equals(expected.frame)
    assert RUN_SUMMARIES.conform(found.frame).equals(found.frame)


def test_a_day_that_was_never_made_names_the_command(hand_made: Lake) -> None:
    command = r"make backfill CASELAW_DATA=.* FROM=2026-11-12 TO=2026-11-12"
    with pytest.raises(MissingPartition, match=command):
        read_day(hand_made, day("2026-11-12"))
