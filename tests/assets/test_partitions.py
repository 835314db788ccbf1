"""How days and weeks depend on one another."""

from __future__ import annotations

import dagster as dg
import pytest

from assets.definitions import build
from assets.partitions import daily, weekly
from pipeline.datadir import DataDir


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> dg.AssetGraph:
    return build(DataDir(tmp_path_factory.mktemp("graph"))).resolve_asset_graph()


def parents(graph: dg.AssetGraph, child: str, partition: str, parent: str) -> list[str]:
    found = graph.get_parent_partition_keys_for_child(
        partition, dg.AssetKey(parent), dg.AssetKey(child)
    )
    return sorted(found.partitions_subset.get_partition_keys())


def test_partitions_start_on_a_monday() -> None:
    assert daily.get_first_partition_key() == weekly.get_first_partition_key() == "2025-01-06"
    assert weekly.get_partition_keys()[1] == "2025-01-13"


@pytest.mark.parametrize("day", ["2026-11-09", "2026-11-12", "2026-11-15"])
def test_any_day_reads_the_modes_of_the_week_before_its_own(graph: dg.AssetGraph, day: str) -> None:
    # Monday, Thursday and Sunday of the week of 9 November: the week before starts on the 2nd
    assert parents(graph, "failure_mode_clusters", day, "failure_modes") == ["2026-11-02"]
    assert parents(graph, "promoted_cases", day, "judge_calibration_reports") == ["2026-11-02"]
    assert parents(graph, "promoted_cases", day, "slow_failures") == ["2026-11-02"]


def test_a_week_reads_its_seven_days_and_the_week_before(graph: dg.AssetGraph) -> None:
    days = [f"2026-11-{n:02}" for n in range(2, 9)]
    assert parents(graph, "failure_modes", "2026-11-02", "grades") == days
    assert parents(graph, "failure_modes", "2026-11-09", "failure_modes") == ["2026-11-02"]


def test_a_state_reads_half_a_year_of_rates_and_the_states_of_the_week_before(
    graph: dg.AssetGraph,
) -> None:
    rates = parents(graph, "mode_states", "2026-11-09", "mode_rates")
    assert (len(rates), rates[0], rates[-1]) == (26, "2026-05-18", "2026-11-09")
    assert parents(graph, "mode_states", "2026-11-09", "mode_states") == ["2026-11-02"]
    slow = parents(graph, "slow_failures", "2026-11-09", "slow_failures")
    assert (len(slow), slow[-1]) == (25, "2026-11-02")
    assert parents(graph, "mode_states", "2025-01-13", "mode_rates") == ["2025-01-06", "2025-01-13"]


def test_the_report_on_the_judge_compares_four_weeks(graph: dg.AssetGraph) -> None:
    days = parents(graph, "judge_calibration_reports", "2026-11-16", "grades")
    assert (days[0], days[-1], len(days)) == ("2026-10-26", "2026-11-22", 28)
    first = parents(graph, "judge_calibration_reports", "2025-01-06", "grades")
    assert (first[0], first[-1]) == ("2025-01-06", "2025-01-12")


def test_the_first_week_has_no_predecessor(graph: dg.AssetGraph) -> None:
    assert parents(graph, "failure_mode_clusters", "2025-01-08", "failure_modes") == []
    assert parents(graph, "failure_modes", "2025-01-06", "failure_modes") == []


def test_a_day_reads_its_own_day(graph: dg.AssetGraph) -> None:
    assert parents(graph, "grades", "2026-11-04", "redacted_traces") == ["2026-11-04"]
