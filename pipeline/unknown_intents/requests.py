"""What users came with in one week: cleaned openings, with the chance that each was looked at."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
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
_NAME = re.compile(r"(?<=[^.!?\s] )[A-Z]\w+(?: [A-Z]\w+)+")  # of several words, within a sentence
_LETTERS = re.compile(r"[^\W\d_]+")
_SPREAD, _SHARE = 8, 0.3  # intents, and share of all, from which a sentence is boilerplate
_SAID, _AMONG, _ALONE = 5, 4, 0.05  # requests, intents, share alone: what is only ever added


@dataclass(frozen=True)
class Request:
    """One conversation of the week: `text` is what its user came with, redacted and cleaned.

    `user` is the hashed user, else the session, else the trace; `intent` and `evidence` are what
    sampling found, `probability` is its chance of being looked at, `tools` names those called.
    """

    trace_id: str
    day: date
    user: str
    intent: str
    evidence: float
    probability: float
    text: str
    tools: frozenset[str]


def read_requests(redacted: pl.DataFrame, samples: pl.DataFrame) -> list[Request]:
    """Read a week's conversations in the order of their ids; those without words are left out.

    Surrogates, numbers and names of several words are dropped, and so are sentences that requests
    of many intents share: greetings and templates bring together what does not belong together.
    So are those that several intents share and hardly anyone says alone ("my number is ..."): they
    come with a request and are none. A request of nothing else keeps its words.

    Args:
        redacted: `redacted_traces` of the days, with their `day`.
        samples: `stratified_samples` of the days, with their `day`.
    """
    rows = redacted.select(
        "trace_id", "day", "user_key", "session_id", "messages", "tool_calls"
    ).join(
        samples.select("trace_id", "day", "intent", "intent_score", "inclusion_probability"),
        on=["trace_id", "day"],
    )
    keep = min(1.0, _MOST / max(rows.height, 1))
    found = [
        _request(row, keep)
        for row in rows.sort("trace_id").iter_rows(named=True)
        if keep == 1.0 or unit_interval("request", row["trace_id"]) < keep
    ]
    return list(_without_boilerplate(found))


def _request(row: Mapping[str, Any], keep: float) -> Request:
    messages = row["messages"] or []
    said = [m["content"] for m in messages if m["role"] == "user" and m["content"]]
    return Request(
        trace_id=row["trace_id"],
        day=row["day"],
        user=row["user_key"] or row["session_id"] or row["trace_id"],
        intent=row["intent"],
        evidence=row["intent_score"],
        probability=row["inclusion_probability"] * keep,
        text=_clean(opening(said)),
        tools=frozenset(call["name"] for call in row["tool_calls"] or []),
    )


def _clean(text: str) -> str:
    without = _NAME.sub(" ", _NUMBER.sub(" ", SURROGATE.sub(" ", text)))
    return " ".join(without.split())


def _without_boilerplate(requests: list[Request]) -> Iterator[Request]:
    shared = _boilerplate(requests)
    for request in requests:
        own = [part for part in _SENTENCE.split(request.text) if _key(part) not in shared]
        text = " ".join(own).strip()
        text = text if _key(text) else request.text
        if _key(text):
            yield replace(request, text=text)


def _boilerplate(requests: list[Request]) -> set[str]:
    intents: dict[str, Counter[str]] = defaultdict(Counter)
    alone: Counter[str] = Counter()
    for request in requests:
        keys = {key for part in _SENTENCE.split(request.text) if (key := _key(part))}
        alone.update(keys if len(keys) == 1 else ())
        for key in keys:
            intents[key][request.intent] += 1
    many = max(_SPREAD, _SHARE * len({request.intent for request in requests}))
    return {
        key for key, among in intents.items() if len(among) >= many or _is_added(among, alone[key])
    }


def _is_added(among: Counter[str], alone: int) -> bool:
    said = among.total()
    spread = len(among) >= _AMONG and max(among.values()) <= said / 2
    return said >= _SAID and spread and alone <= _ALONE * said


def _key(sentence: str) -> str:
    """The words of a sentence, whatever its case and points."""
    return " ".join(_LETTERS.findall(sentence.lower()))
