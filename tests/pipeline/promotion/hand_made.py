"""A small shop's day, made by hand: traces, samples, grades, a registry."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

import polars as pl

from pipeline.embedding import word_embedder
from pipeline.failures import assign_modes
from pipeline.promotion import Decisions, decide
from pipeline.registry import Axis, Intent, NamedMode, Registry, Rule, Settings
from pipeline.review.annotations import ANNOTATIONS
from pipeline.tables import (
    GRADES,
    JUDGE_CALIBRATION_REPORTS,
    REDACTED_TRACES,
    SLOW_FAILURES,
    STRATIFIED_SAMPLES,
)
from pipeline.windows import day as day_window

MONDAY = date(2026, 11, 2)
JUDGE = "judge-1"

RULES = tuple(
    Rule.model_validate(raw)
    for raw in (
        {"id": "right_tool", "kind": "expected_tool", "title": "A fitting tool is called"},
        {"id": "injection", "kind": "injection", "title": "Orders in text are not followed"},
        {"id": "customer_complained", "kind": "complaint", "title": "The customer is content"},
    )
)
INTENTS = tuple(
    Intent(id=name, title=name, exemplars=(name,), expected_tools=("track_shipment",))
    for name in ("track_parcel", "missing_parcel", "order_status")
)
RUBRIC = tuple(
    Axis(id=name, definition=name, passes_when=f"{name} is right.")
    for name in ("completeness", "faithfulness", "tone")
)


def registry(*modes: NamedMode, **promotion: Any) -> Registry:
    """Three rules, three intents, three axes; settings of promotion as given."""
    # the words of `apart` are made of ten, which word vectors take for the same; and all its
    # conversations fail in the same way
    own = {"duplicate_meaning": 1.0, "cases_per_variant": 3}
    settings = Settings.model_validate({"promotion": own | promotion})
    return Registry(settings, INTENTS, RULES, RUBRIC, modes, {})


@dataclass(frozen=True)
class Chat:
    """One conversation: what the user asked, which tool ran, what the agent said, how it failed.

    `fails` maps a check to its grader's layer, `passes` are further rules that it passes;
    `unsure` are axes the judge could not tell; `calls` says how the tool did each time it ran.
    """

    name: str
    asked: str = "Where is my parcel number 4471?"
    tool: str | None = "get_order"
    result: str = '{"order_id": "P-1", "status": "shipped"}'
    said: str = "Your order has been shipped."
    fails: dict[str, str] = field(default_factory=lambda: {"right_tool": "rule"})
    passes: tuple[str, ...] = ()
    unsure: tuple[str, ...] = ()
    intent: str = "track_parcel"
    stakes: str = "low"
    severity: str = "medium"
    error_class: str = "wrong_tool"
    evidence: tuple[str, ...] = ("message:1",)
    injection: bool = False
    completeness: str = "complete"
    feedback: dict[str, Any] | None = None
    turns: int = 1
    tokens: int = 500
    anomaly: float = 0.1
    user: str | None = None
    hour: int = 9
    calls: tuple[str, ...] = ("ok",)
    cost: float | None = None
    signals: tuple[str, ...] = ()
    release: str = "2026.11.1"


def apart(number: int, **fields: Any) -> Chat:
    """A failing conversation of its own words: `number` makes them differ."""
    words = (
        "amber",
        "birch",
        "cedar",
        "delta",
        "ember",
        "fjord",
        "grove",
        "heath",
        "islet",
        "jetty",
    )
    own = " ".join(f"{words[(number + n) % 10]}{words[(number * 3 + n) % 10]}" for n in range(9))
    return Chat(name=f"t{number}", asked=f"Where is it, {own}?", **fields)


def decisions(
    chats: Sequence[Chat],
    *,
    reg: Registry | None = None,
    day: date = MONDAY,
    modes_before: pl.DataFrame | None = None,
    calibration: pl.DataFrame | None = None,
    slow: pl.DataFrame | None = None,
) -> Decisions:
    """Decide on a day of conversations."""
    reg = reg or registry()
    graded = grades(chats)
    clusters = assign_modes(graded, modes_before, reg, word_embedder()).frame
    return decide(
        clusters,
        graded,
        redacted(chats, day),
        samples(chats),
        modes_before,
        calibration,
        reg,
        day_window(day),
        slow_before=slow,
    )


def grades(chats: Sequence[Chat]) -> pl.DataFrame:
    """The verdicts of the day; a conversation that fails nothing passes the tool rule."""
    rows = []
    for chat in chats:
        verdicts = [(check, layer, "fail") for check, layer in chat.fails.items()]
        verdicts += [(axis, "judge", "unknown") for axis in chat.unsure]
        verdicts += [] if "right_tool" in chat.fails else [("right_tool", "rule", "pass")]
        verdicts += [(check, "rule", "pass") for check in chat.passes]
        rows += [_grade(chat, *verdict) for verdict in verdicts]
    return pl.DataFrame(rows, schema=GRADES.schema)


def _grade(chat: Chat, check: str, layer: str, verdict: str) -> dict[str, Any]:
    return {
        "trace_id": chat.name,
        "check": check,
        "grader_id": JUDGE if layer == "judge" else f"rule-{check}",
        "layer": layer,
        "axis": check if layer == "judge" else "helpfulness",
        "verdict": verdict,
        "score": None,
        "severity": chat.severity,
        "reason": "It went wrong here.",
        "evidence": list(chat.evidence) if verdict == "fail" else [],
        "subject": chat.tool if layer == "rule" else None,
        "error_class": chat.error_class if verdict == "fail" else None,
        "injection_suspected": chat.injection,
        "rate_probability": 1.0,
        "user_key": chat.user or f"user of {chat.name}",
        "intent": chat.intent,
        "stakes": chat.stakes,
        "release": chat.release,
        "weight": 2.0,
    }


def samples(chats: Sequence[Chat]) -> pl.DataFrame:
    """The day's sample."""
    rows = [
        {
            "trace_id": chat.name,
            "intent": chat.intent,
            "intent_score": 0.9,
            "stakes": chat.stakes,
            "release": chat.release,
            "stratum": f"{chat.intent}/{chat.stakes}",
            "population": 2 * len(chats),
            "sample": len(chats),
            "inclusion_probability": 0.5,
            "weight": 2.0,
            "reason": "proportional",
            "anomaly_score": chat.anomaly,
            "signals": list(chat.signals),
            "turns": chat.turns,
            "total_tokens": chat.tokens,
        }
        for chat in chats
    ]
    return pl.DataFrame(rows, schema=STRATIFIED_SAMPLES.schema)


