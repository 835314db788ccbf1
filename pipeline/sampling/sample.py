"""The stage: a day's traces in, those to look at out, each with its chance of being drawn."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import polars as pl

from pipeline.embedding import Embedder
from pipeline.provenance import Counts
from pipeline.registry import Registry
from pipeline.sampling.conversations import Conversation, read_conversations
from pipeline.sampling.draw import Drawn, Eligible, draw
from pipeline.sampling.intents import Classified, classify
from pipeline.sampling.norms import Norms
from pipeline.sampling.signals import anomaly_score, fired
from pipeline.sampling.stakes import Stakes
from pipeline.tables import STRATIFIED_SAMPLES

__all__ = ["Sample", "draw_sample"]


@dataclass(frozen=True)
class Sample:
    """The drawn traces (table `stratified_samples`), and what became of the others.

    `counts` is in traces: `opted_out` never took part, `not_drawn` might have been.
    """

    frame: pl.DataFrame
    counts: Counts


@dataclass(frozen=True)
class _Described:
    """An eligible trace with all that decides whether it is drawn."""

    trace: Conversation
    classified: Classified
    stakes: str
    signals: list[str]

    @property
    def stratum(self) -> str:
        return f"{self.classified.intent}/{self.stakes}"


def draw_sample(
    traces: pl.DataFrame,
    registry: Registry,
    embedder: Embedder,
    opted_out: Collection[str] = (),
) -> Sample:
    """Draw the traces of one day that are redacted and graded.

    Args:
        traces: the day's `raw_traces`, in any order.
        registry: `intents` and `settings.sampling` are read.
        embedder: finds the nearest intent; `unknown_below` holds for `sentence_embedder`.
        opted_out: ids of traces that are left out though they do not say so themselves.

    Returns:
        A frame that fits `STRATIFIED_SAMPLES`. Weights are 1 / inclusion_probability and add up
        to the number of eligible traces on average over draws; an estimate divides by their sum.
    """
    everyone = read_conversations(traces)
    eligible = [t for t in everyone if not t.opted_out and t.trace_id not in opted_out]
    described = _describe(eligible, registry, embedder)
    sampling = registry.settings.sampling
    drawn = draw(
        [
            Eligible(
                d.trace.trace_id,
                d.stratum,
                d.stakes in sampling.census_stakes,
                anomaly_score(d.signals),
            )
            for d in described
        ],
        sampling.budget_per_day,
        sampling.floor_per_stratum,
        sampling.anomaly_share,
        sampling.seed,
        sampling.largest_share,
    )
    counts = Counts(
        unit="traces",
        records_in=len(everyone),
        records_out=len(drawn),
        filtered={
            "not_drawn": len(eligible) - len(drawn),
            "opted_out": len(everyone) - len(eligible),
        },
    )
    return Sample(_frame(described, drawn), counts)


def _describe(
    eligible: Sequence[Conversation], registry: Registry, embedder: Embedder
) -> list[_Described]:
    sampling = registry.settings.sampling
    classified = classify(eligible, registry.intents, embedder, sampling.unknown_below)
    norms = Norms(eligible, [found.intent for found in classified])
    stakes = Stakes(registry.intents, sampling.unknown_stakes)
    return [
        _Described(trace, found, stakes.of(trace, found.intent), fired(trace, norms))
        for trace, found in zip(eligible, classified, strict=True)
    ]


def _frame(described: Sequence[_Described], drawn: Sequence[Drawn]) -> pl.DataFrame:
    by_id = {d.trace.trace_id: d for d in described}
    rows = []
    for taken in drawn:
        one = by_id[taken.trace_id]
        probability = round(taken.probability, 6)
        rows.append(
            {
                "trace_id": taken.trace_id,
                "intent": one.classified.intent,
                "intent_score": one.classified.score,
                "stakes": one.stakes,
                "release": one.trace.release,
                "stratum": one.stratum,
                "population": taken.population,
                "sample": taken.sample,
                "inclusion_probability": probability,
                "weight": round(1 / probability, 6),
                "reason": taken.reason,
                "anomaly_score": anomaly_score(one.signals),
                "signals": one.signals,
                "turns": len(one.trace.user),
                "total_tokens": one.trace.total_tokens,
            }
        )
    return STRATIFIED_SAMPLES.conform(pl.DataFrame(rows, schema=STRATIFIED_SAMPLES.schema))
