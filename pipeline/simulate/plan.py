"""What the simulated traffic is made of: every rate, weight and date of a change, in one place.

The rates are the truth that the pipeline's findings are measured against. Nothing outside this
package reads them, so no detector can be tuned on them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

Phrases = Literal["tuned", "held_out"]
Channel = Literal["web", "app", "api"]
Stakes = Literal["low", "medium", "high"]

#: Share of all conversations whose first planted failure is this kind, under release 2.3.4.
FAILURE_RATES: Final[dict[str, float]] = {
    "late_drift": 0.009,
    "empty_result_as_fact": 0.013,
    "retrieval_miss_invented": 0.012,
    "prompt_injection": 0.010,
    "timeout_no_tool_answer": 0.013,
    "wrong_tool": 0.014,
    "missing_citation": 0.016,
    "malformed_json": 0.010,
    "wrong_language": 0.012,
    "refund_above_limit": 0.009,
    "reasked_question": 0.013,
    "loop": 0.011,
    "half_answer": 0.014,
    "cold_tone": 0.012,
    "unhelpful_correct": 0.012,
}
UNPLANNED: Final = "unplanned_intent"
ODDITY: Final = "oddity"
#: Every kind that `failure_kinds` can name; an oddity is always a one-off.
KINDS: Final = (*FAILURE_RATES, UNPLANNED, ODDITY)

#: Share of customs conversations by day since the start (none before day 7, the last one stays).
CUSTOMS_RAMP: Final = (0.0,) * 7 + (0.012, 0.017, 0.022, 0.027, 0.032, 0.036, 0.040)
CUSTOMS_FAILING: Final = 0.7
#: Chance that a conversation with one failure carries a second, where the script allows one.
SECOND_FAILURE: Final = 0.35

#: What a release changed: the kind's rate is multiplied by this.
RELEASE_EFFECTS: Final[dict[str, dict[str, float]]] = {
    "2.3.4": {},
    "2.4.0": {
        "missing_citation": 1.5,
        "cold_tone": 1.6,
        "timeout_no_tool_answer": 1.3,
        "loop": 0.5,
        "reasked_question": 0.6,
    },
    "2.5.0": {
        "missing_citation": 0.4,
        "cold_tone": 0.5,
        "retrieval_miss_invented": 0.7,
        "wrong_language": 1.8,
        "wrong_tool": 1.4,
        "half_answer": 1.4,
    },
    "2.6.0": {
        "missing_citation": 0.0,
        "loop": 0.0,
        "cold_tone": 0.5,
        "retrieval_miss_invented": 0.7,
        "wrong_language": 1.8,
        "wrong_tool": 1.4,
        "half_answer": 1.4,
    },
    "2.7.0": {
        "missing_citation": 0.0,
        "loop": 0.0,
        "cold_tone": 0.5,
        "retrieval_miss_invented": 0.7,
        "wrong_language": 0.0,
        "wrong_tool": 1.4,
        "half_answer": 1.4,
    },
    "2.8.0": {
        "missing_citation": 0.0,
        "loop": 2.0,
        "cold_tone": 0.5,
        "retrieval_miss_invented": 0.7,
        "wrong_language": 0.0,
        "wrong_tool": 1.4,
        "half_answer": 1.4,
    },
}


@dataclass(frozen=True, slots=True)
class Fix:
    """What a release says of itself: that a kind is gone. `holds` is whether that is so."""

    kind: str
    release: str
    holds: bool


FIXES: Final = (
    Fix("missing_citation", "2.6.0", holds=True),
    Fix("loop", "2.6.0", holds=True),
    Fix("wrong_language", "2.7.0", holds=True),
    Fix("reasked_question", "2.7.0", holds=False),
)
#: Kinds that a later release brought back.
REGRESSIONS: Final[dict[str, str]] = {"loop": "2.8.0"}

#: A slow failure: the look-ups of this intent fail once before they answer, a little more often
#: every day from the first one on, and every conversation still ends well.
CREEPING: Final = "return_item"
CREEP_FROM, CREEP_PER_DAY = 14, 0.01


def creep(intent: str, day: int) -> float:
    """Chance, beside the usual one, that a look-up has to be made twice on this day."""
    return CREEP_PER_DAY * max(0, day - CREEP_FROM) if intent == CREEPING else 0.0


@dataclass(frozen=True, slots=True)
class Release:
    """One release of the agent and the moment it went live, in days and hours since the start."""

    version: str
    day: int
    hour: int
    prompt_version: str
    policy_version: str
    model: str
    answering_model: str
    usd_per_million: tuple[float, float, float]
    """Input, cached input and output tokens."""


RELEASES: Final = (
    Release("2.3.4", 0, 0, "support-41", "2026-09", "gpt-4.1-mini",
            "gpt-4.1-mini-2025-04-14", (0.40, 0.10, 1.60)),
    Release("2.4.0", 2, 13, "support-44", "2026-09", "gpt-4.1-mini",
            "gpt-4.1-mini-2025-04-14", (0.40, 0.10, 1.60)),
    Release("2.5.0", 10, 9, "support-45", "2026-11", "gpt-4.1",
            "gpt-4.1-2025-04-14", (2.00, 0.50, 8.00)),
    Release("2.6.0", 17, 10, "support-46", "2026-11", "gpt-4.1",
            "gpt-4.1-2025-04-14", (2.00, 0.50, 8.00)),
    Release("2.7.0", 28, 9, "support-47", "2026-11", "gpt-4.1",
            "gpt-4.1-2025-04-14", (2.00, 0.50, 8.00)),
    Release("2.8.0", 39, 11, "support-48", "2026-12", "gpt-4.1",
            "gpt-4.1-2025-04-14", (2.00, 0.50, 8.00)),
)  # fmt: skip


def release_at(day: int, hour: int) -> Release:
    """The release that is live at an hour (UTC) of a day since the start."""
    return [r for r in RELEASES if (r.day, r.hour) <= (day, hour)][-1]


#: Intents from frequent to rare, with their stakes; the weights fall like Zipf's law.
STAKES: Final[dict[str, Stakes]] = {
    "track_parcel": "low",
    "order_status": "low",
    "return_item": "medium",
    "delivery_time": "low",
    "refund_request": "high",
    "missing_parcel": "high",
    "returns_policy": "medium",
    "cancel_order": "medium",
    "order_summary": "low",
    "stock_question": "low",
    "product_question": "low",
    "change_address": "medium",
    "damaged_item": "high",
    "voucher_problem": "medium",
    "payment_failed": "high",
    "invoice_request": "low",
    "exchange_item": "medium",
    "size_advice": "low",
    "shipping_cost": "low",
    "account_login": "medium",
    "warranty_policy": "medium",
    "complaint": "high",
    "gift_card_balance": "low",
    "price_match": "low",
    "newsletter": "low",
    "data_export": "high",
    "customs_declaration": "medium",
}
CUSTOMS: Final = "customs_declaration"
PLANNED_INTENTS: Final = tuple(i for i in STAKES if i != CUSTOMS)
INTENT_WEIGHTS: Final = tuple((rank + 1.5) ** -0.9 for rank in range(len(PLANNED_INTENTS)))

#: Intents whose conversations exist in all five languages; the others are English only.
MULTILINGUAL: Final = frozenset(
    {
        "track_parcel", "order_status", "return_item", "delivery_time", "refund_request",
        "missing_parcel", "returns_policy", "cancel_order", "stock_question", "invoice_request",
    }
)  # fmt: skip
LANGUAGES: Final = ("en", "de", "fr", "es", "it")
FOREIGN_WEIGHTS: Final[dict[str, float]] = {"de": 0.4, "fr": 0.25, "es": 0.2, "it": 0.15}
#: Share of other languages among the conversations that can be in any.
FOREIGN_SHARE: Final = 0.28
#: Number of customers by language; few enough that many come back.
PEOPLE: Final[dict[str, int]] = {"en": 620, "de": 110, "fr": 80, "es": 60, "it": 50}
#: Customers (language, number) who opted out of having their conversations used.
OPTED_OUT: Final = frozenset({("en", 5), ("de", 2)})

APP_SHARE: Final = 0.38
WEEKDAY_FACTOR: Final = (1.14, 1.06, 1.02, 1.0, 0.96, 0.88, 0.94)
#: Relative number of conversations that start in each hour, UTC.
HOUR_WEIGHTS: Final = (
    8, 5, 4, 3, 4, 7, 14, 26, 42, 55, 60, 58, 54, 56, 60, 58, 55, 54, 60, 66, 62, 48, 30, 16,
)  # fmt: skip

#: Reviewers: share of conversations drawn, share of those judged twice, noise of each axis.
REVIEW_SHARE: Final = 0.25
SECOND_REVIEW_SHARE: Final = 0.3
AXIS_NOISE: Final = 0.05
AXES: Final = ("helpfulness", "faithfulness", "completeness", "tone")

#: Feedback from the customer: chance of (positive, negative) after a failure and without one.
FEEDBACK_FAILED: Final = (0.05, 0.24)
FEEDBACK_CLEAN: Final = (0.14, 0.03)
