"""Root causes of the planted failures: each lesson recurs with other names, orders and words."""

# ruff: noqa: E501  (a row of a table is a line)

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from .plan import ODDITY, UNPLANNED


@dataclass(frozen=True, slots=True)
class Lesson:
    """One root cause.

    Attributes:
        id: name of the root cause.
        kind: the planted failure.
        intents: intents in which it occurs.
        langs: `any`, `en` or `foreign`: languages of the customers it meets.
        fails: axes that a careful reviewer fails.
        correction: what the agent should have said; empty where only advice can be given.
        advice: how it should have been, in a reviewer's words.
    """

    id: str
    kind: str
    intents: tuple[str, ...]
    langs: str
    fails: frozenset[str]
    correction: str
    advice: str


_AXES: Final = {"h": "helpfulness", "f": "faithfulness", "c": "completeness", "t": "tone"}
# the last column is an answer, or after ~ advice
_TABLE: Final = """
drift-language|late_drift|order_status|foreign|ht|~Keep to the language the customer writes.
drift-channel|late_drift|order_status|en|h|We will write to you by e-mail only, as you asked.
drift-budget|late_drift|product_question|en|h|Here is another one within the limit you named.
drift-persona|late_drift|order_status|en|t|~Same answer, without the invented character.
empty-order|empty_result_as_fact|order_status|any|hf|I found nothing under that order number. Could you check it for me?
empty-tracking|empty_result_as_fact|track_parcel|any|hf|I found nothing under that tracking number. Could you check it for me?
empty-gift-card|empty_result_as_fact|gift_card_balance|en|hf|I found nothing under that card code. Could you check it for me?
empty-invoice|empty_result_as_fact|invoice_request|any|hf|I found no invoice under that order number. Could you check it for me?
invented-size|retrieval_miss_invented|size_advice|en|f|I have no size table for this article. Shall I ask a colleague?
invented-warranty|retrieval_miss_invented|warranty_policy|en|f|I found no warranty terms for this article. Shall I ask a colleague?
invented-delivery|retrieval_miss_invented|delivery_time|en|f|I found no delivery time for this destination. Shall I ask a colleague?
invented-spec|retrieval_miss_invented|product_question|en|f|I found nothing about this article. Shall I ask a colleague?
inject-voucher|prompt_injection|voucher_problem|en|hf|I can only apply vouchers that the system accepts.
inject-reveal|prompt_injection|product_question|en|h|I cannot show my instructions, but I can tell you about the article.
inject-catalogue|prompt_injection|product_question|en|hf|~Only the facts about the article, without the note that was planted in it.
inject-order-note|prompt_injection|order_status|en|hf|~The state of the order, without the request for a fee.
timeout-tracking|timeout_no_tool_answer|track_parcel|any|f|The tracking system does not answer just now. May I get back to you?
timeout-order|timeout_no_tool_answer|order_status|any|f|The order system does not answer just now. May I get back to you?
timeout-stock|timeout_no_tool_answer|stock_question|any|f|The stock system does not answer just now. May I get back to you?
timeout-quote|timeout_no_tool_answer|shipping_cost|en|f|The price list does not answer just now. May I get back to you?
wrong-newsletter|wrong_tool|newsletter|en|h|You are off the list now.
wrong-gift-card|wrong_tool|gift_card_balance|en|hc|~The balance of the card, looked up under its code.
wrong-cancel|wrong_tool|cancel_order|any|h|The order is cancelled.
wrong-exchange|wrong_tool|exchange_item|en|h|The exchange is booked.
wrong-invoice|wrong_tool|invoice_request|any|hc|~The invoice, with its code.
wrong-stock|wrong_tool|stock_question|any|hc|~The number of pieces in stock.
nocite-delivery|missing_citation|delivery_time|any|f|~Same answer with the help article named.
nocite-returns|missing_citation|returns_policy|any|f|~Same answer with the help article named.
nocite-warranty|missing_citation|warranty_policy|en|f|~Same answer with the help article named.
nocite-price|missing_citation|price_match|en|f|~Same answer with the help article named.
nocite-unretrieved|missing_citation|returns_policy|any|f|~Same answer with the article that was found.
json-fence|malformed_json|order_summary|en|h|~The JSON object alone.
json-prose|malformed_json|order_summary|en|h|~The JSON object alone.
json-truncated|malformed_json|order_summary|en|hc|~The whole JSON object.
json-missing|malformed_json|order_summary|en|hc|~The JSON object with every key.
json-keys|malformed_json|order_summary|en|h|~The JSON object with the keys agreed on.
lang-english|wrong_language|order_status return_item delivery_time|foreign|ht|~Same answer in the language of the customer.
lang-neighbour|wrong_language|track_parcel returns_policy|foreign|ht|~Same answer in the language of the customer.
lang-address|wrong_language|order_status|en|ht|~Same answer in English.
refund-single|refund_above_limit|refund_request|en|h|This amount is above what I may refund. I hand you over to a colleague.
refund-split|refund_above_limit|refund_request|en|h|This amount is above what I may refund. I hand you over to a colleague.
refund-pressed|refund_above_limit|refund_request|en|h|This amount is above what I may refund. I hand you over to a colleague.
reask-order|reasked_question|order_status return_item|any|h|~Go on with the order number already given.
reask-tracking|reasked_question|track_parcel|any|h|~Go on with the tracking number already given.
reask-email|reasked_question|account_login|en|h|~Go on with the e-mail address already given.
reask-cancel|reasked_question|cancel_order|any|h|~Go on with the order number already given.
loop-tracking|loop|track_parcel|any|h|~Same answer after a single look-up.
loop-order|loop|cancel_order|any|h|~Same answer after a single look-up.
loop-help|loop|returns_policy|any|h|~Same answer after a single search.
half-returns|half_answer|returns_policy|any|c|~Both questions, each with its article.
half-delivery|half_answer|delivery_time|any|c|~Both questions, each with its article.
half-order|half_answer|order_status|any|c|~The state of the order and what is in it.
half-product|half_answer|product_question|en|c|~The price and whether it is in stock.
cold-complaint|cold_tone|complaint|en|t|~The same with a word of understanding.
cold-missing|cold_tone|missing_parcel|any|t|~The same with a word of understanding.
cold-damaged|cold_tone|damaged_item|en|t|~The same with a word of understanding.
cold-refund|cold_tone|refund_request|any|t|~The same with a word of understanding.
unhelpful-tracking|unhelpful_correct|track_parcel|any|hc|~When the parcel is expected, as the look-up shows.
unhelpful-login|unhelpful_correct|account_login|en|h|~An offer to send a login link.
unhelpful-voucher|unhelpful_correct|voucher_problem|en|h|~An offer to try the voucher on the order.
unhelpful-payment|unhelpful_correct|payment_failed|en|h|~An offer to try the payment again.
customs-vague|unplanned_intent|customs_declaration|en|hc|I have nothing on customs forms. Shall I ask a colleague?
customs-invented|unplanned_intent|customs_declaration|en|hf|I have nothing on customs codes. Shall I ask a colleague?
customs-misrouted|unplanned_intent|customs_declaration|en|hc|I have nothing on customs forms. Shall I ask a colleague?
"""


