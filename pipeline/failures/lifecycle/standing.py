"""Where one mode stands: the row of `mode_states`, and how a week changes it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta

from pipeline.failures.lifecycle.history import History
from pipeline.failures.lifecycle.releases import releases_from
from pipeline.failures.lifecycle.verdicts import FixVerdict, has_returned, judge_fix
from pipeline.registry import Fix
from pipeline.registry.settings import Lifecycle

__all__ = ["Claim", "follow_claim"]


@dataclass(frozen=True)
class Claim:
    """The latest fix that somebody claims for a mode, and what became of it.

    `verdict` is not_enough_data, verified, refuted or regressed, None without a claim. Failures
    count as before the fix from `open_since` on: the day the mode was first seen, or the day it
    came back after an earlier fix.
    """

    open_since: date
    release: str | None = None
    since: date | None = None
    verdict: str | None = None
    p: float | None = None
    compared: FixVerdict | None = None
    verified_on: date | None = None
    regressed_on: date | None = None
    regressed_release: str | None = None
    told: str = ""

    @property
    def needs(self) -> int | None:
        """Traces still to be graded without a failure."""
        return self.compared.needs if self.compared and not self.verified_on else None


def follow_claim(
    before: Claim, fix: Fix | None, history: History, calendar: dict[str, date], week: date,
    limits: Lifecycle,
) -> Claim:  # fmt: skip
    """Carry the claim on a mode through one week.

    A claim that was not there the week before (another release, or another day) arms the mode
    anew. Until it is verified it is judged on all the traffic there is; once it is, each week is
    watched for a return, and a mode that came back stays regressed until somebody claims again.
    A claim that was withdrawn leaves nothing behind.

    Args:
        before: as the week before left it.
        fix: the latest claim in force.
        history: of the mode.
        calendar: the first week of each release.
        week: the Monday of the week.
        limits: the settings.
    """
    if fix is None:
        return Claim(before.open_since)
    claim = before
    if (fix.release, fix.effective_from) != (before.release, before.since):
        claim = Claim(before.open_since, fix.release, fix.effective_from, "not_enough_data")
    fixed = releases_from(fix.release, calendar)
    monday = claim.open_since - timedelta(days=claim.open_since.weekday())
    known = history.between(monday, week)
    compared = judge_fix(known, fixed, limits)
    if claim.verdict == "regressed":
        return replace(claim, told=_returned(claim))
    if claim.verified_on is None:
        mended = compared.verdict == "verified"
        return replace(
            claim,
            verdict=compared.verdict,
            p=compared.p,
            compared=compared,
            verified_on=week + timedelta(days=6) if mended else None,
            told=_judged(compared, fix.release, limits),
        )
    back = has_returned(known, fixed, week, claim.verified_on, limits)
    if back.day is None:
        stray = f"; {back.seen} seen since fit its rate (p = {back.p:.2g})" if back.seen else ""
        told = f"verified on {claim.verified_on}{stray}"
        return replace(claim, compared=compared, told=told)
    returned = replace(
        claim, verdict="regressed", p=back.p, compared=compared, open_since=back.day,
        regressed_on=back.day, regressed_release=back.release or None,
    )  # fmt: skip
    return replace(returned, told=_returned(returned))


def _returned(claim: Claim) -> str:
    on = f" on release {claim.regressed_release}" if claim.regressed_release else ""
    return (
        f"failed again from {claim.regressed_on}{on}, after the fix of release {claim.release} "
        f"had been verified on {claim.verified_on}"
    )


def _judged(found: FixVerdict, release: str, limits: Lifecycle) -> str:
    before, after = found.before, found.after
    if not after.n:
        return f"no traffic of release {release} or later yet"
    if not before.failures:
        return f"no failure on a release before {release} is known to compare with"
    rates = (
        f"{100 * before.failures / before.traffic:.2g} % of conversations before release "
        f"{release}, {100 * after.failures / after.traffic:.2g} % from it on "
        f"(n = {before.n} and {after.n}, p = {found.p:.2g})"
    )
    if found.verdict == "verified":
        return rates
    if found.verdict == "refuted":
        return f"the fix does not show: {rates}"
    left = (after.failures / after.traffic) / (before.failures / before.traffic)
    if found.p <= limits.fix_error and left > limits.fix_leaves:
        return (
            f"the rate fell, but {left:.0%} of it is left and a fix may leave "
            f"{limits.fix_leaves:.0%}: {rates}"
        )
    more = f"; about {found.needs} more without a failure would tell" if found.needs else ""
    return f"not enough data: {rates}{more}"
