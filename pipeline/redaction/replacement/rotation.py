"""One key at a time: a rotation is declared, everything is rebuilt, and a mixture is not read.

Every partition of `redacted_traces` names in its footer the key and the form of its surrogates
(`scheme_of`). Days of two schemes would give one person two names, so another scheme than the
published days have is refused, unless `caselaw rotate-key` declared it; and until the last day is
rebuilt, whatever reads several days refuses those that do not match.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.datadir import DataDir
from pipeline.files import make_directory, replace_file
from pipeline.ids import canonical_json
from pipeline.lake import Lake
from pipeline.redaction.policy.reading import load_policy
from pipeline.redaction.replacement.keys import (
    SURROGATE_KEY_VARIABLE,
    KeyRefused,
    load_key,
    replace_key,
)
from pipeline.redaction.replacement.schemes import scheme_of
from pipeline.retention.mark import is_past
from pipeline.tables import ALL, RAW_TRACES, REDACTED_TRACES, Table
from pipeline.windows import Window, week_of

__all__ = [
    "SCHEME",
    "DaysLost",
    "KeysMixed",
    "Rotation",
    "drop_lost_days",
    "require_declared",
    "require_one_scheme",
    "rotate",
    "scheme_in",
]

SCHEME: Final = "surrogate_key"
"""The name under which footers carry the scheme."""


class KeysMixed(RuntimeError):
    """Partitions with surrogates of different keys would meet; the message says what to run."""


class DaysLost(RuntimeError):
    """Days cannot be rebuilt, for their raw traces are gone; nothing was changed."""


@dataclass(frozen=True)
class Rotation:
    """Where a rotation stands.

    Attributes:
        scheme: names the key and form that everything is rebuilt with.
        left: days that carry other surrogates still, in order.
        retired: where the key before lies, if it was replaced now.
    """

    scheme: str
    left: tuple[Window, ...]
    retired: Path | None = None


def scheme_in(lake: Lake, table: Table, window: Window) -> str | None:
    """The scheme that a published partition names; None where there is none."""
    path = lake.directory(table, window) / "part-0.parquet"
    try:
        return _scheme(path, path.stat().st_mtime_ns)
    except OSError:
        return None


def require_declared(lake: Lake, day: Window, scheme: str) -> None:
    """Refuse to publish a day with other surrogates than the days beside it have.

    Raises:
        KeysMixed: and no rotation to this scheme was declared.
    """
    others = [d for d in _days_by_scheme(lake, day) if d[1] != scheme]
    if others and _declared(lake.place) != scheme:
        days = [d for d, _ in others]
        raise KeysMixed(
            f"the surrogates of {day} would be made as {scheme}, but {len(days)} published days "
            f"({days[0].key} to {days[-1].key}) were made as {others[0][1]}: the key, or "
            "`surrogates` in pii_policy.yaml, is not what it was. Nothing was changed. If that is "
            "a mistake, put it back; if it is meant, run: caselaw rotate-key"
        )


def require_one_scheme(lake: Lake, partitions: Iterable[tuple[Table, Window]]) -> str | None:
    """Refuse partitions whose surrogates do not match; return the scheme that all have.

    Raises:
        KeysMixed: naming the days of the old key, and the command that rebuilds them.
    """
    named = ((window, scheme_in(lake, table, window)) for table, window in partitions)
    found = [(window, scheme) for window, scheme in named if scheme is not None]
    schemes = {scheme for _, scheme in found}
    if len(schemes) < 2:
        return next(iter(schemes), None)
    wanted = _declared(lake.place) or max(found, key=lambda one: one[0].days[-1].key)[1]
    old = sorted({w for w, scheme in found if scheme != wanted}, key=lambda w: w.key)
    first = min(_left(lake, wanted) or [old[0].days[0]])
    raise KeysMixed(
        f"what is read here was made with {len(schemes)} keys: {len(old)} partitions ({old[0]} "
        f"to {old[-1]}) do not have the surrogates of {wanted} yet. Nothing was changed. "
        f"Rebuild them with: {lake.place.make('restate', first.key)}"
    )


def rotate(place: DataDir, env: Mapping[str, str]) -> Rotation:
    """Declare that everything is to be rebuilt: with a new key, or with what was changed.

    A key in the environment and the policy's `surrogates` are changed by hand, so where they
    have changed, that is what is declared. Otherwise the key file gets a fresh key. While days
    are left to rebuild, nothing new begins.

    Raises:
        KeyRefused: the key cannot be read, or comes from the environment and has not changed.
        PolicyRefused: `pii_policy.yaml` is wrong.
        DaysLost: days cannot be rebuilt.
    """
    lake = Lake(place)
    replacement = load_policy(place.registry / "pii_policy.yaml").surrogates
    path = place.keys / "surrogate.key"
    scheme = scheme_of(replacement, load_key(path, env, create=False))
    published = {found for _, found in _days_by_scheme(lake)}
    if published and published != {scheme}:
        _require_rebuildable(lake, scheme)
        _declare(place, scheme)
        return Rotation(scheme, tuple(_left(lake, scheme)))
    if env.get(SURROGATE_KEY_VARIABLE):
        raise KeyRefused(
            f"the key comes from {SURROGATE_KEY_VARIABLE}: set it to a new one (openssl rand -hex "
            "32), then run caselaw rotate-key again. Nothing was changed"
        )
    _require_rebuildable(lake, "")
    retired = replace_key(path)
    scheme = scheme_of(replacement, load_key(path, {}, create=False))
    _declare(place, scheme)
    return Rotation(scheme, tuple(_left(lake, scheme)), retired)


def drop_lost_days(place: DataDir) -> list[Window]:
    """Take the days whose raw traces are gone out of the lake, with weeks that keep no day."""
    lake = Lake(place)
    lost = _lost(lake)
    kept = {week_of(day) for day in lake.windows(REDACTED_TRACES) if day not in lost}
    weeks = {week_of(day) for day in lost} - kept
    for table in (table for table in ALL.values() if table.unit):
        for window in lost if table.unit == "day" else sorted(weeks):
            shutil.rmtree(lake.directory(table, window), ignore_errors=True)
    return lost


def _require_rebuildable(lake: Lake, scheme: str) -> None:
    lost = [day for day in _lost(lake) if scheme_in(lake, REDACTED_TRACES, day) != scheme]
    if lost:
        raise DaysLost(
            f"{len(lost)} days ({lost[0].key} to {lost[-1].key}) cannot be rebuilt: their raw "
            "traces are gone. Nothing was changed. Bring their files back into landing and run "
            "them, or give these days up with: caselaw rotate-key --drop-days"
        )


def _lost(lake: Lake) -> list[Window]:
    raw = set(lake.windows(RAW_TRACES))
    return [
        day for day in lake.windows(REDACTED_TRACES) if day not in raw or is_past(lake.place, day)
    ]


def _left(lake: Lake, scheme: str) -> list[Window]:
    return [day for day, found in _days_by_scheme(lake) if found != scheme]


def _days_by_scheme(lake: Lake, but: Window | None = None) -> list[tuple[Window, str]]:
    days = [day for day in lake.windows(REDACTED_TRACES) if day != but]
    found = [(day, scheme_in(lake, REDACTED_TRACES, day)) for day in days]
    return [(day, scheme) for day, scheme in found if scheme is not None]


@lru_cache(maxsize=8192)
def _scheme(path: Path, stamp: int) -> str | None:
    try:
        raw = pq.read_metadata(path).metadata or {}
    except pa.ArrowException:
        return None  # whoever reads its rows says that it is broken, and how to mend it
    named: str | None = json.loads(raw.get(b"caselaw", b"{}")).get("inputs", {}).get(SCHEME)
    return named


def _state(place: DataDir) -> Path:
    return place.keys / "rotation.json"


def _declared(place: DataDir) -> str | None:
    try:
        named: str = json.loads(_state(place).read_bytes())["to"]
    except FileNotFoundError:
        return None
    return named


def _declare(place: DataDir, scheme: str) -> None:
    make_directory(place.keys, private=True)
    with replace_file(_state(place), 0o600) as temporary:
        temporary.write_bytes(canonical_json({"to": scheme}) + b"\n")
