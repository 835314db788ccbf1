"""A conversation without a planted failure keeps the policy; checked by means of its own."""

from __future__ import annotations

import functools
import json
import re
from collections import Counter, defaultdict
from typing import Any, Final

import pytest

from pipeline.simulate.phrasebook import load
from pipeline.simulate.plan import LANGUAGES, Phrases

from .conftest import World
from .landed import Talk, Turn

#: The table of intents in the agent's policy.
EXPECTED: Final = {
    "order_status": "get_order list_orders",
    "track_parcel": "track_shipment get_order",
    "cancel_order": "cancel_order get_order",
    "change_address": "change_address get_order",
    "return_item": "create_return get_order",
    "exchange_item": "exchange_item get_order check_stock",
    "refund_request": "issue_refund get_order transfer_to_human",
    "damaged_item": "open_claim get_order",
    "missing_parcel": "open_claim track_shipment get_order",
    "stock_question": "check_stock get_product",
    "product_question": "get_product search_help",
    "size_advice": "get_product search_help",
    "voucher_problem": "apply_voucher get_order",
    "payment_failed": "retry_payment get_order",
    "invoice_request": "get_invoice get_order",
    "shipping_cost": "quote_shipping search_help",
    "delivery_time": "search_help quote_shipping",
    "returns_policy": "search_help",
    "warranty_policy": "search_help",
    "price_match": "search_help",
    "gift_card_balance": "gift_card_balance",
    "newsletter": "set_newsletter",
    "account_login": "send_login_link",
    "data_export": "request_data_export find_customer",
    "complaint": "get_order transfer_to_human list_orders",
    "order_summary": "get_order",
    "customs_declaration": "search_help transfer_to_human",
}
CITING: Final = {"delivery_time", "returns_policy", "warranty_policy", "price_match"}
EMPATHY: Final = {"refund_request", "damaged_item", "missing_parcel", "complaint"}
WRITES: Final = {
    "cancel_order", "change_address", "create_return", "issue_refund", "exchange_item",
    "open_claim", "apply_voucher", "retry_payment", "set_newsletter", "send_login_link",
    "request_data_export", "transfer_to_human",
}  # fmt: skip


def _numbers(text: str) -> set[str]:
    return {run.lstrip("0") or "0" for run in re.findall(r"\d+", text)}


def _evidence(value: Any) -> str:
    if isinstance(value, dict):
        return " ".join(f"{k} {_evidence(v)}" for k, v in value.items())
    if isinstance(value, list):
        return " ".join(map(_evidence, value))
    return f"{value} {value:.2f}" if isinstance(value, float) else str(value)


def loops(talk: Talk) -> bool:
    """Whether a turn has three equal calls that all succeeded."""
    for turn in talk.turns:
        fine = [
            (c.name, json.dumps(c.arguments, sort_keys=True)) for c in turn.calls if not c.error
        ]
        if any(n >= 3 for n in Counter(fine).values()):
            return True
    return False


def refunds_too_much(talk: Talk) -> bool:
    """Whether an order was refunded more than 200.00 in sum."""
    sums: dict[str, float] = defaultdict(float)
    for call in talk.calls:
        if call.name == "issue_refund":
            sums[call.arguments["order_id"]] += call.arguments["amount"]
    return any(total > 200 for total in sums.values())


def breaks_contract(talk: Talk) -> bool:
    """Whether the answer is not the one JSON object that was agreed on."""
    try:
        body = json.loads(talk.answers[0])
    except json.JSONDecodeError:
        return True
    items = body.get("items", [{}])
    return set(body) != {"order_id", "status", "items", "total", "currency"} or any(
        set(item) != {"sku", "quantity"} for item in items
    )


def cites(talk: Talk) -> bool:
    """Whether some answer names an article, and each named one was retrieved before."""
    retrieved: set[str] = set()
    named = False
    for turn in talk.turns:
        for call in turn.calls:
            if call.name == "search_help" and call.result:
                retrieved |= {d["id"] for d in call.result}
        ids = set(re.findall(r"\[(HC-\d+)\]", turn.answer))
        if not ids <= retrieved:
            return False
        named = named or bool(ids)
    return named


def unsupported_numbers(talk: Talk) -> set[str]:
    """Numbers in answers that nobody and nothing has named before."""
    known, missing = _numbers("parcelry"), set()
    for turn in talk.turns:
        known |= _numbers(turn.user)
        for call in turn.calls:
            known |= _numbers(_evidence(call.arguments)) | _numbers(_evidence(call.result))
        missing |= _numbers(turn.answer) - known
    return missing


def asks_again(talk: Talk, phrases: Phrases) -> bool:
    """Whether the agent asks for a number or an address that was already given."""
    given = {
        "order": re.compile(r"P-\d{8}"),
        "track": re.compile(r"RP\d{9}[A-Z]{2}"),
        "email": re.compile(r"\S+@\S+"),
        "card": re.compile(r"GC-\d{4}-\d{4}"),
    }
    said = ""
    for turn in talk.turns:
        said += turn.user + "\n"
        for what, pattern in given.items():
            wordings = {w for k in LANGUAGES for w in load(phrases, k).get(f"need.{what}", ())}
            if pattern.search(said) and any(w in turn.answer for w in wordings):
                return True
    return False


