"""Verdicts on redacted conversations, and how far the judge behind them can be trusted."""

import dagster as dg

from assets.external import annotations, registry_key
from assets.partitions import WEEKS_COMPARED, daily, weekly
from assets.publishing import publishing
from assets.traces import redacted_traces, stratified_samples
from pipeline.calibration import WEEKS, calibrate, run_canaries
from pipeline.grading import grade_traces
from pipeline.ids import digest
from pipeline.review.annotations import read_annotations
from pipeline.tables import (
    GRADES,
    JUDGE_CALIBRATION_REPORTS,
    REDACTED_TRACES,
    STRATIFIED_SAMPLES,
)
from resources import JudgeResource, LakeResource, RegistryResource

__all__ = ["grades", "judge_calibration_reports"]


@dg.asset(
    deps=[
        redacted_traces,
        stratified_samples,
        *map(registry_key, ("settings", "intents", "rules", "rubric")),
    ],
    partitions_def=daily,
    backfill_policy=dg.BackfillPolicy.single_run(),
    group_name="grading",
    code_version="1",
)
def grades(
    context: dg.AssetExecutionContext,
    lake: LakeResource,
    registry: RegistryResource,
    judge: JudgeResource,
) -> dg.MaterializeResult:
    """One verdict per conversation and check: the rules first, the judge on what survives them.

    A grader's error or refusal is an `error`, never a `fail`. A day with judge calls still
    pending is not published; what they cost and how long they took stands in the ledger.
    """
    with publishing(context, lake, registry, GRADES) as run:
        for day in run:
            entries = run.registry("settings.judge", "intents", "rules", "rubric")
            appointed = judge.appoint(entries)
            run.note("judge", appointed.identity)
            samples = run.read(STRATIFIED_SAMPLES, day)
            graded = grade_traces(run.read(REDACTED_TRACES, day), samples, entries, appointed)
            run.publish(graded.frame, graded.counts)
    return run.result


@dg.asset(
    deps=[
        dg.AssetDep(grades, partition_mapping=WEEKS_COMPARED),
        *(annotations, registry_key("settings"), registry_key("rubric")),
    ],
    partitions_def=weekly,
    backfill_policy=dg.BackfillPolicy.single_run(),
    group_name="grading",
    code_version="2",
)
def judge_calibration_reports(
    context: dg.AssetExecutionContext,
    lake: LakeResource,
    registry: RegistryResource,
    judge: JudgeResource,
) -> dg.MaterializeResult:
    """How far the judge agrees with people, axis by axis, and whether it is trusted next week.

    Annotations count as of the week's end, on its traces and those of the three weeks before. An
    untrusted judge's failures go to review. Beside it stands how often orders injected into known
    failures talked the judge into passing them.
    """
    with publishing(context, lake, registry, JUDGE_CALIBRATION_REPORTS) as run:
        for week in run:
            entries = run.registry("settings.calibration", "settings.judge", "rubric")
            labels = read_annotations(run.place.annotations, week.end)
            run.note("annotations", digest(sorted(labels["annotation_id"])))
            graded = run.read_days(GRADES, week.days)
            earlier = run.read_weeks_before(GRADES, WEEKS - 1)
            appointed = judge.appoint(entries)
            attacks = {appointed.identity: run_canaries(appointed)}
            report = calibrate(graded, labels, entries, attacks, earlier)
            run.publish(report.frame, report.counts, labels=labels.height)
    return run.result
