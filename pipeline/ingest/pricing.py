"""What a model call cost, by the price table that ships with litellm."""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import orjson
from msgspec.structs import replace

from pipeline.ingest.records import Content, Trace

__all__ = ["price", "priced"]

_TABLE = "model_prices_and_context_window_backup.json"


def price(content: Content) -> float | None:
    """The price of a call in USD; None where model or tokens are unknown.

    Cached tokens cost what the table says of them, else what input costs. Source: litellm's
    table of the installed version, USD a token; it is read without importing litellm.
    """
    if content.model is None or (content.input_tokens is None and content.output_tokens is None):
        return None
    entry = _entry(content.model, content.provider)
    if entry is None:
        return None
    heard, said = content.input_tokens or 0, content.output_tokens or 0
    cached = min(content.cached_tokens or 0, heard)
    rate_in, rate_out = entry["input_cost_per_token"], entry.get("output_cost_per_token") or 0
    rate_cached = entry.get("cache_read_input_token_cost")
    rate_cached = rate_in if rate_cached is None else rate_cached
    return float((heard - cached) * rate_in + cached * rate_cached + said * rate_out)


def priced(trace: Trace) -> Trace:
    """A whole conversation with a price, where it states tokens and one model but no cost."""
    if trace.cost_usd is not None or len(trace.models) != 1:
        return trace
    (model,) = trace.models
    told = Content(
        "llm",
        model=model,
        input_tokens=trace.input_tokens,
        output_tokens=trace.output_tokens,
    )
    cost = price(told)
    return (
        trace
        if cost is None
        else replace(trace, cost_usd=cost, flags=trace.flags | {"cost_priced"})
    )


@cache
def _entry(model: str, provider: str | None) -> dict[str, Any] | None:
    """The table's line for a model, under its own name or with its provider before it."""
    names = [model, f"{provider}/{model}", model.rpartition("/")[2]]
    found = (_prices().get(name) for name in names)
    return next((e for e in found if e and e.get("input_cost_per_token") is not None), None)


@cache
def _prices() -> dict[str, dict[str, Any]]:
    spec = find_spec("litellm")
    folders = (spec.submodule_search_locations if spec else None) or []
    path = next((p for folder in folders if (p := Path(folder) / _TABLE).exists()), None)
    table: dict[str, dict[str, Any]] = orjson.loads(path.read_bytes()) if path else {}
    return table
