"""Intents: what users came for, in several languages, and what nobody planned for."""

from __future__ import annotations

import csv
import json

import pytest

from pipeline.embedding import sentence_embedder
from pipeline.registry import UNKNOWN, Intent
from pipeline.sampling.conversations import read_conversations
from pipeline.sampling.intents import classify, opening


@pytest.fixture(scope="module")
def intent_of(registry, trace, frame):
    def find(*said, tools=(), intents=registry.intents):
        conversations = read_conversations(frame([trace("t", *said, tools=tools)]))
        (found,) = classify(
            conversations, intents, sentence_embedder(), registry.settings.sampling.unknown_below
        )
        return found

    return find


@pytest.mark.parametrize(
    ("said", "intent"),
    [
        ("hi, would you cancel what I bought an hour ago?", "cancel_order"),
        ("the vase was shattered when it got here", "damaged_item"),
        ("Guten Tag, ich hätte gern eine Rechnung für die letzte Bestellung", "invoice_request"),
        ("Bonjour, j'ai oublié mon mot de passe", "account_login"),
        ("Hola, ¿cuánto cuesta el envío a Chile?", "shipping_cost"),
        ("Salve, quanto resta sulla mia carta regalo?", "gift_card_balance"),
        ("order 5550001 as json please", "order_summary"),
    ],
)
def test_a_request_in_other_words_finds_its_intent(intent_of, said, intent):
    assert intent_of(said).intent == intent


@pytest.mark.parametrize(
    "said", ["", "What will the weather be like on Mars?", "Schreib mir ein Gedicht über Katzen"]
)
def test_what_nobody_planned_for_is_unknown(intent_of, said):
    assert intent_of(said).intent == UNKNOWN


def test_a_greeting_alone_says_nothing():
    assert opening(["Hello there", "I want to cancel my order", "now"]) == (
        "Hello there I want to cancel my order"
    )
    assert opening(["I want to cancel my order", "now"]) == "I want to cancel my order"
    assert opening([]) == ""


def test_a_wrong_tool_does_not_change_what_the_user_wanted(intent_of):
    asked = "Is the green kettle in stock again?"
    assert intent_of(asked, tools=["cancel_order"]).intent == "stock_question"
    assert intent_of(asked, tools=["check_stock"]).score > intent_of(asked).score


def test_without_a_registry_everything_is_unknown(intent_of):
    assert intent_of("cancel my order", intents=()).intent == UNKNOWN


def test_a_merged_intent_counts_as_its_target(intent_of):
    intents = (
        Intent(id="call_off", title="old", exemplars=("call off my order",), merged_into="cancel"),
        Intent(id="cancel", title="new", exemplars=("cancel my order",)),
    )
    assert intent_of("please call off my order", intents=intents).intent == "cancel"


def test_an_intent_does_not_depend_on_the_other_traces(registry, trace, frame):
    rows = [
        trace(f"t{n}", text)
        for n, intent in enumerate(registry.intents)
        for text in intent.exemplars[:1]
    ]
    limit, embedder = registry.settings.sampling.unknown_below, sentence_embedder()
    together = classify(read_conversations(frame(rows)), registry.intents, embedder, limit)
    by_id = sorted(rows, key=lambda row: row["trace_id"])
    alone = [
        classify(read_conversations(frame([row])), registry.intents, embedder, limit)[0]
        for row in by_id
    ]
    assert together == alone


def test_the_registry_plans_every_intent_of_the_policy(registry):
    assert len(registry.intents) == 26
    assert {i.id for i in registry.intents if i.cites} == {
        "delivery_time", "returns_policy", "warranty_policy", "price_match",
    }  # fmt: skip
    assert {i.id for i in registry.intents if i.stakes == "high"} == {
        "refund_request", "damaged_item", "missing_parcel", "payment_failed", "data_export",
        "complaint",
    }  # fmt: skip
    assert [i.id for i in registry.intents if i.output_schema] == ["order_summary"]


def test_exemplars_held_out_are_found_by_the_others(registry, trace, frame):
    """Every thirteenth exemplar; measured on all, at most 6 % unknown and 77 % nearest their own.

    What the nearest sum is, the threshold aside, is seen with a threshold of nought.
    """
    right, lost, everyone = 0, 0, [(i, e) for i in registry.intents for e in i.exemplars][::13]
    for intent, held_out in everyone:
        others = [text for text in intent.exemplars if text != held_out]
        without = intent.model_copy(update={"exemplars": tuple(others)})
        intents = [without if i is intent else i for i in registry.intents]
        conversation = read_conversations(frame([trace("t", held_out)]))
        (found,) = classify(conversation, intents, sentence_embedder(), 0.0)
        right += found.intent == intent.id
        lost += found.score < registry.settings.sampling.unknown_below
    assert right / len(everyone) > 0.65
    assert lost / len(everyone) < 0.15


def test_other_trades_are_mostly_unknown(registry, trace, frame, shared_data):
    """A bank's customers and an airline's; both share words with a shop (cancel, refund, address).

    Measured: 49 % of banking77's test questions, 50 % of the airline's even tasks.
    """
    with open(shared_data / "banking77" / "test.csv", encoding="utf-8") as handle:
        bank = [row["text"] for row in csv.DictReader(handle)][::10]
    tasks = json.loads(
        (shared_data / "tau-bench" / "gpt-4o-airline.tasks00-24.json").read_text("utf-8")
    )
    airline = [
        next(m["content"] for m in task["traj"] if m["role"] == "user")
        for task in tasks
        if task["task_id"] % 2 == 0
    ]
    limit = registry.settings.sampling.unknown_below
    for texts, least in ((bank, 0.4), (airline, 0.4)):
        day = frame([trace(f"{n:04}", text) for n, text in enumerate(texts)])
        found = classify(read_conversations(day), registry.intents, sentence_embedder(), limit)
        assert sum(c.intent == UNKNOWN for c in found) / len(found) >= least
