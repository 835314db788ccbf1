"""Asks for a day again when traces or verdicts of it land late."""

from datetime import UTC, datetime

import dagster as dg

from assets.jobs import DAILY, IN_ORDER
from pipeline.ids import digest
from pipeline.ingest import landed_files
from pipeline.ingest.index.known import settled_files
from pipeline.ingest.staleness import stale_days
from pipeline.lease import working
from pipeline.registry.settings import Ingest
from pipeline.windows import day
from resources import LakeResource, RegistryResource

__all__ = ["READ_LANDING", "late_traces"]


@dg.op(description="Reads landing files that were not seen before, and notes what they hold.")
def read_new_files(
    context: dg.OpExecutionContext, lake: LakeResource, registry: RegistryResource
) -> None:
    """Bring the landing index up to date."""
    settings = _settings_today(registry)
    place = lake.open().place
    with working(place):
        files = landed_files(
            place,
            settings.largest_record_mb * 2**20,
            settings.settle_minutes * 60,
            lambda done, total: context.log.info(f"read {done >> 20} of {total >> 20} MB"),
        )
    records = sum(file.records for file in files)
    context.log.info(f"{len(files)} landing files hold {records} records")


@dg.job(description="Reads what landed, before any day asks for it.")
def read_landing() -> None:
    """One step."""
    read_new_files()


READ_LANDING = read_landing


@dg.sensor(
    jobs=[READ_LANDING, DAILY],
    minimum_interval_seconds=300,
    description="Late spans and verdicts make a published day stale: it is run again, once their "
    "file has not changed for `ingest.settle_minutes`.",
)
def late_traces(
    context: dg.SensorEvaluationContext, lake: LakeResource, registry: RegistryResource
) -> dg.SensorResult:
    """First have what landed read, then ask for the days that it makes stale."""
    place = lake.open().place
    settings = _settings_today(registry)
    largest, settle = settings.largest_record_mb * 2**20, settings.settle_minutes * 60
    files, unread = settled_files(place, largest, settle)
    if unread:
        stats = [path.stat() for path in unread]
        key = digest("read", sorted([s.st_ino, s.st_size, s.st_mtime_ns] for s in stats))
        return dg.SensorResult([dg.RunRequest(run_key=key, job_name=READ_LANDING.name)])
    state = digest([file.entry for file in files])
    if context.cursor == state:
        reason = "nothing that landed has settled since the last look"
        return dg.SensorResult(skip_reason=reason)
    with working(place):
        found = stale_days(place, files, lambda window: registry.as_of(window).settings.ingest)
        late = list(found)
    asked = [
        dg.RunRequest(
            run_key=stale.state,
            job_name=DAILY.name,
            partition_key=stale.window.key,
            tags=IN_ORDER | {"caselaw/late_files": str(len(stale.late))},
        )
        for stale in late
    ]
    if not asked:
        reason = "what landed since the last look makes no published day stale"
        return dg.SensorResult(skip_reason=reason, cursor=state)
    return dg.SensorResult(asked, cursor=state)


def _settings_today(registry: RegistryResource) -> Ingest:
    return registry.as_of(day(datetime.now(UTC).date())).settings.ingest
