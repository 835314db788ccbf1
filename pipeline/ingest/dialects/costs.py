"""What a span says it cost."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline.ingest.content import loads
from pipeline.ingest.dialects.aliases import COST, COST_PARTS
from pipeline.ingest.dialects.lookup import amount, first_amount

__all__ = ["cost_of"]


def cost_of(values: Mapping[str, Any]) -> float | None:
    """US dollars that the span says it cost: a total, or the sum of its parts."""
    total = first_amount(values, COST)
    if total is not None:
        return total
    details = loads(values.get("langfuse.observation.cost_details"))
    if isinstance(details, Mapping) and (cost := _sum_or_total(details, "total")) is not None:
        return cost
    for names in COST_PARTS:
        parts = [part for name in names if (part := amount(values.get(name))) is not None]
        if parts:
            return sum(parts)
    for name in ("mlflow.llm.cost", "langsmith.usage_metadata"):
        told = loads(values.get(name))
        if isinstance(told, Mapping) and (cost := amount(told.get("total_cost"))) is not None:
            return cost
    return None


def _sum_or_total(details: Mapping[str, Any], total: str) -> float | None:
    stated = amount(details.get(total))
    if stated is not None:
        return stated
    parts = [part for raw in details.values() if (part := amount(raw)) is not None]
    return sum(parts) if parts else None
