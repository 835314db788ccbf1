"""From which day on raw data is whole: written down before anything is dropped, and never back."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import orjson

from pipeline.datadir import DataDir
from pipeline.files import make_directory, replace_file
from pipeline.ids import canonical_json
from pipeline.registry import settings_today
from pipeline.registry.settings import Privacy
from pipeline.windows import Window

__all__ = ["PastRetention", "first_kept", "is_past", "kept_from", "privacy_today", "require_kept"]


class PastRetention(RuntimeError):
    """A day's raw data was dropped when its period was over: it is refused, not made empty."""


def privacy_today(place: DataDir) -> Privacy:
    """The periods in force now.

    Raises:
        RegistryError: naming the file, the line and the field.
    """
    return settings_today(place.registry).privacy


def first_kept(days: int, today: date) -> date:
    """The first day that is kept: one is kept for so many whole days after it ended."""
    return today - timedelta(days=days)


def kept_from(place: DataDir) -> date | None:
    """The day from which on no raw data was dropped; None where retention has never run.

    Raises:
        PastRetention: the mark cannot be read, so that any day may be past it.
    """
    path = place.raw / "kept_from.json"
    if not path.exists():
        return None
    try:
        return date.fromisoformat(orjson.loads(path.read_bytes())["day"])
    except (ValueError, KeyError, TypeError):
        raise PastRetention(
            f"{path} cannot be read, so that it is not known which days were dropped; nothing was "
            "changed. Put it back from a backup, or write the raw_kept_from of the latest receipt "
            f'in {place.receipts} into it, as {{"day": "YYYY-MM-DD"}}'
        ) from None


def write_kept_from(place: DataDir, day: date) -> None:
    """Write down that raw data before `day` is about to go; a longer period brings nothing back."""
    before = kept_from(place)
    if before is None or day > before:
        make_directory(place.raw, private=True)
        with replace_file(place.raw / "kept_from.json", 0o600) as temporary:
            temporary.write_bytes(canonical_json({"day": day.isoformat()}) + b"\n")


def is_past(place: DataDir, window: Window) -> bool:
    """Whether raw data of the day was dropped and its period, as it is now, is over."""
    mark = kept_from(place)
    if mark is None or window.first >= mark:
        return False
    return window.first < first_rebuilt(privacy_today(place), datetime.now(UTC).date())


def first_rebuilt(privacy: Privacy, today: date) -> date:
    """The first day whose landing files and raw traces are both kept."""
    days = min(
        privacy.landing_days or privacy.retention_days,
        privacy.raw_traces_days or privacy.retention_days,
    )
    return first_kept(days, today)


def require_kept(place: DataDir, window: Window, records: int | None = None) -> None:
    """Refuse a day whose raw data was dropped.

    Once the period was made longer, a day that landed again may be run; one of which nothing lies
    in landing may not.

    Args:
        place: the data directory.
        window: the day.
        records: how many lie in landing now; None where that does not matter.

    Raises:
        PastRetention: with what was kept and what to do.
    """
    mark = kept_from(place)
    if mark is None or window.first >= mark or (records and not is_past(place, window)):
        return
    raise PastRetention(
        f"raw data of {window.key} has passed its retention: what lay before {mark} was dropped. "
        "Nothing was changed, and what later stages published of that day stays. To run it again, "
        "give privacy.retention_days in registry/settings.yaml a longer period and land its files "
        "again with: caselaw land FILE"
    )
