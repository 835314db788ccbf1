"""The weekly job that drops raw data past its period."""

from datetime import UTC, datetime

import dagster as dg

from assets.errors import clear_errors
from assets.jobs import IN_ORDER
from pipeline.retention import drop_expired, footprint, privacy_today
from resources import LakeResource

__all__ = ["RETENTION", "SCHEDULE"]


@dg.op(description="Drops raw traces, landing files, quarantine and judge answers past theirs.")
def drop_past_retention(context: dg.OpExecutionContext, lake: LakeResource) -> None:
    """Drop what the settings of today say, and leave a receipt."""
    with clear_errors(lambda: "retention"):
        place = lake.open().place
        found = footprint(place, privacy_today(place), datetime.now(UTC).date())
        receipt = drop_expired(place, found)
        for one in found:
            gone = sum(piece.count for piece in one.expired)
            context.log.info(f"{one.kind}: {gone} {one.noun}s dropped, {len(one.kept)} kept")
        context.log.info(f"receipt {receipt.path.name}")


@dg.job(
    name="retention",
    tags=IN_ORDER,
    description="Drops raw data whose period (`privacy.retention_days`) is over.",
)
def _retention() -> None:
    """One step."""
    drop_past_retention()


RETENTION = _retention
# After Monday's runs: last week has been restated and closed before anything of it can go.
SCHEDULE = dg.ScheduleDefinition(
    name="retention",
    job=RETENTION,
    cron_schedule="0 8 * * 1",
    execution_timezone="UTC",
    tags=IN_ORDER,
)
