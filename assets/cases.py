"""From failures to precedent: failure modes, promoted cases, and the suite they make up."""

import dagster as dg

from assets.external import registry_key
from assets.grading import grades, judge_calibration_reports
from assets.partitions import OWN_WEEK_BEFORE, WEEK_BEFORE, daily, weekly
from assets.publishing import Publication, publishing
from assets.traces import redacted_traces, stratified_samples
from pipeline.failures import assign_modes, consolidate_modes
from pipeline.ids import digest
from pipeline.promotion import Decisions, Residue, decide, residue_finder
from pipeline.tables import (
    FAILURE_MODE_CLUSTERS,
    FAILURE_MODES,
    GRADES,
    JUDGE_CALIBRATION_REPORTS,
    PROMOTED_CASES,
    REDACTED_TRACES,
    SLOW_FAILURES,
    STRATIFIED_SAMPLES,
)
from pipeline.windows import Window
from resources import (
    EmbedderResource,
    LakeResource,
    NamerResource,
    RedactorResource,
    RegistryResource,
)

__all__ = ["failure_mode_clusters", "failure_modes", "promoted_cases"]

_MODES = ("settings.failures", "failure_modes", "rules")
_WEIGHED_BY = ("settings", "intents", "rules", "rubric", "failure_modes")


@dg.asset(
    deps=[
        grades,
        dg.AssetDep("failure_modes", partition_mapping=OWN_WEEK_BEFORE),
        *map(registry_key, ("settings", "failure_modes", "rules")),
    ],
    partitions_def=weekly,
    backfill_policy=dg.BackfillPolicy.single_run(),
    group_name="cases",
    code_version="2",
)
def failure_modes(
    context: dg.AssetExecutionContext,
    lake: LakeResource,
    registry: RegistryResource,
    embedder: EmbedderResource,
    namer: NamerResource,
) -> dg.MaterializeResult:
    """The ways in which the agent fails, carried over from week to week.

    A function of the grades of the week's days and of the modes of the week before: the one
    chain through time. Weeks therefore ascend; days that have no grades are left out and counted.
    """
    with publishing(context, lake, registry, FAILURE_MODES) as run:
        for week in run:
            before = run.read_week_before(FAILURE_MODES)
            graded = run.read_days(GRADES, week.days)
            entries = run.registry(*_MODES, "fixes")
            vectors = embedder.words(entries)
            run.note("embedder", vectors.identity)
            names = namer.of(entries)
            modes = consolidate_modes(graded, before, entries, vectors, week, names)
            missing = sum(not run.lake.exists(GRADES, day) for day in week.days)
            run.publish(modes.frame, modes.counts, days_missing=missing)
    return run.result


@dg.asset(
    deps=[
        grades,
        dg.AssetDep(failure_modes, partition_mapping=WEEK_BEFORE),
        *map(registry_key, ("settings", "failure_modes", "rules")),
    ],
    partitions_def=daily,
    backfill_policy=dg.BackfillPolicy.single_run(),
    group_name="cases",
    code_version="1",
)
def failure_mode_clusters(
    context: dg.AssetExecutionContext,
    lake: LakeResource,
    registry: RegistryResource,
    embedder: EmbedderResource,
) -> dg.MaterializeResult:
    """Every failure of the day and the mode it belongs to.

    Matched to the modes of the week before by signature, else by likeness; what fits none founds
    a provisional mode with its neighbours of the same day.
    """
    with publishing(context, lake, registry, FAILURE_MODE_CLUSTERS) as run:
        for day in run:
            before = run.read_week_before(FAILURE_MODES)
            entries = run.registry(*_MODES)
            vectors = embedder.words(entries)
            run.note("embedder", vectors.identity)
            found = assign_modes(run.read(GRADES, day), before, entries, vectors)
            run.publish(found.frame, found.counts)
    return run.result


@dg.asset(
    deps=[
        failure_mode_clusters,
        grades,
        redacted_traces,
        stratified_samples,
        dg.AssetDep(failure_modes, partition_mapping=WEEK_BEFORE),
        dg.AssetDep(judge_calibration_reports, partition_mapping=WEEK_BEFORE),
        dg.AssetDep("slow_failures", partition_mapping=WEEK_BEFORE),
        *map(registry_key, (*_WEIGHED_BY, "pii_policy")),
    ],
    partitions_def=daily,
    backfill_policy=dg.BackfillPolicy.single_run(),
    group_name="cases",
    code_version="3",
)
def promoted_cases(
    context: dg.AssetExecutionContext,
    lake: LakeResource,
    registry: RegistryResource,
    redactor: RedactorResource,
) -> dg.MaterializeResult:
    """A decision, with its reasons, on each conversation that failed, cost or crept.

    Promoted, review or rejected, by what this day and the weeks before can show; recurrence over
    days and people's rejections are weighed in `eval_suite`. An untrusted judge promotes nothing.
    """
    with publishing(context, lake, registry, PROMOTED_CASES) as run:
        for day in run:
            decided = _decided(run, redactor, day)
            run.publish(decided.frame, decided.counts)
    return run.result


def _decided(run: Publication, redactor: RedactorResource, day: Window) -> Decisions:
    return decide(
        clusters=run.read(FAILURE_MODE_CLUSTERS, day),
        grades=run.read(GRADES, day),
        redacted=run.read(REDACTED_TRACES, day),
        samples=run.read(STRATIFIED_SAMPLES, day),
        modes_before=run.read_week_before(FAILURE_MODES),
        calibration_before=run.read_week_before(JUDGE_CALIBRATION_REPORTS),
        registry=run.registry("settings.promotion", *_WEIGHED_BY[1:]),
        window=day,
        residue=_residue(run, redactor, day),
        slow_before=run.read_week_before(SLOW_FAILURES),
    )


def _residue(run: Publication, redactor: RedactorResource, day: Window) -> Residue:
    """What finds the shapes of personal data in a case, by the policy of the day."""
    policy = redactor.policy(day)
    run.note("pii_policy", digest(policy.model_dump(mode="json")))
    return residue_finder(policy, redactor.names(day))