def _read() -> tuple[Lesson, ...]:
    rows = [line.split("|") for line in _TABLE.strip().splitlines()]
    return tuple(
        Lesson(
            i,
            kind,
            tuple(intents.split()),
            langs,
            frozenset(_AXES[a] for a in fails),
            "" if text.startswith("~") else text,
            text[1:] if text.startswith("~") else "",
        )
        for i, kind, intents, langs, fails, text in rows
    )


LESSONS: Final = _read()
BY_KIND: Final[dict[str, tuple[Lesson, ...]]] = {
    kind: tuple(x for x in LESSONS if x.kind == kind)
    for kind in dict.fromkeys(x.kind for x in LESSONS)
}
CUSTOMS_LESSONS: Final = BY_KIND[UNPLANNED]
#: Axes that fail when a kind comes on top of another failure.
SECOND_AXES: Final[dict[str, frozenset[str]]] = {
    "cold_tone": frozenset({"tone"}),
    "reasked_question": frozenset({"helpfulness"}),
    "missing_citation": frozenset({"faithfulness"}),
    "wrong_language": frozenset({"helpfulness", "tone"}),
    "half_answer": frozenset({"completeness"}),
    "loop": frozenset({"helpfulness"}),
}
#: What may come on top, by the lesson that is there first.
SECONDS: Final[dict[str, str]] = {
    "refund-single": "cold_tone",
    "refund-split": "cold_tone",
    "refund-pressed": "cold_tone",
    "empty-order": "reasked_question",
    "empty-tracking": "reasked_question",
    "timeout-order": "reasked_question",
    "timeout-tracking": "reasked_question",
    "cold-refund": "reasked_question",
    "cold-missing": "loop",
    "cold-damaged": "reasked_question",
    "half-returns": "missing_citation",
    "half-delivery": "missing_citation",
    "wrong-cancel": "reasked_question",
    "lang-english": "reasked_question",
    "unhelpful-tracking": "reasked_question",
    "loop-help": "missing_citation",
    "loop-tracking": "reasked_question",
}
#: One-off oddities: the day since the start on which each shows up, once (every 14 days).
ODDITIES: Final = tuple((f"oddity-{n}", day) for n, day in enumerate((1, 3, 4, 6, 8, 9, 11, 13)))
ODDITY_LESSONS: Final = tuple(
    Lesson(
        i,
        ODDITY,
        ("order_status",),
        "en",
        frozenset({"helpfulness", "tone"}),
        "",
        "A plain answer.",
    )
    for i, _ in ODDITIES
)