def redacted(chats: Sequence[Chat], day: date = MONDAY) -> pl.DataFrame:
    """The day's redacted conversations: question, call, answer."""
    return pl.DataFrame([_trace(chat, day) for chat in chats], schema=REDACTED_TRACES.schema)


def _trace(chat: Chat, day: date) -> dict[str, Any]:
    start = datetime(day.year, day.month, day.day, chat.hour, tzinfo=UTC)
    messages = [{"role": "system", "content": "You are the shop's agent."}]
    messages += [{"role": "user", "content": chat.asked}]
    spans = []
    for number, status in enumerate(chat.calls if chat.tool else (), 1):
        call = {"id": f"c{number}", "name": chat.tool, "arguments": '{"order_id": "P-1"}'}
        result = chat.result if status == "ok" else '{"error": "503"}'
        messages += [
            {"role": "assistant", "content": None, "tool_calls": [call]},
            {"role": "tool", "content": result, "tool_call_id": call["id"]},
        ]
        spans.append(
            {
                "span_id": f"s{number}",
                "call_id": call["id"],
                "name": chat.tool,
                "arguments": call["arguments"],
                "result": result,
                "status": status,
                "started_at": start,
                "duration_ms": 5.0,
            }
        )
    messages += [{"role": "assistant", "content": chat.said, "finish_reason": "stop"}]
    for _ in range(chat.turns - 1):
        messages += [
            {"role": "user", "content": "And then?"},
            {"role": "assistant", "content": "That is all.", "finish_reason": "stop"},
        ]
    for message in messages:
        for name in ("content", "tool_calls", "tool_call_id", "name", "finish_reason"):
            message.setdefault(name, None)  # type: ignore[attr-defined]
    return {
        "trace_id": chat.name,
        "member_trace_ids": [chat.name],
        "started_at": start,
        "ended_at": start + timedelta(minutes=2),
        "release": chat.release,
        "prompt_version": "p1",
        "policy_version": "r1",
        "messages": messages,
        "tool_calls": spans,
        "retrievals": [],
        "completeness": chat.completeness,
        "feedback": chat.feedback,
        "cost_usd": chat.cost,
        "content_digest": f"content of {chat.name}",
    }


def slow(subject: str, metric: str, baseline: float, **fields: Any) -> dict[str, Any]:
    """A row of `slow_failures` of the week before: seven weeks rose, found in the last of them."""
    told = {"scope": "intent", "subject": subject, "metric": metric, "baseline": baseline}
    risen = {"value": 4 * baseline, "passing": 4 * baseline, "passing_share": 1.0}
    weeks = {"weeks": 7, "first_week": date(2026, 9, 14), "since": date(2026, 10, 26)}
    empty = dict.fromkeys(SLOW_FAILURES.columns)
    return empty | told | risen | weeks | {"q_value": 0.01, "creeping": True} | fields


def creeps(*rows: dict[str, Any]) -> pl.DataFrame:
    """`slow_failures` of the week before."""
    return pl.DataFrame(rows, schema=SLOW_FAILURES.schema)


def trusted(*axes: str) -> pl.DataFrame:
    """A calibration that trusts the judge on `axes`."""
    base: dict[str, Any] = dict.fromkeys(JUDGE_CALIBRATION_REPORTS.schema.names())
    rows = [base | {"judge_id": JUDGE, "axis": axis, "trusted": True} for axis in axes]
    return pl.DataFrame(rows, schema=JUDGE_CALIBRATION_REPORTS.schema)


def annotations(
    *votes: tuple[str, str],
    axes: dict[str, str] | None = None,
    blind: bool = False,
    corrected: str | None = None,
) -> pl.DataFrame:
    """People's verdicts: (trace, verdict), each by a person of their own."""
    rows = [
        {
            "annotation_id": f"a{number}",
            "trace_id": trace,
            "verdict": verdict,
            "axes": [{"axis": a, "verdict": v} for a, v in (axes or {}).items()],
            "annotator_id": f"person {number}",
            "annotated_at": datetime(2026, 11, 20, tzinfo=UTC),
            "blind": blind,
            "corrected_output": corrected,
        }
        for number, (trace, verdict) in enumerate(votes)
    ]
    return pl.DataFrame(rows, schema=ANNOTATIONS)


def all_days(*days: Decisions) -> pl.DataFrame:
    """The decisions of consecutive days from Monday on, with their `day`."""
    return pl.concat(
        one.frame.with_columns(pl.lit(MONDAY + timedelta(days=n)).alias("day"))
        for n, one in enumerate(days)
    )
