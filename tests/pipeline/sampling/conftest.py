"""Small days of raw traces, made by hand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from pipeline.registry import Registry, load_registry
from pipeline.tables import RAW_TRACES
from pipeline.windows import day

REGISTRY = Path(__file__).resolve().parents[3] / "data" / "registry"

Row = dict[str, Any]


@pytest.fixture(scope="session")
def registry() -> Registry:
    """The committed registry."""
    return load_registry(REGISTRY, day("2026-11-10"))


@pytest.fixture(scope="session")
def trace() -> Callable[..., Row]:
    """Make one row of `raw_traces` from what is said in turn, user first, and the tools called."""

    def make(trace_id: str, *said: str, tools: Sequence[str | Row] = (), **columns: Any) -> Row:
        message = dict.fromkeys(["tool_calls", "tool_call_id", "name", "finish_reason"])
        messages = [
            message | {"role": "assistant" if n % 2 else "user", "content": text}
            for n, text in enumerate(said)
        ]
        call = {"status": "ok", "arguments": "{}", "result": "{}"}
        calls = [call | ({"name": t} if isinstance(t, str) else t) for t in tools]
        row = dict.fromkeys(RAW_TRACES.columns)
        defaults = {"trace_id": trace_id, "messages": messages, "tool_calls": calls}
        return row | defaults | {"opted_out": False, "status": "ok"} | columns

    return make


@pytest.fixture(scope="session")
def frame() -> Callable[[Sequence[Row]], pl.DataFrame]:
    """Rows as a frame of `raw_traces`."""

    def make(rows: Sequence[Row]) -> pl.DataFrame:
        return pl.DataFrame(list(rows), schema=RAW_TRACES.schema)

    return make
