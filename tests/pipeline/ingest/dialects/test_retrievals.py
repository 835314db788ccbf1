"""Retrieval spans: the query, and the documents in the order they came."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pipeline.ingest.records import Document
from tests.pipeline.ingest.dialects.one_span import read

QUERY = "lost parcels"
FOUND = [
    {"id": "d1", "content": "Wait two days.", "score": 0.9},
    {"id": "d2", "content": "Then call us.", "score": -0.5},
]
LANGCHAIN = [
    {"page_content": "Wait two days.", "metadata": {"id": "d1"}, "type": "Document", "score": 0.9},
    {"pageContent": "Then call us.", "metadata": '{"source": "d2"}', "score": "-0.5"},
]


@pytest.mark.parametrize(
    "values",
    [
        pytest.param(
            {
                "gen_ai.operation.name": "retrieval",
                "gen_ai.retrieval.query.text": QUERY,
                "gen_ai.retrieval.documents": json.dumps(FOUND),
            },
            id="genai",
        ),
        pytest.param(
            {
                "openinference.span.kind": "RETRIEVER",
                "input.value": QUERY,
                "retrieval.documents.0.document.id": "d1",
                "retrieval.documents.0.document.content": "Wait two days.",
                "retrieval.documents.0.document.score": 0.9,
                "retrieval.documents.1.document.id": "d2",
                "retrieval.documents.1.document.content": "Then call us.",
                "retrieval.documents.1.document.score": -0.5,
                "retrieval.documents.1.document.metadata": '{"page": 3}',
            },
            id="openinference",
        ),
        pytest.param(
            {
                "openinference.span.kind": "RERANKER",
                "reranker.query": QUERY,
                "reranker.input_documents.0.document.id": "d9",
                "reranker.output_documents.0.document.id": "d1",
                "reranker.output_documents.0.document.content": "Wait two days.",
                "reranker.output_documents.0.document.score": 0.9,
                "reranker.output_documents.1.document.id": "d2",
                "reranker.output_documents.1.document.content": "Then call us.",
                "reranker.output_documents.1.document.score": -0.5,
            },
            id="reranker",
        ),
        pytest.param(
            {
                "langfuse.observation.type": "RETRIEVER",
                "langfuse.observation.input": {"query": QUERY},
                "langfuse.observation.output": LANGCHAIN,
            },
            id="langfuse",
        ),
        pytest.param(
            {
                "langsmith.span.kind": "retriever",
                "langsmith.inputs": {"query": QUERY},
                "langsmith.outputs": {"documents": LANGCHAIN},
            },
            id="langsmith",
        ),
        pytest.param(
            {
                "mlflow.spanType": '"RETRIEVER"',
                "mlflow.spanInputs": json.dumps(QUERY),
                "mlflow.spanOutputs": json.dumps(LANGCHAIN),
            },
            id="mlflow",
        ),
    ],
)
def test_every_convention_says_the_same_retrieval(values: dict[str, Any]) -> None:
    content = read(values)
    assert content.kind == "retrieval"
    assert (content.heard, content.said) == (None, None)
    assert content.retrieval is not None
    assert content.retrieval.query == QUERY
    assert content.retrieval.documents == (
        Document("d1", "Wait two days.", 0.9),
        Document("d2", "Then call us.", -0.5),
    )


def test_a_vector_database_says_its_results_in_events() -> None:
    content = read(
        {"db.system": "chroma", "db.operation": "query"},
        "chroma.query",
        (
            "db.query.result",
            {"db.query.result.id": "d1", "db.query.result.document": "Wait.", "distance": 0.2},
        ),
    )
    assert content.kind == "retrieval"
    assert content.retrieval is not None
    # A distance is no score: the smaller, the better.
    assert content.retrieval.documents == (Document("d1", "Wait.", None),)


def test_documents_that_are_texts_or_nodes() -> None:
    found = ["Wait.", {"node": {"id_": "n1", "text": "Call."}, "score": 0.4}, 7, {}]
    content = read({"langfuse.observation.type": "RETRIEVER", "langfuse.observation.output": found})
    assert content.retrieval is not None
    assert content.retrieval.documents == (
        Document("", "Wait.", None),
        Document("n1", "Call.", 0.4),
    )
