"""Verdicts given after the fact: a span with one link carries them for another."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.pipeline.ingest.readers.otlp_inputs import (
    SPAN,
    TRACE,
    envelope,
    events,
    lines,
    read,
    spans,
)
from tests.pipeline.ingest.spans import attribute, span

LINK = {"traceId": TRACE, "spanId": SPAN}
EVALUATOR = {"openinference.span.kind": "EVALUATOR"}


def carrier(values: dict[str, Any], *links: dict[str, Any], **more: Any) -> str:
    """A span of another trace with these attributes and links."""
    raw = span(7, 7, seconds=0) | {
        "attributes": [attribute(key, value) for key, value in values.items()],
        "links": list(links),
    }
    return lines(envelope(raw | more))


def told(prefix: str, **fields: Any) -> dict[str, Any]:
    """The first verdict under a prefix."""
    single = prefix.split(".")[-1].removesuffix("s")
    return {f"{prefix}.0.{single}.{name}": value for name, value in fields.items()}


@pytest.mark.parametrize("form", ["annotations", "evaluations"])
def test_a_human_label_lands_on_the_linked_span(tmp_path: Path, form: str) -> None:
    fields = {"name": "correctness", "score": 0, "label": "wrong", "explanation": "Not the price.",
              "annotator_kind": "HUMAN", "identifier": "r-1"}  # fmt: skip
    found = read(tmp_path, carrier(EVALUATOR | told(form, **fields), LINK))
    (event,) = events(found)
    assert spans(found) == [], "the carrier is no part of what the agent did"
    assert (event.trace_id, event.span_id, event.name) == (TRACE, SPAN, "gen_ai.evaluation.result")
    assert event.attributes == {
        "gen_ai.evaluation.name": "correctness",
        "gen_ai.evaluation.score.value": 0.0,
        "gen_ai.evaluation.score.label": "wrong",
        "gen_ai.evaluation.explanation": "Not the price.",
        "caselaw.score.source": "human",
        "caselaw.score.identifier": "r-1",
    }


def test_trace_and_session_verdicts_land_on_their_scope(tmp_path: Path) -> None:
    values = told("trace.evaluations", name="a", score=1, annotator_kind="LLM")
    values |= told("session.annotations", name="b", label="coherent", annotator_kind="CODE")
    session, trace = events(read(tmp_path, carrier(values | {"session.id": "s"}, LINK)))
    if trace.trace_id is None:
        session, trace = trace, session
    assert (trace.trace_id, trace.span_id) == (TRACE, None)
    assert trace.attributes["caselaw.score.source"] == "model"
    assert (session.trace_id, session.attributes["session.id"]) == (None, "s")
    assert session.attributes["caselaw.score.source"] == "code"


def test_a_session_carrier_needs_no_link(tmp_path: Path) -> None:
    values = EVALUATOR | {"session.id": "s"} | told("session.evaluations", name="b", score=1)
    (event,) = events(read(tmp_path, carrier(values)))
    assert event.attributes["session.id"] == "s"


def test_both_forms_of_one_verdict_count_once(tmp_path: Path) -> None:
    fields = {"name": "a", "label": "x"}
    values = told("annotations", **fields) | told("evaluations", **fields)
    assert len(events(read(tmp_path, carrier(values, LINK)))) == 1


def test_an_event_of_a_linked_evaluator_is_about_the_target(tmp_path: Path) -> None:
    event = {"name": "gen_ai.evaluation.result",
             "attributes": [attribute("gen_ai.evaluation.name", "a")]}  # fmt: skip
    (found,) = events(read(tmp_path, carrier(EVALUATOR, LINK, events=[event])))
    assert (found.trace_id, found.attributes) == (TRACE, {"gen_ai.evaluation.name": "a"})


@pytest.mark.parametrize(
    ("values", "links"),
    [
        (told("annotations", name="a", score=1), []),
        (told("annotations", name="a", score=1), [LINK, LINK | {"spanId": "b" * 16}]),
        (told("annotations", name="a", score=1), [{"traceId": "?"}]),
        (told("annotations", name="a"), [LINK]),
        (told("annotations", score=1), [LINK]),
        ({"gen_ai.operation.name": "chat"}, [LINK]),
    ],
    ids=["inline", "two links", "a link to nowhere", "no verdict", "no name", "an ordinary span"],
)
def test_a_span_that_carries_nothing_for_one_other_stays_a_span(
    tmp_path: Path, values: dict[str, Any], links: list[dict[str, Any]]
) -> None:
    found = read(tmp_path, carrier(values, *links))
    assert (len(spans(found)), events(found)) == (1, [])
    assert set(values) <= set(spans(found)[0].attributes)
