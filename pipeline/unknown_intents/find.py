"""A week's unplanned requests: how many, which groups of them, how often, and whither."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from pipeline.embedding import Embedder
from pipeline.estimation import rate, wilson
from pipeline.provenance import Counts
from pipeline.registry import UNKNOWN, Registry
from pipeline.sampling import held_out_evidence, intent_targets
from pipeline.tables import UNKNOWN_INTENTS
from pipeline.unknown_intents.chain import read_known, trend_of
from pipeline.unknown_intents.cohesion import Cohesion
from pipeline.unknown_intents.grouping import Groups, Matrix
from pipeline.unknown_intents.kinds import pointing_tools
from pipeline.unknown_intents.members import gather
from pipeline.unknown_intents.novelty import Novelty, Threshold, calibrate, fit_novelty
from pipeline.unknown_intents.requests import Request, read_requests
from pipeline.unknown_intents.rows import Week, group_rows, rounded, share_of
from pipeline.windows import Window

__all__ = ["UnknownIntents", "find_unknown_intents"]

_ALL = "all"
_FEWEST_EXEMPLARS = 20
_NONE_PLANNED = Cohesion(0.3, 1.0)  # no exemplars to measure: two of banking77's intents have .4


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
    `privacy.smallest_group` users, unplanned, wording or mixed (see `kind_of`); smaller ones count
    in `all` alone. With fewer than two intents or twenty exemplars nothing can be calibrated: what
    sampling called unknown is far.
    """
    requests = read_requests(redacted, samples)
    vectors = _embed([request.text for request in requests], embedder)
    model, threshold = _measure(registry, embedder)
    far = _far(requests, vectors, model, threshold)
    seen = model.view(vectors) if model else vectors
    cohesion = model.cohesion() if model else _NONE_PLANNED
    fewest = registry.settings.privacy.smallest_group
    known = [old for old in read_known(before) if old.centroid.shape == vectors.shape[1:]]
    held = [n for n, old in enumerate(known) if old.row["kind"] == "unplanned"]
    middles = np.array([known[n].centroid for n in held]).reshape(len(held), vectors.shape[-1])
    found, groups = gather(
        seen,
        [request.trace_id for request in requests],
        far,
        model.view(model.exemplars) if model else None,
        model.view(middles) if model else middles,
        cohesion,
        fewest,
    )
    pointing = pointing_tools(registry.intents)
    week = Week(requests, vectors, seen, model, pointing, cohesion.found, fewest, window)
    listed = group_rows(found, [known[n] for n in held], known, week)
    common = _common(threshold, groups, len(requests))
    rows = [row | common for row in (_whole(far, requests, before), *listed)]
    n_far = int(far.sum())
    left = {"planned": len(requests) - n_far, "without_words": redacted.height - len(requests)}
    return UnknownIntents(
        UNKNOWN_INTENTS.conform(pl.DataFrame(rows, schema=UNKNOWN_INTENTS.schema)),
        Counts("conversations", redacted.height, n_far, filtered=left),
    )


def _embed(texts: Sequence[str], embedder: Embedder) -> Matrix:
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
    vectors: Matrix,
    model: Novelty | None,
    threshold: Threshold | None,
) -> np.ndarray[Any, np.dtype[np.bool_]]:
    if model is None or threshold is None or not requests:
        return np.array([request.intent == UNKNOWN for request in requests], dtype=bool)
    evidence = np.array([request.evidence for request in requests])
    return np.asarray(model.score(vectors, evidence) > threshold.value)


def _common(threshold: Threshold | None, groups: Groups, looked_at: int) -> dict[str, Any]:
    """What every row says of how it was found."""
    alarms = wilson(threshold.false_alarms, threshold.n) if threshold else None
    return {
        "n_all": looked_at,
        "threshold": threshold.value if threshold else None,
        "false_alarm_rate": rounded(alarms.value) if alarms else None,
        "false_alarm_low": rounded(alarms.low) if alarms else None,
        "false_alarm_high": rounded(alarms.high) if alarms else None,
        "n_calibration": threshold.n if threshold else 0,
        "stability": groups.stability,
    }


def _whole(
    far: np.ndarray[Any, np.dtype[np.bool_]],
    requests: Sequence[Request],
    before: pl.DataFrame | None,
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
        **share_of(share),
        "share_before": last["share"] if last else None,
        "trend": trend_of(share, last),
        "first_seen": min(firsts, default=None),
        "last_seen": max(lasts, default=None),
        "nearest_intent": None,
        "exemplars": [],
        "centroid": [],
    }
