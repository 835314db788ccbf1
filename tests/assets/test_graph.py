"""The shape of the lineage, small enough to review."""

from __future__ import annotations

import ast
from pathlib import Path

import dagster as dg
import pytest

from assets.definitions import build
from assets.external import REGISTRY
from pipeline.datadir import DataDir
from pipeline.tables import ALL

SHAPE = """
annotations [people, no partition]
eval_suite [cases, no partition] <- annotations failure_modes promoted_cases registry/failure_modes registry/rubric registry/rules registry/settings
failure_mode_clusters [cases, day] <- failure_modes grades registry/failure_modes registry/rules registry/settings
failure_modes [cases, week] <- failure_modes grades registry/failure_modes registry/rules registry/settings
grades [grading, day] <- redacted_traces registry/intents registry/rubric registry/rules registry/settings stratified_samples
judge_calibration_reports [grading, week] <- annotations grades registry/rubric registry/settings
landing_files [traces, no partition]
mode_rates [cases, week] <- failure_modes grades registry/rules
mode_states [cases, week] <- failure_modes mode_rates mode_states registry/failure_modes registry/settings
promoted_cases [cases, day] <- failure_mode_clusters failure_modes grades judge_calibration_reports redacted_traces registry/failure_modes registry/intents registry/pii_policy registry/rubric registry/rules registry/settings slow_failures stratified_samples
raw_traces [traces, day] <- landing_files registry/settings
redacted_traces [traces, day] <- raw_traces registry/pii_policy stratified_samples
registry/failure_modes [registry, no partition]
registry/intents [registry, no partition]
registry/opt_outs [registry, no partition]
registry/pii_policy [registry, no partition]
registry/rubric [registry, no partition]
registry/rules [registry, no partition]
registry/settings [registry, no partition]
run_summaries [reports, day] <- failure_mode_clusters failure_modes grades judge_calibration_reports mode_states promoted_cases raw_traces redacted_traces registry/settings slow_failures stratified_samples unknown_intents
slow_failures [cases, week] <- failure_modes grades redacted_traces registry/rules registry/settings slow_failures stratified_samples
stratified_samples [traces, day] <- raw_traces registry/intents registry/opt_outs registry/settings
unknown_intents [cases, week] <- redacted_traces registry/intents registry/settings stratified_samples unknown_intents
warehouse [reports, no partition] <- eval_suite failure_mode_clusters failure_modes grades judge_calibration_reports mode_rates mode_states promoted_cases redacted_traces run_summaries slow_failures stratified_samples unknown_intents
"""  # noqa: E501 - a line an asset

CARD = [
    "raw_traces",
    "stratified_samples",
    "redacted_traces",
    "grades",
    "failure_mode_clusters",
    "promoted_cases",
    "judge_calibration_reports",
]


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> dg.AssetGraph:
    return build(DataDir(tmp_path_factory.mktemp("graph"))).resolve_asset_graph()


def nodes(graph: dg.AssetGraph) -> dict[str, object]:
    return {key.to_user_string(): graph.get(key) for key in graph.get_all_asset_keys()}


def test_the_graph_has_the_shape_of_the_design(graph: dg.AssetGraph) -> None:
    units = {None: "no partition", "DailyPartitionsDefinition": "day"}
    units["WeeklyPartitionsDefinition"] = "week"
    lines = []
    for name, node in sorted(nodes(graph).items()):
        unit = units[type(node.partitions_def).__name__ if node.partitions_def else None]
        parents = " ".join(sorted(key.to_user_string() for key in node.parent_keys))
        lines.append(f"{name} [{node.group_name}, {unit}]" + (f" <- {parents}" if parents else ""))
    assert lines == SHAPE.strip().splitlines()


def test_the_seven_names_of_the_card_are_assets(graph: dg.AssetGraph) -> None:
    assert set(CARD) <= nodes(graph).keys()


def test_every_made_asset_carries_what_a_reader_of_the_ui_needs(graph: dg.AssetGraph) -> None:
    for name, node in nodes(graph).items():
        assert node.owners, name
        assert node.description, name
        if node.is_executable:
            assert node.code_version, name
            assert node.kinds, name
        if node.partitions_def:
            assert node.backfill_policy == dg.BackfillPolicy.single_run(), name


def test_columns_in_the_ui_are_those_of_the_table(graph: dg.AssetGraph) -> None:
    made = [name for name, node in nodes(graph).items() if node.is_executable]
    assert set(made) - ALL.keys() == {"warehouse"}
    for name in set(made) & ALL.keys():
        shown = graph.get(dg.AssetKey(name)).metadata["dagster/column_schema"].columns
        assert {c.name: c.description for c in shown} == {
            column: known.meaning for column, known in ALL[name].columns.items()
        }


def test_the_registry_has_an_asset_per_file(place: DataDir, graph: dg.AssetGraph) -> None:
    files = {path.stem for path in place.registry.glob("*.yaml")}
    assert files == set(REGISTRY)


def test_suite_and_warehouse_share_a_pool_of_one(place: DataDir) -> None:
    defs = build(place)
    pools = {name: defs.resolve_assets_def(name).op.pool for name in ("eval_suite", "warehouse")}
    assert pools == {"eval_suite": "publication", "warehouse": "publication"}


def test_an_asset_body_is_at_most_fifteen_lines() -> None:
    bodies = {}
    for path in (Path(__file__).parents[2] / "assets").glob("*.py"):
        for node in ast.parse(path.read_text("utf-8")).body:
            if isinstance(node, ast.FunctionDef) and node.decorator_list and node.args.args:
                decorators = {ast.unparse(d).partition("(")[0] for d in node.decorator_list}
                if "dg.asset" in decorators:
                    first = node.body[1]  # after the docstring
                    bodies[node.name] = node.body[-1].end_lineno - first.lineno + 1
    assert len(bodies) == 15
    assert {name: lines for name, lines in bodies.items() if lines > 15} == {}
