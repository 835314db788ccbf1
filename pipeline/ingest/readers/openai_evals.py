"""OpenAI Evals: a run's record, a set of samples, and output items of the evals API."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from pipeline.ids import canonical_json, digest
from pipeline.ingest.content import as_id, as_text
from pipeline.ingest.jsontext import JsonText, malformed
from pipeline.ingest.messages import read_messages
from pipeline.ingest.readers.head import Head
from pipeline.ingest.readers.rows import read_documents
from pipeline.ingest.readers.transcript import (
    Usage,
    as_amount,
    as_count,
    as_list,
    as_mapping,
    read_one,
    time_span,
)
from pipeline.ingest.records import Malformed, Message, Score, Trace
from pipeline.ingest.source import Source
from pipeline.ingest.traces.history import merge_history
from pipeline.ingest.traces.outcomes import calls_from_messages

__all__ = ["OpenAiEvalsReader"]

_ITEM = "eval.run.output_item"


class OpenAiEvalsReader:
    """Reads one trace a sample: its input and what the model made of it.

    What the answer should have been (`ideal`, `expected`, a data source's item) is the answer
    key and stays out, and so do the calls of a model that grades; verdicts become scores.
    """

    name = "openai_evals"

    def sniff(self, head: Head) -> bool:
        """A record's spec or events, samples with an ideal, or output items."""
        return head.container == "json" and (
            bool(
                re.match(r'\s*\{\s*"spec"\s*:\s*\{', head.text) and head.has("run_id", "eval_name")
            )
            or head.has("run_id", "event_id", "sample_id")
            or bool(re.search(rf'"object"\s*:\s*"{re.escape(_ITEM)}"', head.text))
            or {"input", "ideal"} <= set(head.first)
        )

    def read(self, source: Source) -> Iterator[Trace | Malformed]:
        """Yield samples; those of a record in the order of their first event."""
        spec: Mapping[str, Any] = {}
        samples: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
        for text in read_documents(source):
            if isinstance(text, Malformed):
                yield text
                continue
            value = text.value
            for item in as_list(as_mapping(value).get("data")) or [value]:
                one = JsonText(item, text.offset, text.length, text.repaired)
                record = as_mapping(item)
                if "spec" in record:
                    spec = as_mapping(record["spec"])
                elif record.get("object") == _ITEM:
                    yield from read_one(one, partial(_item, source=source), *_BAD)
                elif "sample_id" in record and "type" in record:
                    key = (str(record.get("run_id")), str(record["sample_id"]))
                    samples.setdefault(key, []).append(record)
                elif "input" in record:
                    yield from read_one(one, partial(_dataset_sample, source=source), *_BAD)
                elif "final_report" not in record:
                    detail = "no spec, event, sample or output item"
                    yield malformed("bad_sample", detail, canonical_json(item), text.offset)
        for events in samples.values():
            record_of = partial(_recorded, spec=spec, source=source)
            yield from read_one(JsonText(events, 0, 0), record_of, *_BAD)


_BAD = ("bad_sample", "sample of an evaluation")


def _recorded(events: list[Mapping[str, Any]], spec: Mapping[str, Any], source: Source) -> Trace:
    """One sample of a run. Later calls that do not go on from the first are a grader's."""
    messages: list[Message] = []
    usage, models = Usage(), set[str | None]()
    scores: list[Score] = []
    graded = any("choice" in as_mapping(e.get("data")) for e in events if e["type"] == "metrics")
    error = None
    for event in events:
        data = as_mapping(event.get("data"))
        if event["type"] == "sampling":
            heard = read_messages(data.get("prompt"), "user") or _plain(data.get("prompt"), "user")
            if messages and not _goes_on(messages, heard):
                continue
            messages = merge_history(messages, heard)
            sampled = data.get("sampled")
            first = sampled[0] if isinstance(sampled, list) and sampled else sampled
            messages += _plain(first, "assistant")
            used = as_mapping(data.get("usage"))
            usage += Usage(
                as_count(used.get("prompt_tokens")), as_count(used.get("completion_tokens"))
            )
            models |= {as_id(data.get("model"))}
        elif event["type"] == "error":
            error = as_id(data.get("type")) or "error"
        else:
            scores += _scores(event["type"], data, graded)
    if not messages:
        raise ValueError("nothing was sampled")
    span = time_span((event.get("created_at") for event in events), source)
    named = as_list(spec.get("completion_fns"))
    if not models - {None}:
        models = {as_id(named[0])} if named else set()
    return Trace(
        trace_id=digest("openai_evals", events[0].get("run_id"), events[0]["sample_id"]),
        source="openai_evals",
        started_at=span.start,
        ended_at=span.end,
        timed=span.timed,
        messages=tuple(messages),
        calls=calls_from_messages(messages),
        service=as_id(spec.get("eval_name")),
        models=frozenset(model for model in models if model),
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
        status="error" if error else "ok",
        error=error,
        scores=tuple(scores),
        complete=error is None and messages[-1].role == "assistant",
        attributes={
            "run_id": events[0].get("run_id"),
            "sample_id": events[0]["sample_id"],
            **{name: spec[name] for name in ("base_eval", "split") if spec.get(name)},
        },
    )


def _goes_on(known: list[Message], heard: list[Message]) -> bool:
    opening = next((m for m in known if m.role != "system"), None)
    return opening is not None and opening in heard


def _plain(value: Any, role: str) -> list[Message]:
    """Text as one message; a message, or a list of them, as they are."""
    if isinstance(value, Mapping | list):
        return read_messages(value, role)
    text = as_text(value)
    return [Message(role, text)] if text else []


def _scores(kind: str, data: Mapping[str, Any], graded: bool) -> Iterator[Score]:
    """`match` as its truth, each number of `metrics`; a choice is the grader's label."""
    whose = "model" if graded else "code"
    if kind == "match":
        yield Score("match", as_amount(data.get("correct")), None, source="code")
    elif kind == "metrics":
        for name, value in data.items():
            number = as_amount(value)
            if number is not None:
                yield Score(str(name), number, None, source=whose)
            elif name == "choice" and isinstance(value, str):
                yield Score("choice", None, value, source="model")


def _dataset_sample(value: Mapping[str, Any], source: Source) -> Trace:
    """A sample not run yet: what would be asked, and nothing said."""
    messages = tuple(_plain(value["input"], "user"))
    if not messages:
        raise ValueError("no input")
    span = time_span((value.get("created_at"),), source)
    return Trace(
        trace_id=as_id(value.get("id")) or digest("openai_evals", value["input"]),
        source="openai_evals",
        started_at=span.start,
        ended_at=span.end,
        timed=span.timed,
        messages=messages,
        calls=calls_from_messages(messages),
        complete=False,
    )


def _item(value: Mapping[str, Any], source: Source) -> Trace:
    """An output item of the evals API."""
    sample = as_mapping(value["sample"])
    messages = [*_plain(sample.get("input"), "user"), *_plain(sample.get("output"), "assistant")]
    if not messages:
        raise ValueError("no messages")
    used, error = as_mapping(sample.get("usage")), as_mapping(sample.get("error"))
    span = time_span((value.get("created_at"),), source)
    model, code = as_id(sample.get("model")), as_id(error.get("code"))
    return Trace(
        trace_id=as_id(value.get("id")) or digest("openai_evals", _texts(messages)),
        source="openai_evals",
        started_at=span.start,
        ended_at=span.end,
        timed=span.timed,
        messages=tuple(messages),
        calls=calls_from_messages(messages),
        models=frozenset({model} if model else ()),
        input_tokens=as_count(used.get("prompt_tokens")),
        output_tokens=as_count(used.get("completion_tokens")),
        status="error" if code else "ok",
        error=code,
        scores=tuple(_results(value.get("results"))),
        complete=not code and any(m.role == "assistant" for m in messages),
        attributes={
            name: value[name] for name in ("eval_id", "run_id", "datasource_item_id", "status")
            if value.get(name) is not None
        },
    )  # fmt: skip


def _texts(messages: list[Message]) -> list[str | None]:
    return [message.content for message in messages]


def _results(results: Any) -> Iterator[Score]:
    for result in map(as_mapping, as_list(results)):
        kind = str(result.get("type") or "")
        passed = result.get("passed")
        label = ("pass" if passed else "fail") if isinstance(passed, bool) else None
        whose = "model" if "model" in kind else "code"
        # The service ends a grader's name in an id of its own.
        name = re.sub(r"-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$", "", str(result.get("name")))
        yield Score(name, as_amount(result.get("score")), label, source=whose)
