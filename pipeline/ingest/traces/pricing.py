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
    model, heard, said = content.model, content.input_tokens, content.output_tokens
    if model is None or (heard is None and said is None):
        return None
    rates = _rates(model, content.provider)
    if rates is None:
        return None
    rate_in, rate_cached, rate_out = rates
    heard = heard or 0
    cached = min(content.cached_tokens or 0, heard)
    return float((heard - cached) * rate_in + cached * rate_cached + (said or 0) * rate_out)


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
def _rates(model: str, provider: str | None) -> tuple[float, float, float] | None:
    """USD a token read, read from a cache, written: of a model's own name or its provider's."""
    names = [model, f"{provider}/{model}", model.rpartition("/")[2]]
    found = (_prices().get(name) for name in names)
    entry = next((e for e in found if e and e.get("input_cost_per_token") is not None), None)
    if entry is None:
        return None
    rate_in, rate_cached = entry["input_cost_per_token"], entry.get("cache_read_input_token_cost")
    rate_out = entry.get("output_cost_per_token") or 0
    return rate_in, rate_in if rate_cached is None else rate_cached, rate_out


@cache
def _prices() -> dict[str, dict[str, Any]]:
    spec = find_spec("litellm")
    folders = (spec.submodule_search_locations if spec else None) or []
    path = next((p for folder in folders if (p := Path(folder) / _TABLE).exists()), None)
    table: dict[str, dict[str, Any]] = orjson.loads(path.read_bytes()) if path else {}
    return table
