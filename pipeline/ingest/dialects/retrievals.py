"""What a span retrieved: the query, and the documents that came back, best first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import msgspec

from pipeline.ingest.content import as_id, loads
from pipeline.ingest.dialects.aliases import DOCUMENTS, INDEXED_DOCUMENTS, QUERY
from pipeline.ingest.dialects.indexed import gather
from pipeline.ingest.dialects.lookup import first, prose
from pipeline.ingest.records import Document, Retrieval, Span

__all__ = ["plain_retrieval", "retrieval_of"]

_QUERY_FIELDS = ("query", "question", "input", "text", "search_query", "q", "prompt", "query_str")
_LIST_FIELDS = ("documents", "results", "output", "nodes", "matches", "hits", "chunks", "data")
_ID_FIELDS = ("id", "document_id", "doc_id", "id_", "node_id", "chunk_id", "_id", "uuid")
_TEXT_FIELDS = (
    "content",
    "page_content",
    "pageContent",
    "text",
    "document",
    "snippet",
    "body",
    "chunk",
)
_SCORE_FIELDS = ("score", "similarity", "relevance_score", "_score", "similarity_score")
_EVENTS = ("db.query.result", "db.search.result")


def retrieval_of(span: Span) -> Retrieval:
    """The retrieval that a span is, in any convention."""
    values = span.attributes
    found = _documents(values)
    if not found:
        found = [event for name, event in span.events if name in _EVENTS]
        found = [_without_prefix(event) for event in found]
    documents = (_document(item) for item in found)
    return Retrieval(span.span_id, _query(first(values, QUERY)), tuple(d for d in documents if d))


class _Plain(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    id: str
    content: str | None = None
    score: Annotated[float, msgspec.Meta(gt=-1e12, lt=1e12)] | None = None  # see `_score`


_decode_plain = msgspec.json.Decoder(list[_Plain]).decode


def plain_retrieval(span: Span) -> Retrieval | None:
    """A retrieval whose query is prose and whose documents have but id, content and score."""
    query = span.attributes.get("gen_ai.retrieval.query.text")
    text = span.attributes.get("gen_ai.retrieval.documents")
    if type(text) is not str or not text.startswith('[{"'):
        return None
    if type(query) is not str or not query[:1].isalpha() or query in ("null", "true", "false"):
        return None
    try:
        found = _decode_plain(text)
    except (msgspec.DecodeError, UnicodeError):
        return None
    documents = tuple([Document(d.id, d.content, d.score) for d in found])
    return Retrieval(span.span_id, query, documents)


def _query(value: Any) -> str | None:
    told = loads(value)
    if isinstance(told, Mapping):
        if isinstance(told.get("kwargs"), Mapping) and set(told) == {"args", "kwargs"}:
            args = told["args"] if isinstance(told["args"], list) else []
            told = told["kwargs"] or (args[0] if args else None)
        if isinstance(told, Mapping):
            told = first(told, _QUERY_FIELDS) or told
        return prose(told)
    # A text that is JSON text of a text (MLflow's are); a text that spells a number stays.
    return told if isinstance(told, str) else prose(value)


def _documents(values: Mapping[str, Any]) -> list[Any]:
    spread = gather(values, INDEXED_DOCUMENTS)
    for prefix in INDEXED_DOCUMENTS:
        if prefix in spread:
            return list(spread[prefix].values())
    return _listed(loads(first(values, DOCUMENTS)))


def _listed(told: Any) -> list[Any]:
    if isinstance(told, Mapping):
        inner = next((loads(told[n]) for n in _LIST_FIELDS if told.get(n)), None)
        told = inner if isinstance(inner, list) else None
    return told if isinstance(told, list) else []


def _document(item: Any) -> Document | None:
    item = loads(item)
    if isinstance(item, str):
        return Document("", item, None)
    if isinstance(item, list) and len(item) == 2 and isinstance(item[0], Mapping):
        # LangChain's search with scores: a document and its score.
        item = {**item[0], "score": item[1]}
    if not isinstance(item, Mapping):
        return None
    inner = (item[n] for n in ("node", "document", "kwargs") if _is_document(item.get(n)))
    merged = {**item, **next(inner, {})}
    metadata = loads(merged.get("metadata"))
    beside = metadata if isinstance(metadata, Mapping) else {}
    id_ = _name(merged, _ID_FIELDS) or _name(beside, (*_ID_FIELDS, "source", "url"))
    content = prose(first(merged, _TEXT_FIELDS))
    score = next((s for f in _SCORE_FIELDS if (s := _score(merged.get(f))) is not None), None)
    if id_ is None and content is None:
        return None
    return Document(id_ or "", content, score)


def _is_document(value: Any) -> bool:
    return isinstance(value, Mapping) and first(value, _TEXT_FIELDS) is not None


def _name(values: Mapping[str, Any], names: tuple[str, ...]) -> str | None:
    return next((i for n in names if (i := as_id(values.get(n))) is not None), None)


def _score(value: Any) -> float | None:
    """A similarity; cosine and log scores may be below 0."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if -1e12 < number < 1e12 else None


def _without_prefix(event: Mapping[str, Any]) -> dict[str, Any]:
    return {str(name).rpartition("result.")[2]: value for name, value in event.items()}
