"""Verdicts inside traces, and whose they are."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.ingest.dialects import score_of, trace_scores
from pipeline.ingest.records import Score
from tests.pipeline.ingest.dialects.one_span import read


def test_an_evaluation_event() -> None:
    event = (
        "gen_ai.evaluation.result",
        {
            "gen_ai.evaluation.name": "user_feedback",
            "gen_ai.evaluation.score.value": 0.0,
            "gen_ai.evaluation.score.label": "negative",
            "gen_ai.evaluation.explanation": "too slow",
        },
    )
    content = read({"gen_ai.operation.name": "invoke_agent"}, "agent", event)
    assert content.scores == (Score("user_feedback", 0.0, "negative", "user", "too slow"),)


@pytest.mark.parametrize(
    ("values", "source"),
    [
        ({"gen_ai.evaluation.name": "thumbs_up"}, "user"),
        ({"gen_ai.evaluation.name": "CSAT"}, "user"),
        ({"gen_ai.evaluation.name": "relevance"}, "code"),
        ({"gen_ai.evaluation.name": "relevance", "caselaw.score.source": "human"}, "human"),
        ({"gen_ai.evaluation.name": "thumbs", "caselaw.score.source": "model"}, "model"),
        ({"gen_ai.evaluation.name": "relevance", "caselaw.score.source": "oracle"}, "code"),
    ],
)
def test_whose_verdict_it_is(values: dict[str, Any], source: str) -> None:
    assert score_of(values).source == source


@pytest.mark.parametrize(
    ("value", "number"),
    [(1, 1.0), ("0.5", 0.5), (True, 1.0), ("false", 0.0), (-1, -1.0), ("x", None), ([1], None)],
)
def test_scores_as_numbers(value: Any, number: float | None) -> None:
    assert score_of({"gen_ai.evaluation.score.value": value}).value == number


def test_a_correction_is_kept() -> None:
    told = score_of({"gen_ai.evaluation.name": "fix", "caselaw.score.correction": "Say Lyon."})
    assert told.correction == "Say Lyon."


def test_openinference_annotations_by_people_models_and_code() -> None:
    content = read(
        {
            "openinference.span.kind": "LLM",
            "annotations.0.annotation.name": "correctness",
            "annotations.0.annotation.score": 1,
            "annotations.0.annotation.label": "correct",
            "annotations.0.annotation.annotator_kind": "HUMAN",
            "evaluations.0.evaluation.name": "tone",
            "evaluations.0.evaluation.label": "rude",
            "evaluations.0.evaluation.explanation": "It shouts.",
            "evaluations.0.evaluation.annotator_kind": "LLM",
            "evaluations.1.evaluation.name": "length",
            "evaluations.1.evaluation.score": 0.25,
            "evaluations.1.evaluation.annotator_kind": "CODE",
        }
    )
    assert content.scores == (
        Score("correctness", 1.0, "correct", "human"),
        Score("tone", None, "rude", "model", "It shouts."),
        Score("length", 0.25, None, "code"),
    )


def test_verdicts_on_the_trace_are_said_once_however_many_spans_repeat_them() -> None:
    values = {
        "trace.annotations.0.annotation.name": "resolved",
        "trace.annotations.0.annotation.score": 0,
        "trace.annotations.0.annotation.annotator_kind": "HUMAN",
        "session.evaluations.0.evaluation.name": "churn",
        "session.evaluations.0.evaluation.label": "low",
        "session.evaluations.0.evaluation.annotator_kind": "CODE",
    }
    assert read(values).scores == ()
    assert trace_scores(values) == (
        Score("resolved", 0.0, None, "human"),
        Score("churn", None, "low", "code"),
    )
