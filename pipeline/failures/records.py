"""One failure mode's state, and how a week, a merge and the passing of time change it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

import numpy as np
import polars as pl

from pipeline.failures.known import read_known
from pipeline.failures.vectors import Matrix, centre
from pipeline.registry import NamedMode

__all__ = [
    "ModeRecord",
    "Week",
    "absorb",
    "add_week",
    "grow_quiet",
    "merged_ids",
    "resolve_modes",
    "settle",
    "to_records",
]

_RANK = {"low": 1, "medium": 2, "high": 3}
_EXEMPLARS = 5


@dataclass(frozen=True)
class ModeRecord:
    """A row of `failure_modes`; the fields are the table's columns."""

    failure_mode_id: str
    name: str
    named_by: str
    check: str
    intent: str
    signatures: tuple[str, ...]
    centroid: tuple[float, ...]
    exemplars: tuple[str, ...]
    size_week: int
    size_total: int
    weighted_week: float
    days_seen: int
    users_seen: int
    releases: tuple[str, ...]
    first_seen: date
    last_seen: date
    state: str
    severity: str
    merged_from: tuple[str, ...]
    split_from: str | None = None


@dataclass(frozen=True)
class Week:
    """What one week showed of a mode: `rows` are its failures, `vectors` those of its signatures.

    `near` is each row's cosine to the week's centroid, in the rows' order.
    """

    rows: pl.DataFrame
    signatures: tuple[str, ...]
    vectors: Matrix
    near: tuple[float, ...]


def to_records(modes: pl.DataFrame | None) -> dict[str, ModeRecord]:
    """Read the rows of `failure_modes`, by id."""
    if modes is None:
        return {}
    records = {}
    for row in modes.sort("failure_mode_id").iter_rows(named=True):
        fields: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in row.items()}
        records[row["failure_mode_id"]] = ModeRecord(**fields)
    return records


def resolve_modes(modes: pl.DataFrame | None, named: Sequence[NamedMode]) -> dict[str, ModeRecord]:
    """Read `failure_modes` with the merges that people have made since: id now -> record."""
    records = to_records(modes)
    known = read_known(modes, named)
    merged: dict[str, ModeRecord] = {}
    for old, record in sorted(records.items()):
        now = known.resolve(old)
        merged[now] = absorb(merged[now], record) if now in merged else record
    return merged


def merged_ids(modes: pl.DataFrame | None, named: Sequence[NamedMode]) -> dict[str, str]:
    """Ids that were merged away, by weeks or by people, and what they live on as."""
    known = read_known(modes, named)
    return {old: known.resolve(old) for old in sorted(known.folded)}


def grow_quiet(record: ModeRecord) -> ModeRecord:
    """Carry a mode into a week before its failures are known: none yet."""
    return replace(record, size_week=0, weighted_week=0.0, users_seen=0)


def add_week(record: ModeRecord | None, mode_id: str, week: Week, decay: float) -> ModeRecord:
    """Add a week's failures to a mode, or found it.

    The centroid becomes the unit vector of decay * old + (1 - decay) * the week's, so that a
    mode follows slow change and forgets what it no longer is.
    """
    rows = week.rows
    middle = centre(week.vectors)
    order = sorted(
        zip(week.near, rows["severity_rank"], rows["trace_id"], strict=True),
        key=lambda item: (-item[0], -item[1], item[2]),
    )
    days = sorted(set(rows["day"]))
    chance = rows["rate_probability"].fill_null(1.0)
    fresh = ModeRecord(
        failure_mode_id=mode_id,
        name="",
        named_by="terms",
        check=_most_common(rows["check"]),
        intent=_most_common(rows["intent"]),
        signatures=tuple(sorted(week.signatures)),
        centroid=tuple(middle.tolist()),
        exemplars=tuple(dict.fromkeys(trace for _, _, trace in order))[:_EXEMPLARS],
        size_week=rows.height,
        size_total=rows.height,
        weighted_week=round(float((rows["weight"].fill_null(1.0) / chance).sort().sum()), 6),
        days_seen=len(days),
        users_seen=rows["user_key"].drop_nulls().n_unique(),
        releases=tuple(sorted(rows["release"].drop_nulls().unique())),
        first_seen=days[0],
        last_seen=days[-1],
        state="new",
        severity=max(rows["severity"].fill_null("low"), key=_rank),
        merged_from=(),
    )
    if record is None:
        return fresh
    old = np.array(record.centroid)
    mixed = middle if old.shape != middle.shape else decay * old + (1 - decay) * middle
    return replace(
        fresh,
        name=record.name,
        named_by=record.named_by,
        signatures=_union(record.signatures, fresh.signatures),
        centroid=tuple(centre(mixed[None, :]).tolist()),
        size_total=record.size_total + fresh.size_week,
        days_seen=record.days_seen + fresh.days_seen,
        releases=_union(record.releases, fresh.releases),
        first_seen=min(record.first_seen, fresh.first_seen),
        last_seen=max(record.last_seen, fresh.last_seen),
        severity=max(record.severity, fresh.severity, key=_rank),
        merged_from=record.merged_from,
        split_from=record.split_from,
    )


def absorb(kept: ModeRecord, gone: ModeRecord) -> ModeRecord:
    """Fold one mode's history into another's; days are not counted twice, so the longer stands."""
    return replace(
        kept,
        signatures=_union(kept.signatures, gone.signatures),
        size_total=kept.size_total + gone.size_total,
        size_week=kept.size_week + gone.size_week,
        weighted_week=round(kept.weighted_week + gone.weighted_week, 6),
        days_seen=max(kept.days_seen, gone.days_seen),
        users_seen=max(kept.users_seen, gone.users_seen),
        exemplars=(kept.exemplars or gone.exemplars),
        releases=_union(kept.releases, gone.releases),
        first_seen=min(kept.first_seen, gone.first_seen),
        last_seen=max(kept.last_seen, gone.last_seen),
        severity=max(kept.severity, gone.severity, key=_rank),
        merged_from=_union(kept.merged_from, (*gone.merged_from, gone.failure_mode_id)),
    )


def settle(
    record: ModeRecord,
    word: NamedMode | None,
    name: str,
    first: date,
    archive_after: int,
    named_by: str = "terms",
) -> ModeRecord:
    """Give a mode its name and state for the week that starts on `first`.

    A person's word comes before all; a failure reopens what time had archived.
    """
    idle = first + timedelta(days=6) - record.last_seen
    state: str
    if word is not None and word.state != "open":
        state = word.state
    elif record.size_week:
        state = "new" if record.first_seen >= first else "ongoing"
    else:
        state = "archived" if idle >= timedelta(weeks=archive_after) else "quiet"
    return replace(
        record,
        state=state,
        name=word.name if word else record.name or name,
        named_by="person" if word else _named_by(record, named_by),
    )


def _named_by(record: ModeRecord, now: str) -> str:
    """Who gave the name that a mode has; what a person once said is a term like others by now."""
    if not record.name:
        return now
    return "terms" if record.named_by == "person" else record.named_by


def _union(left: Sequence[str], right: Sequence[str]) -> tuple[str, ...]:
    return tuple(sorted({*left, *right}))


def _rank(severity: str) -> int:
    return _RANK.get(severity, 1)


def _most_common(values: pl.Series) -> str:
    counts: dict[str, int] = {}
    for value in values:
        counts[value] = counts.get(value, 0) + 1
    return min(counts, key=lambda value: (-counts[value], value))
