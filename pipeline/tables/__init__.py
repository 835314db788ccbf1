"""Every table of the pipeline; a table's name is its asset key, directory and view."""

from pipeline.tables.daily import (
    FAILURE_MODE_CLUSTERS,
    GRADES,
    PROMOTED_CASES,
    RUN_SUMMARIES,
    STRATIFIED_SAMPLES,
)
from pipeline.tables.lives import MODE_RATES, MODE_STATES, SLOW_FAILURES
from pipeline.tables.schema import Column, SchemaError, Table
from pipeline.tables.traces import QUARANTINED_RECORDS, RAW_TRACES, REDACTED_TRACES
from pipeline.tables.weekly import (
    EVAL_SUITE,
    FAILURE_MODES,
    JUDGE_CALIBRATION_REPORTS,
    UNKNOWN_INTENTS,
)

__all__ = [
    "ALL",
    "EVAL_SUITE",
    "FAILURE_MODES",
    "FAILURE_MODE_CLUSTERS",
    "GRADES",
    "JUDGE_CALIBRATION_REPORTS",
    "MODE_RATES",
    "MODE_STATES",
    "PROMOTED_CASES",
    "QUARANTINED_RECORDS",
    "RAW_TRACES",
    "REDACTED_TRACES",
    "RUN_SUMMARIES",
    "SLOW_FAILURES",
    "STRATIFIED_SAMPLES",
    "UNKNOWN_INTENTS",
    "Column",
    "SchemaError",
    "Table",
]

ALL: dict[str, Table] = {
    table.name: table
    for table in (
        RAW_TRACES,
        QUARANTINED_RECORDS,
        STRATIFIED_SAMPLES,
        REDACTED_TRACES,
        GRADES,
        FAILURE_MODE_CLUSTERS,
        PROMOTED_CASES,
        RUN_SUMMARIES,
        FAILURE_MODES,
        MODE_RATES,
        MODE_STATES,
        SLOW_FAILURES,
        JUDGE_CALIBRATION_REPORTS,
        UNKNOWN_INTENTS,
        EVAL_SUITE,
    )
}
"""Every table by name."""
