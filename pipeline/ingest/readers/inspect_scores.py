"""The scores of an Inspect sample, by whom they were given; never what the answer should be."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pipeline.ingest.content import as_id
from pipeline.ingest.readers.transcript import as_amount, as_list, as_mapping
from pipeline.ingest.records import Score

__all__ = ["sample_scores"]

# Inspect's letters: correct, incorrect, partial, no answer.
_LETTERS = {"C": 1.0, "I": 0.0, "P": 0.5, "N": 0.0}


def sample_scores(sample: Mapping[str, Any], events: Iterable[Any]) -> Iterator[Score]:
    """One score a scorer, and one a key where its value is an object.

    Explanations are left out: they quote the target, or the model's whole answer.

    Args:
        sample: its `scores` (of old logs, its one `score`).
        events: all of the sample's, to see which scorer asked a model.
    """
    scores = dict(as_mapping(sample.get("scores")))
    if not scores and sample.get("score"):
        scores = {"score": sample["score"]}
    judges = _judges(events)
    for name, score in scores.items():
        body = as_mapping(score)
        whose = "model" if name.startswith("model_graded") or name in judges else "code"
        edits = as_list(body.get("history"))
        if any(as_mapping(as_mapping(edit).get("provenance")).get("author") for edit in edits):
            whose = "human"
        values = body.get("value")
        for key, value in values.items() if isinstance(values, Mapping) else [(None, values)]:
            full = str(name) if key is None else f"{name}.{key}"
            number, label = _value(value)
            if number is not None or label is not None:
                yield Score(full, number, label, source=whose)


def _value(value: Any) -> tuple[float | None, str | None]:
    if isinstance(value, str):
        return _LETTERS.get(value), value
    return as_amount(value), None


def _judges(events: Iterable[Any]) -> set[str]:
    """Names of the scorers in whose span, or step, a model was called."""
    spans: dict[Any, str] = {}
    step: str | None = None
    found = set()
    for event in events:
        kind, name = event.get("event"), as_id(event.get("name"))
        if kind == "span_begin":
            scorer = name if event.get("type") == "scorer" else spans.get(event.get("parent_id"))
            if scorer:
                spans[event.get("id")] = scorer
        elif kind == "step" and event.get("type") == "scorer":
            step = name if event.get("action") == "begin" else None
        elif kind == "model":
            found.add(spans.get(event.get("span_id")) or step or "")
    return found - {""}
