"""How failure modes fare from week to week: their rates, their states, and what creeps up."""

import dagster as dg

from assets.cases import failure_modes
from assets.external import registry_key
from assets.grading import grades
from assets.partitions import OWN_WEEK_BEFORE, OWN_WEEKS_BEFORE, WEEKS_SO_FAR, weekly
from assets.publishing import publishing
from assets.traces import redacted_traces, stratified_samples
from pipeline.failures.lifecycle import (
    HISTORY_WEEKS,
    advance_states,
    failures_of_modes,
    measure_rates,
)
from pipeline.failures.slow import find_slow_failures, mark_passed, measure_traces
from pipeline.tables import (
    FAILURE_MODES,
    GRADES,
    MODE_RATES,
    MODE_STATES,
    REDACTED_TRACES,
    SLOW_FAILURES,
    STRATIFIED_SAMPLES,
)
from resources import LakeResource, RegistryResource

__all__ = ["mode_rates", "mode_states", "slow_failures"]

_REGISTRY = [registry_key(section) for section in ("settings", "failure_modes")]


@dg.asset(
    deps=[grades, failure_modes, registry_key("rules")],
    partitions_def=weekly,
    backfill_policy=dg.BackfillPolicy.single_run(),
    group_name="cases",
    code_version="1",
)
def mode_rates(
    context: dg.AssetExecutionContext, lake: LakeResource, registry: RegistryResource
) -> dg.MaterializeResult:
    """How often each failure mode struck each release in the week, weighted, with intervals.

    The sums behind each rate are kept, so that weeks can be added up and compared.
    """
    with publishing(context, lake, registry, MODE_RATES) as run:
        for week in run:
            graded = run.read_days(GRADES, week.days)
            modes = run.read(FAILURE_MODES, week)
            rates = measure_rates(graded, modes, run.registry("rules"))
            run.publish(rates.frame, rates.counts)
    return run.result


@dg.asset(
    deps=[
        failure_modes,
        dg.AssetDep(mode_rates, partition_mapping=WEEKS_SO_FAR),
        dg.AssetDep("mode_states", partition_mapping=OWN_WEEK_BEFORE),
        *_REGISTRY,
    ],
    partitions_def=weekly,
    backfill_policy=dg.BackfillPolicy.single_run(),
    group_name="cases",
    code_version="1",
)
def mode_states(
    context: dg.AssetExecutionContext, lake: LakeResource, registry: RegistryResource
) -> dg.MaterializeResult:
    """Where every failure mode stands: new, ongoing, escalating, fixed, verified, regressed.

    A fix that people claim in the registry is verified by production: the rate before the release
    is held against the rate from it on. Half a year of rates and the states of the week before.
    """
    with publishing(context, lake, registry, MODE_STATES) as run:
        for week in run:
            before = run.read_week_before(MODE_STATES)
            modes = run.read(FAILURE_MODES, week)
            rates = run.read_weeks(MODE_RATES, HISTORY_WEEKS)
            entries = run.registry("settings.lifecycle", "failure_modes", "fixes")
            states = advance_states(modes, rates, before, entries, week)
            run.publish(states.frame, states.counts, claims_of_no_mode=len(states.unknown))
    return run.result


@dg.asset(
    deps=[
        *(stratified_samples, redacted_traces, grades, failure_modes),
        dg.AssetDep("slow_failures", partition_mapping=OWN_WEEKS_BEFORE),
        *_REGISTRY[:1],
        registry_key("rules"),
    ],
    partitions_def=weekly,
    backfill_policy=dg.BackfillPolicy.single_run(),
    group_name="cases",
    code_version="2",
)
def slow_failures(
    context: dg.AssetExecutionContext, lake: LakeResource, registry: RegistryResource
) -> dg.MaterializeResult:
    """Turns, tokens, cost, retries and complaints by intent, release and mode, and which creep up.

    A trend over the weeks, with the share of false findings bounded. What creeps up may be a
    failure that no check fails on.
    """
    with publishing(context, lake, registry, SLOW_FAILURES) as run:
        for week in run:
            before = run.read_weeks(SLOW_FAILURES, HISTORY_WEEKS, with_this=False)
            redacted = run.read_days(REDACTED_TRACES, week.days)
            measured = measure_traces(run.read_days(STRATIFIED_SAMPLES, week.days), redacted)
            entries = run.registry("settings.lifecycle", "rules")
            graded, modes = run.read_days(GRADES, week.days), run.read(FAILURE_MODES, week)
            failing = failures_of_modes(graded, modes, entries)
            traces = mark_passed(measured, failing, entries.rules)
            found = find_slow_failures(traces, failing, before, entries.settings.lifecycle, week)
            run.publish(found.frame, found.counts, creeping=int(found.frame["creeping"].sum()))
    return run.result
