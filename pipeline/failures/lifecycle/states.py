"""The life of failure modes: from new to ongoing, escalating, fixed, verified, and back."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl

from pipeline.estimation import Tally, tally_rate
from pipeline.failures.lifecycle.history import History, read_histories
from pipeline.failures.lifecycle.releases import release_calendar
from pipeline.failures.lifecycle.standing import Claim, follow_claim
from pipeline.failures.lifecycle.verdicts import Band, held_to_band
from pipeline.provenance import Counts
from pipeline.registry import Fix, Registry
from pipeline.tables import MODE_STATES
from pipeline.windows import Window

__all__ = ["States", "advance_states"]

_OF_CLAIM = {
    "not_enough_data": "fixed_unverified", "verified": "verified", "regressed": "regressed",
}  # fmt: skip


@dataclass(frozen=True)
class States:
    """The states at a week's end: `frame` fits `mode_states`.

    `unknown` are the modes that claims name and that nobody has ever seen, sorted.
    """

    frame: pl.DataFrame
    counts: Counts
    unknown: tuple[str, ...]


def advance_states(
    modes: pl.DataFrame,
    rates: pl.DataFrame,
    before: pl.DataFrame | None,
    registry: Registry,
    window: Window,
) -> States:
    """Carry the states of all modes through one week.

    Args:
        modes: `failure_modes` of the week.
        rates: `mode_rates` of this week and those before it, with a `week` (pl.Date).
        before: `mode_states` of the week before; None where the chain starts.
        registry: as of the week's end.
        window: the week.

    Returns:
        A row per mode. A person's `ignored` or `archived` comes before all, then what became of a
        claimed fix, then the band, then whether it was seen at all.
    """
    now = {
        old: mode
        for mode, merged in modes.select("failure_mode_id", "merged_from").iter_rows()
        for old in merged or ()
    }
    histories = read_histories(rates, now)
    calendar = release_calendar(rates.select("release", "week").iter_rows())
    old_rows = (
        {row["failure_mode_id"]: row for row in before.to_dicts()} if before is not None else {}
    )
    fixes = _latest(registry, now)
    rows = []
    for mode in modes.sort("failure_mode_id").iter_rows(named=True):
        old = _row_before(mode, old_rows)
        history = histories.get(mode["failure_mode_id"], History())
        claim = follow_claim(
            _claim_before(old, mode["first_seen"]),
            fixes.pop(mode["failure_mode_id"], None),
            history, calendar, window.first, registry.settings.lifecycle,
        )  # fmt: skip
        band = held_to_band(history, window.first, registry.settings.lifecycle)
        rows.append(_row(mode, old, claim, band, history, window.first))
    frame = pl.DataFrame(rows, schema=MODE_STATES.schema) if rows else MODE_STATES.empty()
    known = {*registry_ids(registry), *now}
    return States(
        MODE_STATES.conform(frame),
        Counts("modes", modes.height, frame.height),
        tuple(sorted(mode for mode in fixes if mode not in known)),
    )


def registry_ids(registry: Registry) -> set[str]:
    """The ids that people gave: a claim may name a mode of which no failure was seen yet."""
    return {mode.id for mode in registry.failure_modes}


def _latest(registry: Registry, now: Mapping[str, str]) -> dict[str, Fix]:
    """The latest claim on each mode; the registry has them oldest first."""
    merges = {m.id: m.merged_into for m in registry.failure_modes if m.merged_into}
    latest = {}
    for fix in registry.fixes:
        mode = fix.mode
        while mode in merges:  # the registry allows no ring
            mode = merges[mode]
        latest[now.get(mode, mode)] = fix
    return latest


def _row_before(mode: Mapping[str, Any], old: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    ids = [mode["failure_mode_id"], *(mode["merged_from"] or ())]
    return next((old[name] for name in ids if name in old), {})


def _claim_before(old: Mapping[str, Any], first_seen: date) -> Claim:
    if not old:
        return Claim(first_seen)
    return Claim(
        open_since=old["open_since"],
        release=old["fix_release"],
        since=old["fix_from"],
        verdict=old["fix_verdict"],
        p=old["fix_p"],
        verified_on=old["verified_on"],
        regressed_on=old["regressed_on"],
        regressed_release=old["regressed_release"],
    )


def _state(mode: Mapping[str, Any], claim: Claim, band: Band) -> tuple[str, str]:
    """The state and the reason for it."""
    seen = f"last seen on {mode['last_seen']}"
    if mode["state"] in ("ignored", "archived"):
        return mode["state"], seen if mode["state"] == "archived" else f"a person says so; {seen}"
    if claim.verdict in _OF_CLAIM:
        return _OF_CLAIM[claim.verdict], claim.told
    told = f"; {claim.told}" if claim.told else ""
    if band.above and band.expected is not None:
        return "escalating", (
            f"{band.expected:.3g} conversations were to be expected by the weeks before "
            f"(p = {band.p:.2g}){told}"
        )
    reason = f"first seen on {mode['first_seen']}" if mode["state"] == "new" else seen
    return mode["state"], reason + told


def _row(
    mode: Mapping[str, Any], old: Mapping[str, Any], claim: Claim, band: Band, history: History,
    week: date,
) -> dict[str, Any]:  # fmt: skip
    state, reason = _state(mode, claim, band)
    this = history.between(week, week).tally
    compared = claim.compared
    return {
        "failure_mode_id": mode["failure_mode_id"],
        "name": mode["name"],
        "state": state,
        "since": old["since"] if old and old["state"] == state else week,
        "reason": reason,
        "first_seen": mode["first_seen"],
        "last_seen": mode["last_seen"],
        "releases": mode["releases"],
        "seen": this.seen,
        "failures": round(this.failures, 6),
        **_estimated("rate", this),
        "expected": _rounded(band.expected),
        "band_p": _rounded(band.p),
        "fix_release": claim.release,
        "fix_from": claim.since,
        "fix_verdict": claim.verdict,
        "fix_p": _rounded(claim.p),
        "fix_needs": claim.needs,
        **_estimated("before", compared.before if compared else None),
        **_estimated("after", compared.after if compared else None),
        "open_since": claim.open_since,
        "verified_on": claim.verified_on,
        "regressed_on": claim.regressed_on,
        "regressed_release": claim.regressed_release,
        "estimator": tally_rate(this).estimator,
    }


def _estimated(name: str, of: Tally | None) -> dict[str, float | int | None]:
    found = None if of is None else tally_rate(of)
    if found is None or found.value is None or found.low is None or found.high is None:
        return {name: None, f"{name}_low": None, f"{name}_high": None,
                f"{name}_n": 0 if found else None}  # fmt: skip
    return {
        name: round(found.value, 6),
        f"{name}_low": math.floor(found.low * 1e6) / 1e6,
        f"{name}_high": math.ceil(found.high * 1e6) / 1e6,
        f"{name}_n": found.n,
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 6)
