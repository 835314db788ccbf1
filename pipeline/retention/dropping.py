"""Drops what is past its period, and leaves a receipt."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson

from pipeline.datadir import DataDir
from pipeline.files import leftovers, make_directory, replace_file
from pipeline.ingest.days.scratch import sweep_scratch
from pipeline.ingest.index import forget_files
from pipeline.lake import Lake
from pipeline.lease import working
from pipeline.retention.expiry import Footprint, Piece
from pipeline.retention.judge_cache import drop_answers_before
from pipeline.retention.mark import kept_from, write_kept_from
from pipeline.tables import RAW_TRACES
from pipeline.windows import day as day_window

__all__ = ["ClockAhead", "Receipt", "drop_expired", "never_run"]

_REBUILT_FROM = ("raw_traces", "landing")
_UNLIKELY = timedelta(days=366)  # past its period: retention that runs at all never leaves it so


class ClockAhead(RuntimeError):
    """The clock is so far ahead of all raw data that it may be wrong; nothing was dropped."""


@dataclass(frozen=True)
class Receipt:
    """What a run of retention dropped: counts, days and digests, never a name or a text."""

    path: Path
    body: dict[str, Any]


def drop_expired(
    place: DataDir, found: Sequence[Footprint], *, clock_is_right: bool = False
) -> Receipt:
    """Drop what is past its period. Killed half-way, the next run drops the rest.

    The receipt is written before anything goes, as begun, and again once all is gone.

    Args:
        place: the data directory.
        found: what there is, as `footprint` has it.
        clock_is_right: a person says so, although all raw data is past its period by a year.

    Raises:
        ClockAhead: nobody says so.
    """
    if not clock_is_right:
        _require_likely(found)
    now = datetime.now(UTC)
    cuts = [one.first_kept for one in found if one.kind in _REBUILT_FROM and one.expired]
    body: dict[str, Any] = {
        "what": "retention",
        "at": now.isoformat(timespec="seconds"),
        "state": "begun",
        "raw_kept_from": None,
        "never_run": never_run(place, found),
        "dropped": {one.kind: _told(one) for one in found},
    }
    if cuts:
        write_kept_from(place, max(cuts))
    whole_from = kept_from(place)
    body["raw_kept_from"] = whole_from.isoformat() if whole_from else None
    path = _write(place, f"retention-{now:%Y%m%dT%H%M%S%fZ}.json", body)
    with working(place):  # an erasure rewrites what would go here
        for one in found:
            _drop(place, one)
        _sweep(place)
    body["state"] = "finished"
    _write(place, path.name, body)
    return Receipt(path, body)


def _require_likely(found: Sequence[Footprint]) -> None:
    raw = [
        (piece.day, one.cut) for one in found if one.kind in _REBUILT_FROM for piece in one.pieces
    ]
    if raw and all(cut - day > _UNLIKELY for day, cut in raw):
        raise ClockAhead(
            f"all raw data would go: the latest is of {max(raw)[0]}, past its period by more than "
            "a year, as if the clock of this machine were wrong. Nothing was changed. If it is "
            "right: caselaw retention --clock-is-right"
        )


def never_run(place: DataDir, found: Sequence[Footprint]) -> list[str]:
    """Days that expired landing files tell of and that were never run."""
    lake, mark = Lake(place), kept_from(place)
    told = {day for one in found for piece in one.expired for day in piece.days}
    return sorted(
        day
        for day in told
        if not (mark and date.fromisoformat(day) < mark)
        and not lake.exists(RAW_TRACES, day_window(day))
    )


def _told(one: Footprint) -> dict[str, Any]:
    """One kind's part of the receipt."""
    gone = one.expired
    told: dict[str, Any] = {
        "period_days": one.days,
        f"{one.noun}s": sum(piece.count for piece in gone),
        "bytes": sum(piece.size for piece in gone),
    }
    if one.noun == "partition":
        told["digests"] = {piece.day.isoformat(): piece.digests() for piece in gone}
    elif one.noun == "file":
        told["digests"] = sorted(digest for piece in gone for digest in piece.digests())
    return told


def _write(place: DataDir, name: str, body: dict[str, Any]) -> Path:
    make_directory(place.receipts, private=True)
    path = place.receipts / name
    with replace_file(path, 0o600) as temporary:
        temporary.write_bytes(orjson.dumps(body, option=orjson.OPT_INDENT_2) + b"\n")
    return path


def _drop(place: DataDir, one: Footprint) -> None:
    if one.kind == "judge_cache":
        drop_answers_before(place.ledger, one.cut)
        return
    if one.kind == "landing":
        forget_files(place, {piece.landed for piece in one.expired if piece.landed})
    for piece in one.expired:
        _remove(place, piece)


def _remove(place: DataDir, piece: Piece) -> None:
    if piece.path is None:
        return
    if piece.path.is_dir():
        shutil.rmtree(piece.path)
        return
    piece.path.unlink(missing_ok=True)
    for folder in piece.path.parents:
        if folder == place.landing or any(folder.iterdir()):
            break
        folder.rmdir()


def _sweep(place: DataDir) -> None:
    """Remove copies of raw data that nothing names: plans of earlier states, killed processes'."""
    for plan in (place.raw / "landing_index" / "plans").glob("*.parquet"):
        plan.unlink(missing_ok=True)
    for left in (left for zone in (place.landing, place.raw) for left in leftovers(zone)):
        left.unlink(missing_ok=True)
    sweep_scratch(place)
