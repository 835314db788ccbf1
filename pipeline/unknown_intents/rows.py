"""The rows of `unknown_intents` that describe groups: their names, kinds, shares and trends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pipeline.estimation import Estimate, rate
from pipeline.estimation.interval import wilson_bounds
from pipeline.ids import digest
from pipeline.unknown_intents.chain import Known, carry, match_groups, mixed, trend_of
from pipeline.unknown_intents.grouping import Matrix, middle_of
from pipeline.unknown_intents.kinds import kind_of
from pipeline.unknown_intents.members import Members, own_neighbours
from pipeline.unknown_intents.naming import terms_of
from pipeline.unknown_intents.novelty import Novelty
from pipeline.unknown_intents.requests import Request
from pipeline.windows import Window

__all__ = ["Week", "group_rows", "rounded", "share_of"]

_EXEMPLARS = 5


@dataclass(frozen=True)
class Week:
    """What describes every group: the week's requests, `vectors` as embedded and as `seen`.

    `pointing` has the intent each tool points to, `found` how many members a group finds.
    """

    requests: Sequence[Request]
    vectors: Matrix
    seen: Matrix
    model: Novelty | None
    pointing: Mapping[str, str]
    found: float
    fewest: int
    window: Window


def group_rows(
    found: Sequence[Members], held: Sequence[Known], known: Sequence[Known], week: Week
) -> list[dict[str, Any]]:
    """One row a group of `fewest` users or more, and one a known group that nobody asked for.

    Args:
        found: the week's groups; `known` of each is a place in `held`.
        held: groups of the week before whose members were looked for first.
        known: all groups of the week before.
        week: what they were found in.
    """
    requests = week.requests
    shown = [one for one in found if len({requests[row].user for row in one.rows}) >= week.fewest]
    members = {str(n): [requests[row] for row in one.rows] for n, one in enumerate(shown)}
    inside = {row for one in shown for row in one.rows}
    others = [request for row, request in enumerate(requests) if row not in inside]
    terms = terms_of(members, others, week.fewest)
    middles = [middle_of(week.vectors[list(one.far or one.rows)]) for one in shown]
    matched = _matched(shown, middles, held, known)
    rows = [
        _row(one, middles[n], terms[str(n)], matched.get(n), week) for n, one in enumerate(shown)
    ]
    used = {old.unknown_intent_id for old in matched.values()}
    none = rate([False] * len(requests), [request.probability for request in requests])
    quiet = (carry(old, none, week.window.days[-1].first) for old in known
             if old.unknown_intent_id not in used)  # fmt: skip
    return [*rows, *(row for row in quiet if row is not None)]


def _matched(
    shown: Sequence[Members], middles: Sequence[Matrix], held: Sequence[Known],
    known: Sequence[Known],
) -> dict[int, Known]:  # fmt: skip
    """Which group of the week before each is: by its members, else by its middle."""
    matched = {n: held[one.known] for n, one in enumerate(shown) if one.known is not None}
    used = {old.unknown_intent_id for old in matched.values()}
    new = [n for n in range(len(shown)) if n not in matched]
    free = [old for old in known if old.unknown_intent_id not in used]
    by_middle = match_groups([middles[n] for n in new], free)
    return matched | {new[n]: old for n, old in by_middle.items()}


def _row(
    one: Members, middle: Matrix, terms: Sequence[str], old: Known | None, week: Week
) -> dict[str, Any]:
    requests = week.requests
    mine = [requests[row] for row in one.rows]
    share = _share(one, week)
    close = sorted(one.rows, key=lambda row: (-round(float(week.vectors[row] @ middle), 6),
                                              requests[row].trace_id))  # fmt: skip
    days = sorted(request.day for request in mine)
    nearest = week.model.nearest(middle) if week.model else None
    together = own_neighbours(week.seen, one.rows)
    kind = kind_of(one, requests, week.pointing, together, nearest)
    first = min(request.trace_id for request in mine)
    return {
        "unknown_intent_id": old.unknown_intent_id if old else f"ui-{digest(first, size=6)}",
        "kind": kind.name,
        "nearest_intent": kind.intent,
        "name": ", ".join(terms[:3]) or "no term in common",
        "terms": list(terms),
        "n": len(mine),
        "n_users": len({request.user for request in mine}),
        **share_of(share),
        "share_before": old.row["share"] if old else None,
        "trend": trend_of(share, old.row if old else None),
        "first_seen": min(days[0], old.first_seen) if old else days[0],
        "last_seen": max(days[-1], old.last_seen) if old else days[-1],
        "exemplars": [requests[row].trace_id for row in close[:_EXEMPLARS]],
        "centroid": (mixed(old.centroid, middle) if old else middle).tolist(),
    }


def _share(one: Members, week: Week) -> Estimate:
    """A share whose interval covers the draw and the doubt who belongs to the group.

    Low is that of the far members in its midst alone, and has a width even where all traffic was
    looked at: who is judged a member is chance too. High is that of all, over the share of its
    members that a group finds, as measured on planned intents.
    """
    low, middle = (_rate(part, week.requests) for part in (one.core, one.rows))
    if middle.high is None or week.model is None:
        return middle
    high = min(middle.high / week.found, 1.0)
    least = min(low.low or 0.0, wilson_bounds(low.value or 0.0, len(week.requests))[0])
    doubt = f"; low of the far in its midst, high over the {week.found:.2f} that groups find"
    return replace(middle, low=least, high=high, estimator=middle.estimator + doubt)


def _rate(rows: Sequence[int], requests: Sequence[Request]) -> Estimate:
    inside = set(rows)
    return rate(
        [row in inside for row in range(len(requests))], [one.probability for one in requests]
    )


def share_of(share: Estimate) -> dict[str, Any]:
    """The columns of a share."""
    return {
        "share": rounded(share.value),
        "share_low": rounded(share.low),
        "share_high": rounded(share.high),
        "estimator": share.estimator,
    }


def rounded(value: float | None) -> float | None:
    """Six decimals."""
    return None if value is None else round(value, 6)
