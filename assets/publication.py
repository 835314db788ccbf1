"""What people read and gate on: the suite and the warehouse, functions of every partition."""

import dagster as dg

from assets.cases import failure_mode_clusters, failure_modes, promoted_cases
from assets.errors import clear_errors
from assets.external import annotations, registry_key
from assets.grading import grades, judge_calibration_reports
from assets.intents import unknown_intents
from assets.lives import mode_rates, mode_states, slow_failures
from assets.publishing import publishing
from assets.summaries import run_summaries
from assets.traces import redacted_traces, stratified_samples
from pipeline.catalog import build_warehouse
from pipeline.ids import digest
from pipeline.redaction import require_one_scheme
from pipeline.review.annotations import read_annotations
from pipeline.suite import EVER, propose, replace_text
from pipeline.tables import EVAL_SUITE, FAILURE_MODES, PROMOTED_CASES, REDACTED_TRACES
from resources import LakeResource, RegistryResource

__all__ = ["ONE_AT_A_TIME", "eval_suite", "warehouse"]

ONE_AT_A_TIME = "publication"
"""The pool of one that both assets share: two runs must not write one file."""

_SUITE_READS = ("settings.promotion", "settings.eval_dir", "failure_modes", "rubric", "rules")


@dg.asset(
    deps=[
        *(promoted_cases, failure_modes, annotations),
        *map(registry_key, ("settings", "failure_modes", "rubric", "rules")),
    ],
    backfill_policy=dg.BackfillPolicy.single_run(),
    pool=ONE_AT_A_TIME,
    group_name="cases",
    code_version="1",
)
def eval_suite(
    context: dg.AssetExecutionContext,
    lake: LakeResource,
    registry: RegistryResource,
) -> dg.MaterializeResult:
    """The living suite, `eval/cases_from_prod.yaml`, and its index.

    A function of every day's decisions, of people's verdicts and of the file that people edited:
    what they changed stays, and an id once published never changes.
    """
    with publishing(context, lake, registry, EVAL_SUITE) as run:
        days = run.lake.windows(PROMOTED_CASES)
        promoted = run.read_days(PROMOTED_CASES, days)
        entries = run.registry(*_SUITE_READS, as_of=days[-1])
        labels = read_annotations(run.place.annotations, EVER)
        run.note("annotations", digest(sorted(labels["annotation_id"])))
        modes = run.read(FAILURE_MODES, run.lake.windows(FAILURE_MODES)[-1:])
        made = propose(run.place, promoted, labels, modes, entries)
        run.note("prompts", made.prompts.digest)
        replace_text(made.before, made.suite.text, again=run.place.make("publish"))
        suite = made.suite
        run.publish(suite.frame, suite.counts, conflicts=len(suite.conflicts), kept=len(suite.kept))
    return run.result


@dg.asset(
    deps=[
        *(stratified_samples, redacted_traces, grades, failure_mode_clusters, promoted_cases),
        *(mode_rates, mode_states, slow_failures),
        *(run_summaries, failure_modes, unknown_intents, judge_calibration_reports, eval_suite),
    ],
    backfill_policy=dg.BackfillPolicy.single_run(),
    pool=ONE_AT_A_TIME,
    group_name="reports",
    kinds={"duckdb"},
    code_version="1",
)
def warehouse(context: dg.AssetExecutionContext, lake: LakeResource) -> dg.MaterializeResult:
    """The DuckDB file that analysts open: views over the lake, and macros for its intervals.

    Built aside and linked in, so nobody's open connection blocks it or is broken by it.
    """
    with clear_errors(lambda: "warehouse"):
        opened = lake.open()
        days = opened.windows(REDACTED_TRACES)
        require_one_scheme(opened, ((REDACTED_TRACES, day) for day in days))
        path = build_warehouse(opened.place)
    return dg.MaterializeResult(metadata={"path": dg.MetadataValue.path(str(path))})
