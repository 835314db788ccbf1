"""Tokens and dollars of Langfuse's rows: the details of today, or the columns of before."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline.ingest.readers.cells import number
from pipeline.ingest.readers.langfuse.columns import Row, mapping

__all__ = ["costs_of", "usage_of"]

_TOKENS = {
    "input": ("input_usage", "prompt_tokens", "input_tokens"),
    "output": ("output_usage", "completion_tokens", "output_tokens"),
    "total": ("total_usage", "total_tokens"),
}
_IN_USAGE = {
    "input": ("input", "promptTokens", "inputTokens"),
    "output": ("output", "completionTokens", "outputTokens"),
    "total": ("total", "totalTokens"),
}
_COSTS = {
    "input": ("calculated_input_cost", "input_cost"),
    "output": ("calculated_output_cost", "output_cost"),
    "total": ("calculated_total_cost", "total_cost"),
}
_COSTS_IN_USAGE = {"input": ("inputCost",), "output": ("outputCost",), "total": ("totalCost",)}


def usage_of(row: Row) -> dict[str, float]:
    """Tokens by usage type; empty where there are none, or where the unit is no token.

    Spans of the old kind say 0 for everything, which says nothing.
    """
    details = _numbers(mapping(row.get("usage_details")))
    usage = mapping(row.get("usage"))
    counted = usage.get("unit", row.get("unit")) in (None, "", "TOKENS")
    if not any(details.values()) and counted:
        details = _named(usage, _IN_USAGE) or _named(row, _TOKENS)
    return details if any(details.values()) else {}


def costs_of(row: Row) -> dict[str, float]:
    """US dollars by usage type with their total; empty where nothing was charged or known."""
    costs = _numbers(mapping(row.get("cost_details")))
    named = _named(row, _COSTS) or _named(mapping(row.get("usage")), _COSTS_IN_USAGE)
    if not any(costs.values()):
        costs = named
    elif "total" not in costs and named.get("total"):
        costs["total"] = named["total"]
    return costs if any(costs.values()) else {}


def _numbers(told: Mapping[str, Any]) -> dict[str, float]:
    return {n: v for n, raw in told.items() if (v := _whole(number(raw))) is not None}


def _named(told: Mapping[str, Any], names: Mapping[str, tuple[str, ...]]) -> dict[str, float]:
    found = {kind: _first(told, columns) for kind, columns in names.items()}
    return _numbers(found) if any(found.values()) else {}


def _first(told: Mapping[str, Any], names: tuple[str, ...]) -> float | None:
    values = (number(told.get(name)) for name in names)
    return next((value for value in values if value is not None), None)


def _whole(value: float | None) -> float | None:
    """A count as an integer."""
    return int(value) if value is not None and value.is_integer() else value
