"""From landed files to redacted conversations: the only assets that touch personal data."""

import dagster as dg

from assets.external import landing_files, registry_key
from assets.partitions import daily
from assets.publishing import publishing
from pipeline.ids import digest
from pipeline.ingest import assemble_day
from pipeline.ingest.suppression import read_suppression
from pipeline.provenance import Counts
from pipeline.redaction import SCHEME, redact_traces, require_declared
from pipeline.retention import require_kept
from pipeline.sampling import draw_sample, listed_traces
from pipeline.tables import QUARANTINED_RECORDS, RAW_TRACES, REDACTED_TRACES, STRATIFIED_SAMPLES
from resources import (
    ContentKeyResource,
    EmbedderResource,
    LakeResource,
    RedactorResource,
    RegistryResource,
)

__all__ = ["raw_traces", "redacted_traces", "stratified_samples"]

_ONE_RUN = dg.BackfillPolicy.single_run()


@dg.asset(
    deps=[landing_files, registry_key("settings")],
    partitions_def=daily,
    backfill_policy=_ONE_RUN,
    group_name="traces",
    code_version="2",
)
def raw_traces(
    context: dg.AssetExecutionContext,
    lake: LakeResource,
    registry: RegistryResource,
    content_key: ContentKeyResource,
) -> dg.MaterializeResult:
    """The day's conversations in one form, whatever format they landed in.

    A conversation belongs to the UTC day of its first span. Records that cannot be read are kept
    in `quarantined_records`; above `ingest.quarantine_ratio` the day fails. Holds personal data:
    it lies in the raw zone, has no view, and a day that retention has dropped is refused.
    """
    with publishing(context, lake, registry, RAW_TRACES) as run:
        for day in run:
            entries = run.registry("settings.ingest")
            keys = content_key.load()
            out = read_suppression(run.place, keys.subkey("suppression"), keys.subkey("user"))
            with assemble_day(run.place, day, entries, out.id_key, run.report_bytes, out) as found:
                require_kept(run.place, day, found.counts.records_in)
                found.require_sources(run.published_before("trace_id", "source_files"))
                run.note_all(found.files)
                bad = found.quarantined
                kept = Counts("records", bad.height, bad.height)
                run.publish(bad, kept, table=QUARANTINED_RECORDS, part="ingest")
                found.require_ratio(entries.settings.ingest.quarantine_ratio)
                run.publish(found.frames(), found.counts, files=len(found.files))
    return run.result


@dg.asset(
    deps=[raw_traces, *map(registry_key, ("settings", "intents", "opt_outs"))],
    partitions_def=daily,
    backfill_policy=_ONE_RUN,
    group_name="traces",
    code_version="1",
)
def stratified_samples(
    context: dg.AssetExecutionContext,
    lake: LakeResource,
    registry: RegistryResource,
    embedder: EmbedderResource,
    content_key: ContentKeyResource,
) -> dg.MaterializeResult:
    """Which of the day's conversations are looked at, with the probability of each to be drawn.

    Stratified by intent and stakes; high stakes are a census, anomalies a second draw of known
    probability; who opted out takes no part, and a cap on the share holds for all. Every later
    rate is weighted by `inclusion_probability`.
    """
    with publishing(context, lake, registry, STRATIFIED_SAMPLES) as run:
        for day in run:
            entries = run.registry("settings.sampling", "intents")
            vectors = embedder.sentences()
            run.note("embedder", vectors.identity)
            raw = run.read(RAW_TRACES, day)
            tenants = entries.settings.privacy.tenant_attributes
            key = content_key.load().subkey("user")
            listed = listed_traces(raw, entries.opt_outs, key, tenants)
            run.note_all({"opt_outs/listed": digest(sorted(listed))} if listed else {})
            sample = draw_sample(raw, entries, vectors, listed)
            run.publish(sample.frame, sample.counts)
    return run.result


@dg.asset(
    deps=[raw_traces, stratified_samples, registry_key("pii_policy")],
    partitions_def=daily,
    backfill_policy=_ONE_RUN,
    group_name="traces",
    code_version="1",
)
def redacted_traces(
    context: dg.AssetExecutionContext,
    lake: LakeResource,
    registry: RegistryResource,
    redactor: RedactorResource,
    content_key: ContentKeyResource,
) -> dg.MaterializeResult:
    """The sampled conversations with keyed surrogates in place of personal data.

    Fails closed: a conversation that could not be redacted for certain, or in which the residual
    audit still finds something, goes to `quarantined_records` and nowhere else.
    """
    with publishing(context, lake, registry, REDACTED_TRACES) as run:
        for day in run:
            tool = redactor.load(day)
            run.note("pii_policy", digest(tool.policy.model_dump(mode="json")))
            require_declared(run.lake, day, tool.key_id)
            run.note(SCHEME, tool.key_id)
            raw = run.read(RAW_TRACES, day)
            drawn = raw.join(run.read(STRATIFIED_SAMPLES, day), on="trace_id", how="semi")
            safe, bad = redact_traces(drawn, tool, content_key.load())
            kept = Counts("traces", bad.height, bad.height)
            run.publish(bad, kept, table=QUARANTINED_RECORDS, part="redaction")
            run.publish(safe, Counts("traces", drawn.height, safe.height, 0, bad.height))
    return run.result
