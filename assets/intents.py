"""What users came for that nobody planned."""

import dagster as dg

from assets.external import registry_key
from assets.partitions import OWN_WEEK_BEFORE, weekly
from assets.publishing import publishing
from assets.traces import redacted_traces, stratified_samples
from pipeline.tables import REDACTED_TRACES, STRATIFIED_SAMPLES, UNKNOWN_INTENTS
from pipeline.unknown_intents import find_unknown_intents
from resources import EmbedderResource, LakeResource, RegistryResource

__all__ = ["unknown_intents"]


@dg.asset(
    deps=[
        *(redacted_traces, stratified_samples),
        dg.AssetDep("unknown_intents", partition_mapping=OWN_WEEK_BEFORE),
        *map(registry_key, ("settings", "intents")),
    ],
    partitions_def=weekly,
    backfill_policy=dg.BackfillPolicy.single_run(),
    group_name="cases",
    code_version="2",
)
def unknown_intents(
    context: dg.AssetExecutionContext,
    lake: LakeResource,
    registry: RegistryResource,
    embedder: EmbedderResource,
) -> dg.MaterializeResult:
    """What users came for that nobody planned: groups of requests, their share and its trend.

    Requests far from every planned intent, grouped and named by terms that several users said.
    The threshold is calibrated on the intents' own exemplars, and each row states its false alarms.
    """
    with publishing(context, lake, registry, UNKNOWN_INTENTS) as run:
        for week in run:
            before = run.read_week_before(UNKNOWN_INTENTS)
            samples = run.read_days(STRATIFIED_SAMPLES, week.days)
            redacted = run.read_days(REDACTED_TRACES, week.days)
            vectors = embedder.sentences()
            run.note("embedder", vectors.identity)
            entries = run.registry("settings.sampling", "settings.privacy", "intents")
            found = find_unknown_intents(redacted, samples, before, entries, vectors, week)
            run.publish(found.frame, found.counts)
    return run.result
