"""A week's unplanned requests: how many, which groups of them, how often, and whither."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from pipeline.embedding import Embedder
from pipeline.estimation import Estimate, rate, wilson
from pipeline.ids import digest
from pipeline.provenance import Counts
from pipeline.registry import UNKNOWN, Registry
from pipeline.sampling import held_out_evidence, intent_targets
from pipeline.tables import UNKNOWN_INTENTS
from pipeline.unknown_intents.chain import (
    Known,
    carry,
    match_groups,
    mixed,
    read_known,
    trend_of,
)
from pipeline.unknown_intents.grouping import Groups, group_far, middle_of
from pipeline.unknown_intents.members import Members, gather
from pipeline.unknown_intents.naming import terms_of
from pipeline.unknown_intents.novelty import Novelty, Threshold, calibrate, fit_novelty
from pipeline.unknown_intents.requests import Request, read_requests
from pipeline.windows import Window

__all__ = ["UnknownIntents", "find_unknown_intents"]

_ALL = "all"
_FEWEST_EXEMPLARS = 20
_EXEMPLARS = 5


@dataclass(frozen=True)
class UnknownIntents:
    """`frame` fits `unknown_intents`; `counts` are conversations, out are those far."""

    frame: pl.DataFrame
    counts: Counts


def find_unknown_intents(
    redacted: pl.DataFrame,
    samples: pl.DataFrame,
    before: pl.DataFrame | None,
    registry: Registry,
    embedder: Embedder,
    window: Window,
) -> UnknownIntents:
    """Measure, group and name the traffic of a week that is far from every planned intent.

    Args:
        redacted: `redacted_traces` of the week's days, with a `day`.
        samples: `stratified_samples` of the same days, with a `day`.
        before: `unknown_intents` of the week before; None or empty in the first week.
        registry: `intents`, `settings.sampling` and `settings.privacy` are read.
        embedder: for what users write.
        window: the week.

    One row is `all`: the far traffic together. Each other row is a group of at least
    `privacy.smallest_group` users; smaller ones count in `all` alone. Its kind is `wording` where
    planned requests in unusual words explain it: half of its members got one and the same planned
    intent, or fewer than a quarter are far themselves; else it is `unplanned`. With fewer than two
    intents or twenty exemplars nothing can be calibrated: what sampling called unknown is far.
    """
    requests = read_requests(redacted, samples)
    vectors = _embed([request.text for request in requests], embedder)
    model, threshold = _measure(registry, embedder)
    far = _far(requests, vectors, model, threshold)
    rows = np.flatnonzero(far)
    fewest = registry.settings.privacy.smallest_group
    seen = model.view(vectors) if model else vectors
    planned = model.view(model.exemplars) if model else None
    groups = group_far(seen[rows], [requests[row].trace_id for row in rows], fewest)
    found = [
        one
        for one in gather(seen, rows, groups.labels, planned)
        if len({requests[row].user for row in one.rows}) >= fewest
    ]
    common = _common(threshold, groups, registry, len(requests))
    listed = _group_rows(found, requests, vectors, model, read_known(before), fewest, window)
    whole = _whole(far, requests, before, model)
    frame = pl.DataFrame([row | common for row in (whole, *listed)], schema=UNKNOWN_INTENTS.schema)
    left = {"planned": len(requests) - len(rows), "without_words": redacted.height - len(requests)}
    return UnknownIntents(
        UNKNOWN_INTENTS.conform(frame),
        Counts("conversations", redacted.height, len(rows), filtered=left),
    )


def _embed(texts: Sequence[str], embedder: Embedder) -> np.ndarray[Any, np.dtype[np.float64]]:
    return embedder.embed(texts).astype(np.float64)


def _measure(registry: Registry, embedder: Embedder) -> tuple[Novelty | None, Threshold | None]:
    intents = registry.intents
    texts = [text for intent in intents for text in intent.exemplars]
    targets = intent_targets(intents)
    labels = [
        target for intent, target in zip(intents, targets, strict=True) for _ in intent.exemplars
    ]
    if len(texts) < _FEWEST_EXEMPLARS or len(set(labels)) < 2:
        return None, None
    model = fit_novelty(_embed(texts, embedder), labels, held_out_evidence(intents, embedder))
    return model, calibrate(model.held_out, registry.settings.sampling.unknown_false_alarms)


def _far(
    requests: Sequence[Request],
    vectors: np.ndarray[Any, np.dtype[np.float64]],
    model: Novelty | None,
    threshold: Threshold | None,
) -> np.ndarray[Any, np.dtype[np.bool_]]:
    if model is None or threshold is None or not requests:
        return np.array([request.intent == UNKNOWN for request in requests], dtype=bool)
    evidence = np.array([request.evidence for request in requests])
    return np.asarray(model.score(vectors, evidence) > threshold.value)


def _common(
    threshold: Threshold | None, groups: Groups, registry: Registry, looked_at: int
) -> dict[str, Any]:
    """What every row says of how it was found."""
    alarms = wilson(threshold.false_alarms, threshold.n) if threshold else None
    return {
        "n_all": looked_at,
        "threshold": threshold.value if threshold else None,
        "false_alarm_rate": _rounded(alarms.value) if alarms else None,
        "false_alarm_low": _rounded(alarms.low) if alarms else None,
        "false_alarm_high": _rounded(alarms.high) if alarms else None,
        "n_calibration": threshold.n if threshold else 0,
        "stability": groups.stability,
    }


def _whole(
    far: np.ndarray[Any, np.dtype[np.bool_]],
    requests: Sequence[Request],
    before: pl.DataFrame | None,
    model: Novelty | None,
) -> dict[str, Any]:
    """The row `all`."""
    share = rate(far.tolist(), [request.probability for request in requests])
    old = None if before is None else before.filter(pl.col("kind") == _ALL)
    last = old.row(0, named=True) if old is not None and old.height else None
    mine = [request for request, flag in zip(requests, far, strict=True) if flag]
    days = sorted(request.day for request in mine)
    firsts = [*days[:1], *([last["first_seen"]] if last and last["first_seen"] else [])]
    lasts = [*days[-1:], *([last["last_seen"]] if last and last["last_seen"] else [])]
    return {
        "unknown_intent_id": _ALL,
        "kind": _ALL,
        "name": "far from every planned intent",
        "terms": [],
        "n": len(mine),
        "n_users": len({request.user for request in mine}),
        **_share(share, share, share),
        "share_before": last["share"] if last else None,
        "trend": trend_of(share, last),
        "first_seen": min(firsts, default=None),
        "last_seen": max(lasts, default=None),
        "nearest_intent": None,
        "exemplars": [],
        "centroid": [],
    }


def _group_rows(
    found: Sequence[Members],
    requests: Sequence[Request],
    vectors: np.ndarray[Any, np.dtype[np.float64]],
    model: Novelty | None,
    known: Sequence[Known],
    fewest: int,
    window: Window,
) -> list[dict[str, Any]]:
    probability = [request.probability for request in requests]
    members = {str(n): [requests[row] for row in one.rows] for n, one in enumerate(found)}
    inside = {row for one in found for row in one.widest}
    others = [request for row, request in enumerate(requests) if row not in inside]
    terms = terms_of(members, others, fewest)
    middles = [middle_of(vectors[list(one.far)]) for one in found]
    matched = match_groups(middles, known)
    rows = []
    for n, one in enumerate(found):
        old, mine = matched.get(n), members[str(n)]
        shares = [_rate(part, probability) for part in (one.far, one.rows, one.widest)]
        close = sorted(one.rows, key=lambda row: (-round(float(vectors[row] @ middles[n]), 6),
                                                  requests[row].trace_id))  # fmt: skip
        days = sorted(request.day for request in mine)
        rows.append(
            {
                "unknown_intent_id": old.unknown_intent_id
                if old
                else f"ui-{digest(min(request.trace_id for request in mine), size=6)}",
                **_kind(one, requests, model.nearest(middles[n]) if model else None),
                "name": ", ".join(terms[str(n)][:3]) or "no term in common",
                "terms": list(terms[str(n)]),
                "n": len(mine),
                "n_users": len({request.user for request in mine}),
                **_share(*shares),
                "share_before": old.row["share"] if old else None,
                "trend": trend_of(shares[1], old.row if old else None),
                "first_seen": min(days[0], old.first_seen) if old else days[0],
                "last_seen": max(days[-1], old.last_seen) if old else days[-1],
                "exemplars": [requests[row].trace_id for row in close[:_EXEMPLARS]],
                "centroid": (mixed(old.centroid, middles[n]) if old else middles[n]).tolist(),
            }
        )
    used = {old.unknown_intent_id for old in matched.values()}
    none = rate([False] * len(requests), probability)
    quiet = (carry(old, none, window.days[-1].first) for old in known
             if old.unknown_intent_id not in used)  # fmt: skip
    return [*rows, *(row for row in quiet if row is not None)]


def _kind(one: Members, requests: Sequence[Request], nearest: str | None) -> dict[str, Any]:
    """Whether planned requests in unusual words explain a group, and of which intent."""
    intents = Counter(requests[row].intent for row in one.rows if requests[row].intent != UNKNOWN)
    name, count = min(intents.items(), key=lambda item: (-item[1], item[0]), default=(nearest, 0))
    planned = count >= len(one.rows) / 2
    wording = planned or len(one.far) < len(one.rows) / 4
    return {
        "kind": "wording" if wording else "unplanned",
        "nearest_intent": name if planned else nearest,
    }


def _rate(rows: Sequence[int], probability: Sequence[float]) -> Estimate:
    inside = set(rows)
    return rate([row in inside for row in range(len(probability))], probability)


def _share(low: Estimate, middle: Estimate, high: Estimate) -> Mapping[str, Any]:
    """A share whose interval covers the draw and the doubt who belongs to the group."""
    doubt = "" if low is high else "; low of those far alone, high of all that could be meant"
    return {
        "share": _rounded(middle.value),
        "share_low": _rounded(low.low),
        "share_high": _rounded(high.high),
        "estimator": middle.estimator + doubt,
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 6)
