"""What users came with in one week: cleaned openings, with the chance that each was looked at."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import polars as pl

from pipeline.ids import unit_interval
from pipeline.redaction import SURROGATE
from pipeline.sampling import opening

__all__ = ["Request", "read_requests"]

_MOST = 10_000  # requests a week; more are thinned by a hash, their chances with them
_SENTENCE = re.compile(r"(?<=[.!?¿¡。])\s+|\n+")
_NUMBER = re.compile(r"[#\w]*\d[\w./:-]*")
_COMMON, _SPREAD = 0.02, 5  # share of requests and intents from which a sentence is boilerplate


@dataclass(frozen=True)
class Request:
    """One conversation of the week: `text` is what its user came with, redacted and cleaned.

    `user` is the hashed user, else the session, else the trace; `confirmed` says that a tool of
    the very intent it was given was called; `probability` is its chance of being looked at.
    """

    trace_id: str
    day: date
    user: str
    intent: str
    confirmed: bool
    probability: float
    text: str


def read_requests(
    redacted: pl.DataFrame, samples: pl.DataFrame, tools: Mapping[str, frozenset[str]]
) -> list[Request]:
    """Read a week's conversations in the order of their ids; those without words are left out.

    Surrogates and numbers are dropped, and so are sentences that stand in many requests of many
    intents: greetings and templates bring together what does not belong together.

    Args:
        redacted: `redacted_traces` of the days, with their `day`.
        samples: `stratified_samples` of the days, with their `day`.
        tools: by intent, the tools that confirm it.
    """
    rows = redacted.select(
        "trace_id", "day", "user_key", "session_id", "messages", "tool_calls"
    ).join(
        samples.select("trace_id", "day", "intent", "inclusion_probability"),
        on=["trace_id", "day"],
    )
    keep = min(1.0, _MOST / max(rows.height, 1))
    found = [
        _request(row, keep, tools)
        for row in rows.sort("trace_id").iter_rows(named=True)
        if keep == 1.0 or unit_interval("request", row["trace_id"]) < keep
    ]
    return list(_without_boilerplate(found))


def _request(row: Mapping[str, Any], keep: float, tools: Mapping[str, frozenset[str]]) -> Request:
    messages, calls = row["messages"] or [], row["tool_calls"] or []
    said = [m["content"] for m in messages if m["role"] == "user" and m["content"]]
    used = {call["name"] for call in calls}
    return Request(
        trace_id=row["trace_id"],
        day=row["day"],
        user=row["user_key"] or row["session_id"] or row["trace_id"],
        intent=row["intent"],
        confirmed=not used.isdisjoint(tools.get(row["intent"], frozenset())),
        probability=row["inclusion_probability"] * keep,
        text=_clean(opening(said)),
    )


def _clean(text: str) -> str:
    return " ".join(_NUMBER.sub(" ", SURROGATE.sub(" ", text)).split())


def _without_boilerplate(requests: list[Request]) -> Iterator[Request]:
    intents: dict[str, set[str]] = defaultdict(set)
    often: dict[str, int] = defaultdict(int)
    for request in requests:
        for sentence in {s.lower() for s in _SENTENCE.split(request.text)}:
            intents[sentence].add(request.intent)
            often[sentence] += 1
    shared = {
        sentence
        for sentence, among in intents.items()
        if len(among) >= _SPREAD and often[sentence] >= _COMMON * len(requests)
    }
    for request in requests:
        own = [s for s in _SENTENCE.split(request.text) if s.lower() not in shared]
        text = " ".join(own).strip()
        if text:
            yield replace(request, text=text)
