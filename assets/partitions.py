"""How the lineage is cut in time: UTC days, weeks from Monday, and the week before."""

from __future__ import annotations

import dagster as dg

from pipeline.calibration import WEEKS
from pipeline.failures.lifecycle import HISTORY_WEEKS
from pipeline.windows import FIRST_DAY

__all__ = [
    "OWN_WEEKS_BEFORE",
    "OWN_WEEK_BEFORE",
    "WEEKS_COMPARED",
    "WEEKS_SO_FAR",
    "WEEK_BEFORE",
    "daily",
    "weekly",
]

daily = dg.DailyPartitionsDefinition(start_date=FIRST_DAY.isoformat(), timezone="UTC")
weekly = dg.WeeklyPartitionsDefinition(
    start_date=FIRST_DAY.isoformat(), timezone="UTC", day_offset=1
)

# Offsets count in the downstream's unit: seven days back lies in the week before.
# A week that is missing for another reason is refused by the asset itself.
WEEK_BEFORE = dg.TimeWindowPartitionMapping(
    start_offset=-7, end_offset=-7, allow_nonexistent_upstream_partitions=True
)
OWN_WEEK_BEFORE = dg.TimeWindowPartitionMapping(
    start_offset=-1, end_offset=-1, allow_nonexistent_upstream_partitions=True
)
# Half a year, of which the first weeks of a chain have less.
WEEKS_SO_FAR = dg.TimeWindowPartitionMapping(
    start_offset=1 - HISTORY_WEEKS, end_offset=0, allow_nonexistent_upstream_partitions=True
)
OWN_WEEKS_BEFORE = dg.TimeWindowPartitionMapping(
    start_offset=1 - HISTORY_WEEKS, end_offset=-1, allow_nonexistent_upstream_partitions=True
)
WEEKS_COMPARED = dg.TimeWindowPartitionMapping(
    start_offset=1 - WEEKS, end_offset=0, allow_nonexistent_upstream_partitions=True
)
"""A week's report on the judge compares labels of its own days and of the weeks before."""
