"""What sampling needs of a trace, taken out of its nested columns once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl
import re2

__all__ = ["Conversation", "read_conversations"]

_COLUMNS = (
    "trace_id", "release", "opted_out", "messages", "tool_calls", "input_tokens", "output_tokens",
    "status", "feedback",
)  # fmt: skip
_FAILED = {"error", "timeout"}
_NUMBER = r"(\d[\d.,]{0,14})"
_CURRENCY = r"(?:€|\$|£|\beur\b|\beuros?\b|\busd\b|\bdollars?\b|\bgbp\b|\bpounds?\b)"
_MONEY = re2.compile(f"(?i){_CURRENCY} ?{_NUMBER}|{_NUMBER} ?{_CURRENCY}")
_SUM_FIELD = re2.compile(r'"(?:amount|total)" ?: ?"?(\d+(?:\.\d+)?)')


@dataclass(frozen=True, slots=True)
class Conversation:
    """One trace, reduced to what strata and signals are made of; holds raw text, never stored."""

    trace_id: str
    release: str | None
    opted_out: bool
    user: tuple[str, ...]
    assistant: tuple[str, ...]
    tools: tuple[str, ...]
    failed: bool
    largest_amount: float
    total_tokens: int | None
    escalated: bool
    feedback: tuple[tuple[str, float | None, str], ...]
    corrected: bool


def read_conversations(traces: pl.DataFrame) -> list[Conversation]:
    """Read the rows of `raw_traces` in the order of their ids."""
    rows = traces.select(_COLUMNS).sort("trace_id").iter_rows(named=True)
    return [_conversation(row) for row in rows]


def _conversation(row: Mapping[str, Any]) -> Conversation:
    messages, calls = row["messages"] or [], row["tool_calls"] or []
    feedback = row["feedback"] or {}
    user = tuple(_said(messages, "user"))
    tools = [call["name"] for call in calls] or [
        call["name"] for message in messages for call in message["tool_calls"] or []
    ]
    tokens = [row[name] for name in ("input_tokens", "output_tokens") if row[name] is not None]
    return Conversation(
        trace_id=row["trace_id"],
        release=row["release"],
        opted_out=bool(row["opted_out"]),
        user=user,
        assistant=tuple(_said(messages, "assistant")),
        tools=tuple(name for name in tools if name),
        failed=row["status"] == "error" or any(call["status"] in _FAILED for call in calls),
        largest_amount=max((0.0, *_amounts(user, calls))),
        total_tokens=sum(tokens) if tokens else None,
        escalated=bool(feedback.get("escalated")),
        feedback=tuple(
            ((score["name"] or "").lower(), score["value"], (score["label"] or "").lower())
            for score in feedback.get("scores") or []
            if score["source"] in ("user", "human")  # what people say, not models or code
        ),
        corrected=feedback.get("correction") is not None,
    )


def _said(messages: Sequence[Mapping[str, Any]], role: str) -> Iterator[str]:
    return (m["content"] for m in messages if m["role"] == role and m["content"])


def _amounts(user: Sequence[str], calls: Sequence[Mapping[str, Any]]) -> Iterator[float]:
    """Sums of money: what the user writes with a currency, `amount` and `total` of tools."""
    for text in user:
        for before, after in _MONEY.findall(text):
            yield _decimal(before or after)
    for call in calls:
        for field in ("arguments", "result"):
            for number in _SUM_FIELD.findall(call[field] or ""):
                yield float(number)


def _decimal(number: str) -> float:
    """Read "1,299.00", "1.299,00" and "49,9": the last mark is decimal unless 3 digits follow."""
    digits = number.rstrip(".,")
    mark = max(digits.rfind("."), digits.rfind(","))
    whole, cents = (digits, "") if mark < 0 else (digits[:mark], digits[mark + 1 :])
    if len(cents) == 3:
        whole, cents = whole + cents, ""
    return float(f"{whole.replace('.', '').replace(',', '') or '0'}.{cents or '0'}")
