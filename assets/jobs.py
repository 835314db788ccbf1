"""What runs together, and when (UTC)."""

from __future__ import annotations

import dagster as dg
from dagster._core.storage.tags import (
    ASSET_PARTITION_RANGE_END_TAG,
    ASSET_PARTITION_RANGE_START_TAG,
)

from pipeline.windows import day, previous_week

__all__ = [
    "ASSETS",
    "DAILY",
    "IN_ORDER",
    "JOBS",
    "PUBLISH",
    "RESTATE",
    "SCHEDULES",
    "WEEKLY",
    "range_tags",
]

ASSETS = {
    "daily": [
        *("raw_traces", "stratified_samples", "redacted_traces", "grades"),
        *("failure_mode_clusters", "promoted_cases", "run_summaries"),
    ],
    "weekly": [
        *("failure_modes", "mode_rates", "mode_states", "slow_failures"),
        *("unknown_intents", "judge_calibration_reports"),
    ],
    "publish": ["eval_suite", "warehouse"],
}
"""What each job makes."""

DAILY = dg.define_asset_job(
    "daily",
    selection=ASSETS["daily"],
    description="Everything that is cut by day; a range of days is one run.",
)
WEEKLY = dg.define_asset_job(
    "weekly",
    selection=ASSETS["weekly"],
    description="Closes a week: its failure modes, its unplanned intents, the trust in its judge.",
)
RESTATE = dg.define_asset_job(
    "restate_last_week",
    selection=ASSETS["daily"],
    description="The seven days of last week once more, before it is closed: spans arrive late.",
)
PUBLISH = dg.define_asset_job(
    "publish",
    selection=ASSETS["publish"],
    description="The suite and the warehouse, from all partitions.",
)
JOBS = [DAILY, WEEKLY, RESTATE, PUBLISH]

# Scheduled runs share this tag, and dagster.yaml lets one of them run at a time: they queue in the
# order of their hours, so a week is closed only after its last day and its restatement are done.
IN_ORDER = {"caselaw/in_order": "yes"}


def range_tags(first: str, last: str) -> dict[str, str]:
    """Tags that make one run of the partitions from `first` to `last`."""
    return {ASSET_PARTITION_RANGE_START_TAG: first, ASSET_PARTITION_RANGE_END_TAG: last}


@dg.schedule(
    job=RESTATE, cron_schedule="0 2 * * 1", execution_timezone="UTC", name="restate_last_week"
)
def _restate_last_week(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
    """On Monday, ask for the days of the week that just ended as one range."""
    days = previous_week(day(context.scheduled_execution_time.date())).days
    first, last = days[0].key, days[-1].key
    return dg.RunRequest(run_key=first, tags=IN_ORDER | range_tags(first, last))


SCHEDULES = [
    dg.build_schedule_from_partitioned_job(DAILY, name="daily", hour_of_day=1, tags=IN_ORDER),
    _restate_last_week,
    dg.build_schedule_from_partitioned_job(WEEKLY, name="weekly", hour_of_day=4, tags=IN_ORDER),
    dg.ScheduleDefinition(
        name="publish",
        job=PUBLISH,
        cron_schedule="0 6 * * *",
        execution_timezone="UTC",
        tags=IN_ORDER,
    ),
]
