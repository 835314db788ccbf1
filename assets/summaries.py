"""The page that a team reads in the morning."""

import dagster as dg

from assets.cases import failure_mode_clusters, failure_modes, promoted_cases
from assets.external import registry_key
from assets.grading import grades, judge_calibration_reports
from assets.intents import unknown_intents
from assets.lives import mode_states, slow_failures
from assets.partitions import WEEK_BEFORE, daily
from assets.publishing import publishing
from assets.traces import raw_traces, redacted_traces, stratified_samples
from pipeline import tables
from pipeline.report import read_day, summarise, write_pages
from pipeline.windows import previous_week
from resources import LakeResource, RegistryResource

__all__ = ["run_summaries"]

_OF_THE_DAY = (
    *(tables.RAW_TRACES, tables.QUARANTINED_RECORDS, tables.STRATIFIED_SAMPLES),
    *(tables.REDACTED_TRACES, tables.GRADES, tables.FAILURE_MODE_CLUSTERS, tables.PROMOTED_CASES),
)
_OF_THE_WEEK_BEFORE = (
    *(tables.FAILURE_MODES, tables.MODE_STATES, tables.SLOW_FAILURES),
    *(tables.UNKNOWN_INTENTS, tables.JUDGE_CALIBRATION_REPORTS),
)


@dg.asset(
    deps=[
        *(raw_traces, stratified_samples, redacted_traces),
        *(grades, failure_mode_clusters, promoted_cases),
        dg.AssetDep(failure_modes, partition_mapping=WEEK_BEFORE),
        dg.AssetDep(mode_states, partition_mapping=WEEK_BEFORE),
        dg.AssetDep(slow_failures, partition_mapping=WEEK_BEFORE),
        dg.AssetDep(unknown_intents, partition_mapping=WEEK_BEFORE),
        dg.AssetDep(judge_calibration_reports, partition_mapping=WEEK_BEFORE),
        registry_key("settings"),
    ],
    partitions_def=daily,
    backfill_policy=dg.BackfillPolicy.single_run(),
    group_name="reports",
    code_version="1",
)
def run_summaries(
    context: dg.AssetExecutionContext, lake: LakeResource, registry: RegistryResource
) -> dg.MaterializeResult:
    """The day on one page: what came in, what failed and how often, what became of it.

    Counts and weighted rates with their intervals; the page itself, HTML and Markdown, lies
    under `reports/`.
    """
    with publishing(context, lake, registry, tables.RUN_SUMMARIES) as run:
        for day in run:
            run.cite(_OF_THE_DAY, day)
            run.cite(_OF_THE_WEEK_BEFORE, previous_week(day))
            summary = summarise(read_day(run.lake, day), run.registry("settings.judge"))
            write_pages(run.place, summary)
            run.publish(summary.frame, summary.counts)
    return run.result
