"""Which releases come before a claimed one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import date

__all__ = ["release_calendar", "releases_from"]

_VERSION = re.compile(r"v?(\d+(?:\.\d+)*)(.*)")


def release_calendar(rows: Iterable[tuple[str, date]]) -> dict[str, date]:
    """The first week in which each release had traffic; what names no release has no place."""
    first: dict[str, date] = {}
    for release, week in rows:
        if release:
            first[release] = min(week, first.get(release, week))
    return first


def releases_from(claimed: str, calendar: Mapping[str, date]) -> frozenset[str]:
    """The releases that have what `claimed` has: itself and those after it.

    Version numbers are compared as such (2.10 comes after 2.9, and a patch of an older line stays
    before); a name that is no version comes after where its first week of traffic does, and is
    before it in a tie. A claimed name that is no version and was never seen has nothing after it.
    """
    number = _number(claimed)
    since = calendar.get(claimed)
    after = set()
    for release, week in calendar.items():
        theirs = _number(release)
        if release == claimed:
            after.add(release)
        elif number is not None and theirs is not None:
            after |= {release} if theirs >= number else set()
        elif since is not None and week > since:
            after.add(release)
    return frozenset(after)


def _number(release: str) -> tuple[tuple[int, ...], bool] | None:
    """A version as something to compare: 2.6.0-rc1 comes before 2.6.0, 2.6 is 2.6.0."""
    found = _VERSION.fullmatch(release)
    if found is None or not (found[2] == "" or found[2].startswith(("-", "+"))):
        return None
    parts = [int(part) for part in found[1].split(".")]
    while len(parts) > 1 and parts[-1] == 0:
        parts.pop()
    return tuple(parts), not found[2].startswith("-")