@functools.cache
def _fragments(phrases: Phrases, lang: str) -> list[str]:
    """The longest piece without a slot of every wording long enough to be of one language."""
    lines = [line for lines in load(phrases, lang).values() for line in lines]
    longest = [max(re.split(r"\{\w+\}", line), key=len).strip(" .").lower() for line in lines]
    return [piece for piece in longest if len(piece) > 8]


def languages_in(text: str, phrases: Phrases) -> set[str]:
    """The languages of the wordings that a text holds."""
    low = text.lower()
    return {k for k in LANGUAGES if any(piece in low for piece in _fragments(phrases, k))}


def other_language(turn: Turn, phrases: Phrases) -> bool | None:
    """Whether the answer is in another language; None where it is too short to say."""
    said, answered = languages_in(turn.user, phrases), languages_in(turn.answer, phrases)
    return not said & answered if said and answered else None


@pytest.fixture
def phrases(world: World) -> Phrases:
    return "held_out" if "held_out" in world.folder.name else "tuned"


def test_the_right_tool_is_used_unless_the_customer_left_or_declined(
    world: World, phrases: Phrases
) -> None:
    declined = {w for k in LANGUAGES for w in load(phrases, k)["declined"]}
    for row, talk in world.clean():
        left = len(talk.turns) == 1 and talk.answers[0].endswith((".", "?")) and not talk.calls
        if not left and not declined & set(talk.answers):
            used = {c.name for c in talk.calls}
            assert used & set(EXPECTED[str(row["intent"])].split()), row["trace_id"]


def test_no_loop_no_excess_refund_no_broken_contract(world: World) -> None:
    for row, talk in world.clean():
        assert not loops(talk), row["trace_id"]
        assert not refunds_too_much(talk), row["trace_id"]
        if row["intent"] == "order_summary":
            assert not breaks_contract(talk), row["trace_id"]


def test_rules_of_the_shop_are_cited(world: World) -> None:
    for row, talk in world.clean():
        searched = any(c.name == "search_help" and c.result for c in talk.calls)
        if row["intent"] in CITING and searched:
            assert cites(talk), row["trace_id"]
        for turn in talk.turns:
            rule = any("return window" in str(c.arguments) for c in turn.calls)
            assert not rule or "[HC-" in turn.answer, row["trace_id"]


def test_numbers_in_answers_are_supported(world: World) -> None:
    for row, talk in world.clean():
        assert not unsupported_numbers(talk), (row["trace_id"], unsupported_numbers(talk))


def test_writes_are_announced_and_agreed_on(world: World) -> None:
    for row, talk in world.clean():
        for before, turn in zip([None, *talk.turns], talk.turns, strict=False):
            if any(c.name in WRITES for c in turn.calls):
                assert before is not None
                assert before.answer.endswith("?"), row["trace_id"]


def test_understanding_is_shown_once_where_the_policy_asks(world: World, phrases: Phrases) -> None:
    for row, talk in world.clean():
        if row["intent"] in EMPATHY:
            known = [w for k in LANGUAGES for w in load(phrases, k)["empathy"]]
            shown = sum(any(w in answer for w in known) for answer in talk.answers)
            assert shown == 1, row["trace_id"]


def test_nothing_is_asked_twice(world: World, phrases: Phrases) -> None:
    for row, talk in world.clean():
        assert not asks_again(talk, phrases), row["trace_id"]


def test_a_failed_tool_is_owned_up_to(world: World) -> None:
    for row, talk in world.clean():
        for turn in talk.turns:
            if turn.calls and turn.calls[-1].error:
                assert not _numbers(turn.answer), row["trace_id"]


def test_answers_are_in_the_language_of_the_customer(world: World, phrases: Phrases) -> None:
    known = 0
    for row, talk in world.clean():
        for turn in talk.turns:
            other = other_language(turn, phrases)
            known += other is not None
            assert not other, (row["trace_id"], turn.user, turn.answer)
    assert known > 2000


def test_planted_failures_are_what_they_are_called(world: World, phrases: Phrases) -> None:
    assert all(loops(t) for _, t in world.failing("loop"))
    assert all(refunds_too_much(t) for _, t in world.failing("refund_above_limit"))
    assert all(breaks_contract(t) for _, t in world.failing("malformed_json"))
    assert not any(cites(t) for _, t in world.failing("missing_citation"))
    assert all(asks_again(t, phrases) for _, t in world.failing("reasked_question"))
    for _, talk in world.failing("timeout_no_tool_answer"):
        assert any(turn.calls and turn.calls[-1].error for turn in talk.turns)
    for _, talk in world.failing("empty_result_as_fact"):
        assert any(c.result == {} for c in talk.calls)
        assert len(talk.turns) > 1
    for _, talk in world.failing("wrong_language"):
        assert any(other_language(turn, phrases) for turn in talk.turns)
    for _, talk in world.failing("late_drift"):
        assert len(talk.turns) >= 6


def test_failures_spare_each_other(world: World, phrases: Phrases) -> None:
    """What is not in `failure_kinds` is not in the conversation either."""
    checks = {"loop": loops, "refund_above_limit": refunds_too_much}
    for row in world.truth.iter_rows(named=True):
        talk = world.talks[row["trace_id"]]
        for kind, check in checks.items():
            assert check(talk) == (kind in row["failure_kinds"]), (kind, row["trace_id"])
        again = asks_again(talk, phrases)
        assert again == ("reasked_question" in row["failure_kinds"]), row["trace_id"]
