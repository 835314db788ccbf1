"""Files landed the way users land them, and what of them stands in `raw_traces`."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from pipeline.datadir import DataDir
from pipeline.ingest import assemble_day
from pipeline.ingest.index.known import landed_files
from pipeline.ingest.landing import land
from pipeline.registry import load_registry
from pipeline.windows import day

GIVEN = date(2026, 11, 10)
"""The day given to files whose records carry no time, or lie before all partitions."""

_LETTERS = {"system": "s", "user": "u", "assistant": "a", "tool": "t", "other": "o"}


@dataclass(frozen=True)
class Recovered:
    """What came of the files: rows of `raw_traces`, and the reasons of what was quarantined."""

    traces: list[dict[str, Any]]
    reasons: list[str]

    @property
    def only(self) -> dict[str, Any]:
        """The one trace."""
        (trace,) = self.traces
        return trace


def recover(root: Path, files: Iterable[Path]) -> Recovered:
    """Land files with a day, and assemble every day that the index names.

    The accounting of each day must hold, and no trace may stand in two of them.
    """
    place = DataDir(root / "data")
    land(place, files, GIVEN)
    known = landed_files(place, 64 * 2**20)
    traces: list[dict[str, Any]] = []
    reasons: list[str] = []
    for key in sorted({k for file in known for k in (*file.days, file.fallback_day)}):
        window = day(key)
        registry = load_registry(place.registry, window)
        with assemble_day(place, window, registry, b"k" * 32) as assembly:
            assembly.counts.check("corpora")
            traces += assembly.traces.to_dicts()
            reasons += assembly.quarantined["reason"].to_list()
    assert len({trace["trace_id"] for trace in traces}) == len(traces)
    return Recovered(traces, sorted(reasons))


def roles(trace: dict[str, Any]) -> str:
    """The roles of its messages in their order, by their first letters."""
    return "".join(_LETTERS[message["role"]] for message in trace["messages"])


def said(trace: dict[str, Any], role: str) -> list[str]:
    """What one role says."""
    return [m["content"] or "" for m in trace["messages"] if m["role"] == role]


def tokens(trace: dict[str, Any]) -> tuple[int | None, int | None]:
    return trace["input_tokens"], trace["output_tokens"]


def calls(trace: dict[str, Any]) -> list[tuple[str, Any, Any]]:
    """Name, arguments and result of its tool calls, JSON opened."""
    return [(c["name"], opened(c["arguments"]), opened(c["result"])) for c in trace["tool_calls"]]


def assert_told_once(trace: dict[str, Any]) -> None:
    """No message is there twice, nor a call, and every result answers one that is shown."""
    turns = [
        (m["role"], m["content"], m["tool_call_id"], *(c["id"] for c in m["tool_calls"] or ()))
        for m in trace["messages"]
    ]
    assert len(set(turns)) == len(turns)
    shown = [c["id"] for m in trace["messages"] for c in m["tool_calls"] or () if c["id"]]
    assert len(set(shown)) == len(shown)
    answered = [m["tool_call_id"] for m in trace["messages"] if m["tool_call_id"]]
    assert set(answered) <= set(shown)


def opened(value: Any) -> Any:
    """A text as the value it holds: JSON, or an object as Python writes it."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return ast.literal_eval(value) if value.startswith("{'") else value


def read_json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))
