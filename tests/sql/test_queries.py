"""Every query of `sql/queries` runs as it is; the figures are derived by hand.

Monday's weights are a1 1, a2 1, a3 4, a4 2 (8 in all), Tuesday's b1 2: see `hand_made_lake`.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipeline import windows
from pipeline.catalog import SQL, build_warehouse
from pipeline.catalog.types import literal
from pipeline.datadir import DataDir
from pipeline.lake import Lake, MissingPartition
from pipeline.provenance import Counts, Provenance
from pipeline.report import list_queries, notes_of, run_query, variables_of
from pipeline.tables import GRADES
from tests.hand_made_lake import EMPTY, JUDGE

MON, TUE = date(2026, 11, 9), date(2026, 11, 10)
QUERIES = sorted((SQL / "queries").glob("*.sql"))


def rows(place: DataDir, query: str, *columns: str, **variables: str) -> list[tuple[Any, ...]]:
    return run_query(place, query, variables).select(columns).rows()


@pytest.mark.parametrize("path", QUERIES, ids=lambda path: path.stem)
def test_starts_with_the_question_it_answers(path: Path) -> None:
    first = path.read_text("utf-8").splitlines()[0]
    assert first.startswith("-- ")
    assert first.endswith("?")
    assert list_queries()[path.stem] == first[3:]


@pytest.mark.parametrize("path", QUERIES, ids=lambda path: path.stem)
def test_runs_where_nothing_was_published(empty_place: DataDir, path: Path) -> None:
    assert run_query(empty_place, path.stem).height == 0


@pytest.mark.parametrize("path", QUERIES, ids=lambda path: path.stem)
def test_runs_as_it_is_in_a_plain_duckdb(hand_made: DataDir, path: Path) -> None:
    with duckdb.connect(str(hand_made.warehouse), read_only=True) as plain:
        assert plain.execute(path.read_text("utf-8")).fetchall()


def test_failure_modes_by_day(hand_made: DataDir) -> None:
    # m-half on Monday: a3 stands for 4; a2 was put before the judge by half, so it stands for 2:
    # 4 / (1 + 2 + 4 + 2). The other two modes are of rules that ran on all: 2/8 and 1/8.
    # Tuesday's failure was counted under m-ancient, which was merged into m-old.
    found = rows(
        hand_made, "failure_modes_by_day",
        "day", "failure_mode_id", "failures", "estimated", "share", "n", "judge_id",
    )  # fmt: skip
    assert found == [
        (TUE, "m-old", 1, 2.0, 1.0, 1, None),
        (MON, "m-half", 1, 4.0, 0.444444, 4, JUDGE),
        (MON, "m-json", 1, 2.0, 0.25, 4, None),
        (MON, "m-old", 1, 1.0, 0.125, 4, None),
    ]


def test_a_mode_goes_by_the_name_a_person_gave_it(hand_made: DataDir) -> None:
    names = dict(rows(hand_made, "failure_modes_by_day", "failure_mode_id", "mode_name"))
    assert names["m-old"] == "Refund with the wrong tool"
    assert names["m-json"] == "answer is not <JSON>"


def test_unplanned_by_week(hand_made: DataDir) -> None:
    found = rows(
        hand_made, "unplanned_by_week",
        "week", "unknown_intent_id", "kind", "share", "low", "high", "trend", "false_alarm_rate",
    )  # fmt: skip
    week = date(2026, 11, 2)
    assert found == [
        (week, "all", "all", 0.05, 0.03, 0.08, "steady", 0.1),
        (week, "ui-customs", "unplanned", 0.04, 0.02, 0.07, "rising", 0.1),
    ]


def test_failure_modes_by_intent(hand_made: DataDir) -> None:
    # refund: a1 fails (1), a2 does not (1), b1 fails (2): 3 of 4.
    found = rows(
        hand_made, "failure_modes_by_intent",
        "intent", "failure_mode_id", "failures", "estimated", "share", "n",
    )  # fmt: skip
    assert found == [
        ("order_status", "m-half", 1, 4.0, 1.0, 1),
        ("refund", "m-old", 2, 3.0, 0.75, 3),
        ("unknown", "m-json", 1, 2.0, 1.0, 1),
    ]


def test_failure_modes_by_release(hand_made: DataDir) -> None:
    # r1 holds a1, a2 (1, or 2 for the judge), a3; r2 holds a4 and b1 (2 each).
    found = rows(
        hand_made, "failure_modes_by_release", "release", "failure_mode_id", "estimated", "share"
    )
    assert found == [
        ("r1", "m-half", 4.0, 0.571429),
        ("r2", "m-json", 2.0, 0.5),
        ("r2", "m-old", 2.0, 0.5),
        ("r1", "m-old", 1.0, 0.166667),
    ]


def test_failure_rates_by_axis_are_those_of_the_summaries(
    hand_made: DataDir, warehouse: duckdb.DuckDBPyConnection
) -> None:
    # helpfulness: a1 and a3 failed, of a4 the judge could not tell: (1 + 4) / (1 + 2 + 4 + 2).
    # any: a1, a3, a4 of a1, a2 (half), a3, a4: (1 + 4 + 2) / (1 + 2 + 4 + 2).
    found = rows(hand_made, "failure_rates_by_axis", "day", "axis", "share", "n")
    assert found == [
        (TUE, "any", 1.0, 1),
        (TUE, "helpfulness", 1.0, 1),
        (MON, "any", 0.777778, 4),
        (MON, "contract", 0.25, 4),
        (MON, "helpfulness", 0.555556, 4),
    ]
    stored = warehouse.execute(
        "SELECT day, slice, value, low, high, n FROM run_summaries WHERE metric = 'failure_rate'"
        " AND value IS NOT NULL ORDER BY day DESC, slice"
    ).fetchall()
    columns = ("day", "axis", "share", "low", "high", "n")
    assert rows(hand_made, "failure_rates_by_axis", *columns) == stored


def test_modes_of_the_summaries_are_those_of_the_view(
    hand_made: DataDir, warehouse: duckdb.DuckDBPyConnection
) -> None:
    stored = warehouse.execute(
        "SELECT slice, value, low, high, n FROM run_summaries"
        " WHERE metric IN ('new_mode', 'known_mode') AND day = '2026-11-09' ORDER BY slice"
    ).fetchall()
    columns = ("day", "failure_mode_id", "estimated", "low", "high", "n")
    found = rows(hand_made, "failure_modes_by_day", *columns)
    assert sorted(row[1:] for row in found if row[0] == MON) == stored


def test_mode_trend(hand_made: DataDir) -> None:
    # By default the mode that hit most: m-half 4, m-old 1 + 2, m-json 2. Not seen on Tuesday.
    columns = ("day", "failure_mode_id", "failures", "estimated", "n")
    assert rows(hand_made, "mode_trend", *columns) == [
        (MON, "m-half", 1, 4.0, 4),
        (TUE, "m-half", 0, 0.0, 1),
    ]
    assert rows(hand_made, "mode_trend", *columns, mode="m-old") == [
        (MON, "m-old", 1, 1.0, 4),
        (TUE, "m-old", 1, 2.0, 1),
    ]


def test_new_modes_this_week(hand_made: DataDir) -> None:
    # m-old stands in the week before; the other two were founded on Monday of the latest week.
    found = rows(
        hand_made, "new_modes_this_week",
        "failure_mode_id", "first_day", "estimated", "intents", "releases", "example_trace_id",
    )  # fmt: skip
    assert found == [
        ("m-half", MON, 4.0, ["order_status"], ["r1"], "a3"),
        ("m-json", MON, 2.0, ["unknown"], ["r2"], "a4"),
    ]


def test_cost_per_day(hand_made: DataDir) -> None:
    # Monday: 0.10 + 0.20 + 4 · 0.05, a4 states none. Tuesday: one trace stands for two, 2 · 0.30,
    # and one alone has no spread, so no bounds.
    found = rows(
        hand_made, "cost_per_day",
        "day", "estimated_traces", "agent_usd", "n", "traces_without_cost", "low",
        "judge_usd_as_if_uncached", "judge_usd_paid",
    )  # fmt: skip
    assert found[0] == (TUE, 2.0, 0.6, 1, 0, None, 0.0, 0.0)
    # mean 0.5/6; (1 - pi) w² is 12 for a3 alone: v = 3/2 · 12 · (0.05 - 0.08333)² = 0.02,
    # and 0.5 - 1.96 · sqrt(0.02) = 0.2228192.
    assert found[1] == (MON, 8.0, 0.5, 3, 1, 0.222819, 0.0, 0.0)  # the embedded judge is free


def test_suite_growth(hand_made: DataDir) -> None:
    assert rows(hand_made, "suite_growth", "week", "added", "retired", "active", "regression") == [
        (MON, 1, 0, 1, 1)  # of before there was `added_on`: its first failure counts
    ]


def test_suite_coverage(hand_made: DataDir) -> None:
    # 9 failures in all traffic: m-half 4, m-old 1 + 2 (its case folds two traces), m-json 2.
    found = rows(
        hand_made, "suite_coverage",
        "failure_mode_id", "covered", "active_cases", "folded_traces", "estimated",
        "share_of_failures",
    )  # fmt: skip
    assert found == [
        ("m-half", False, 0, 0, 4.0, 0.444444),
        ("m-old", True, 1, 2, 3.0, 0.333333),
        ("m-json", False, 0, 0, 2.0, 0.222222),
    ]


def test_freshness_counts_an_empty_day_and_misses_a_gap(tmp_path: Path) -> None:
    place = DataDir(tmp_path / "data")
    for key in ("2026-11-09", "2026-11-11"):
        Lake(place).publish(
            GRADES, windows.day(key), GRADES.empty(), Provenance(Counts("traces", 0, 0))
        )
    build_warehouse(place)
    columns = ("table_name", "first_partition", "last_partition", "partitions", "missing")
    assert rows(place, "freshness", *columns) == [("grades", MON, EMPTY.first, 2, 1)]


def test_judge_calibration(hand_made: DataDir) -> None:
    columns = ("week", "judge_id", "axis", "trusted", "n", "agreement")
    assert rows(hand_made, "judge_calibration", *columns) == [
        (date(2026, 11, 2), JUDGE, "helpfulness", False, 12, 0.75)
    ]


def test_mode_states_are_those_of_the_latest_week_with_their_cases(hand_made: DataDir) -> None:
    columns = ("failure_mode_id", "state", "rate", "rate_n", "active_cases", "cases")
    assert rows(hand_made, "mode_states", *columns) == [("m-old", "regressed", 0.1, 30, 1, ["c1"])]


def test_mode_life(hand_made: DataDir) -> None:
    columns = ("failure_mode_id", "week", "state_before", "state")
    week = date(2026, 11, 2)
    assert rows(hand_made, "mode_life", *columns) == [("m-old", week, None, "regressed")]
    assert rows(hand_made, "mode_life", "state", mode="m-half") == []


def test_mode_rates_by_release(hand_made: DataDir) -> None:
    # 6 of 40 in all traffic, 3 of 20 traces of weight 2: v = 20 · 2 · .15 · .85 / 40² and so
    # n_effective = .1275 / v = 40; Wilson of .15 at 40 is .0706 to .2907. None of 20 at 40 / 2.
    columns = ("failure_mode_id", "state", "release", "seen", "failures", "rate", "n")
    assert rows(hand_made, "mode_rates_by_release", *columns) == [
        ("m-old", "regressed", "r0", 3, 6.0, 0.15, 20),
        ("m-old", "regressed", "r1", 0, 0.0, 0.0, 10),
    ]
    bounds = rows(hand_made, "mode_rates_by_release", "low", "high")
    assert bounds[0] == (pytest.approx(0.0706, abs=1e-4), pytest.approx(0.2907, abs=1e-4))
    assert bounds[1] == (0.0, pytest.approx(3.8415 / (20 + 3.8415), abs=1e-4))


def test_slow_failures_show_what_creeps_and_the_rest_when_asked(hand_made: DataDir) -> None:
    columns = ("scope", "subject", "metric", "creeping", "rise")
    creeping = ("intent", "refund", "turns", True, 0.4)
    assert rows(hand_made, "slow_failures", *columns) == [creeping]
    steady = ("intent", "refund", "tokens", False, None)
    assert rows(hand_made, "slow_failures", *columns, all="yes") == [creeping, steady]


def test_unknown_intents(hand_made: DataDir) -> None:
    # a4 stands for 2 of Monday's 8.
    columns = ("day", "unknown_traces", "share", "n", "example_trace_ids")
    assert rows(hand_made, "unknown_intents", *columns) == [
        (TUE, 0, 0.0, 1, None),
        (MON, 1, 0.25, 4, ["a4"]),
    ]


def test_waiting_for_review(hand_made: DataDir) -> None:
    # c1 was promoted and is in the suite, c4 was rejected.
    columns = ("waiting_since", "case_id", "trace_id", "mode_name", "traces", "reasons")
    assert rows(hand_made, "waiting_for_review", *columns) == [
        (MON, "c3", "a3", "half of the question unanswered", 1, ["The judge is not trusted yet."])
    ]


def test_no_query_of_that_name(hand_made: DataDir) -> None:
    with pytest.raises(KeyError):
        run_query(hand_made, "../views/15_graded_traces")


def test_no_warehouse_yet_says_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(MissingPartition, match="make publish"):
        run_query(DataDir(tmp_path), "freshness")


def test_a_query_reads_nothing_outside_lake_and_ledger(
    hand_made: DataDir, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "queries").mkdir()
    raw = hand_made.raw / "quarantined_records" / "*" / "*.parquet"
    nosy = f"-- What stands in the raw zone?\nSELECT * FROM read_parquet({literal(raw)});"
    (tmp_path / "queries" / "nosy.sql").write_text(nosy, "utf-8")
    monkeypatch.setattr("pipeline.report.queries.SQL", tmp_path)
    with pytest.raises(duckdb.PermissionException):
        run_query(hand_made, "nosy")


def test_a_query_leaves_an_open_connection_of_the_same_process_as_it_is(
    hand_made: DataDir, warehouse: duckdb.DuckDBPyConnection
) -> None:
    run_query(hand_made, "freshness")
    assert warehouse.execute("SELECT current_setting('enable_external_access')").fetchone() == (
        True,
    )


def test_a_query_tells_its_variables_and_what_its_columns_mean() -> None:
    assert variables_of("failure_rates_by_segment") == ("attribute", "axis")
    assert variables_of("cost_per_day") == ()
    told = notes_of("mode_trend")
    assert told.startswith("--set mode=<failure_mode_id> picks the mode")
    assert "SET VARIABLE" not in told
    assert "SELECT" not in told
