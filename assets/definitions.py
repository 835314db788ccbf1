"""The composition root: every asset, check, job, schedule and resource of the lineage."""

from __future__ import annotations

import warnings

import dagster as dg

from assets import cases, external, grading, intents, lives, publication, summaries, traces
from assets.checks import CHECKS
from assets.jobs import JOBS, SCHEDULES
from assets.retaining import RETENTION, SCHEDULE
from assets.sensors import READ_LANDING, late_traces
from pipeline.datadir import DataDir
from pipeline.tables import ALL, Table
from resources import resources_of

__all__ = ["build", "defs"]

# Dagster hands every sensor a parameter that it calls beta itself; nobody here can act on that.
warnings.filterwarnings("ignore", message="Parameter `owners`", category=dg.BetaWarning)

_OWNERS = {
    "traces": "team:data-engineering",
    "grading": "team:quality",
    "cases": "team:quality",
    "people": "team:quality",
    "registry": "team:quality",
    "reports": "team:analytics",
}


def build(place: DataDir, threads: int = 2) -> dg.Definitions:
    """The lineage over one data directory; `threads` are those that a process may use."""
    made = [
        *(traces.raw_traces, traces.stratified_samples, traces.redacted_traces),
        *(grading.grades, grading.judge_calibration_reports),
        intents.unknown_intents,
        *(cases.failure_mode_clusters, cases.failure_modes, cases.promoted_cases),
        *(lives.mode_rates, lives.mode_states, lives.slow_failures),
        *(summaries.run_summaries, publication.eval_suite, publication.warehouse),
    ]
    specs: list[dg.AssetsDefinition | dg.AssetSpec] = [*external.SPECS, *made]
    return dg.Definitions(
        assets=list(dg.map_asset_specs(_with_policy, specs)),
        asset_checks=CHECKS,
        jobs=[*JOBS, READ_LANDING, RETENTION],
        schedules=[*SCHEDULES, SCHEDULE],
        sensors=[late_traces],
        resources=resources_of(place, threads),
        # One process a run: a range of days loads detectors and vectors once.
        executor=dg.in_process_executor,
    )


def _with_policy(spec: dg.AssetSpec) -> dg.AssetSpec:
    """Owner by group; columns, kinds and tags by the table of the same name."""
    name = spec.key.to_user_string()
    owned = spec.replace_attributes(owners=[_OWNERS[spec.group_name or ""]])
    if name in ALL:
        schema = {"dagster/column_schema": _columns(ALL[name]), "dagster/table_name": name}
        owned = owned.merge_attributes(
            metadata=schema, kinds={"polars", "parquet"}, tags={"caselaw/zone": ALL[name].zone}
        )
    return owned


def _columns(table: Table) -> dg.TableSchema:
    return dg.TableSchema(
        columns=[
            dg.TableColumn(
                name,
                type=str(column.dtype),
                description=column.meaning,
                constraints=dg.TableColumnConstraints(unique=(name,) == table.key),
                tags={"privacy": column.privacy},
            )
            for name, column in table.columns.items()
        ]
    )


defs = build(DataDir.from_environment())
