"""The sentences at the top of the page: what one would say aloud at a standup."""

from __future__ import annotations

from pipeline.report.figures import (
    Figures,
    amount,
    estimated,
    interval,
    percent,
    percent_interval,
    plain,
    plural,
)
from pipeline.report.outcomes import ANY

__all__ = ["headline"]


def headline(figures: Figures) -> list[str]:
    """Up to five sentences; the first stands alone."""
    seen = figures.one("traces_seen").value or 0
    quarantined = figures.one("quarantined").value or 0
    if not seen:
        lost = f" {plural(quarantined, 'record')} could not be read." if quarantined else ""
        return [f"No traces came in.{lost}"]
    return [
        _failing(figures),
        f"{plural(seen, 'conversation')} came in, "
        f"{amount(figures.one('traces_sampled').value)} were drawn, "
        f"{amount(figures.one('traces_graded').value)} graded.",
        _decided(figures),
        _new_modes(figures),
        *_worse(figures),
    ]


def _failing(figures: Figures) -> str:
    share = figures.one("failure_rate", ANY)
    if share.value is None:
        return "Nothing could be graded, so there is no failure rate."
    return (
        f"{estimated(share, 'An estimated ')}{percent(share.value)} of all conversations "
        f"failed a check ({percent_interval(share)}, n = {share.n})."
    )


def _decided(figures: Figures) -> str:
    numbers = {d: figures.one("decided", d).value or 0 for d in ("promoted", "review", "rejected")}
    if not sum(numbers.values()):
        return "No findings to decide on."
    return (
        f"{plural(sum(numbers.values()), 'finding')}: {amount(numbers['promoted'])} promoted, "
        f"{amount(numbers['review'])} for review, {amount(numbers['rejected'])} rejected."
    )


def _new_modes(figures: Figures) -> str:
    new = figures.many("new_mode")
    if not new:
        return "No failure mode is new."
    largest = new[0]
    return (
        f"{plural(len(new), 'failure mode')} {'is' if len(new) == 1 else 'are'} new; the largest, "
        f"“{plain(largest.label)}”, hit {estimated(largest, 'an estimated ')}"
        f"{plural(largest.value, 'conversation')} "
        f"({interval(largest)}, n = {largest.n})."
    )


def _worse(figures: Figures) -> list[str]:
    """What last week made worse; nothing where nothing got worse."""
    told = (
        ("mode_regressed", "failure mode", "came back after a fix", "came back after a fix"),
        ("mode_escalating", "failure mode", "is escalating", "are escalating"),
        ("slow_failure", "measure", "creeps up", "creep up"),
    )
    said = [
        f"{plural(n, what)} {one if n == 1 else many}"
        for metric, what, one, many in told
        if (n := len(figures.many(metric)))
    ]
    return [f"By last week, {', '.join(said)}."] if said else []
