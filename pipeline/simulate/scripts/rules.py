"""Conversations about the rules of the shop: every answer names its help article."""

from __future__ import annotations

from typing import Final

from pipeline.simulate.help_centre import BY_TOPIC, delivery_topic, search
from pipeline.simulate.scene import Scene

from . import flows

#: Questions by intent, and the topic of the article that answers each; the foreign ones first.
QUESTIONS: Final[dict[str, dict[str, str]]] = {
    "delivery_time": {"standard": "", "express": "delivery.express"},
    "returns_policy": {
        "window": "returns.window",
        "cost": "returns.cost",
        "excluded": "returns.excluded",
        "how": "returns.how",
    },
    "warranty_policy": {
        "electronics": "warranty.electronics",
        "outdoor": "warranty.outdoor",
        "proof": "warranty.proof",
    },
    "price_match": {"window": "price.window", "excluded": "price.excluded"},
}
_RARE: Final = {
    "warranty_policy": ("Tarnhelm Travel Loom", "Okapi Field Press", "Brightwater Kayak Sail"),
    "delivery_time": ("the Faroe Islands", "Bhutan", "Saint Helena", "Tuvalu"),
}


def _topic(s: Scene, intent: str, question: str) -> tuple[str, dict[str, str]]:
    topic = QUESTIONS[intent][question]
    if topic:
        return topic, {"lo": "1", "hi": "2"}
    topic, lo, hi = delivery_topic(s.who.country)
    return topic, {"lo": str(lo), "hi": str(hi)}


def cite(s: Scene, topic: str) -> str:
    """The bracket that names the article, unless the agent forgets it."""
    if s.lesson == "nocite-unretrieved" and s.flaw("missing_citation"):
        return f"[HC-{s.rng.randint(310, 390)}]"
    if "missing_citation" in s.planned:
        s.mark("missing_citation")
        return ""
    return f"[{BY_TOPIC[topic].id}]"


def ask_rule(s: Scene, intent: str) -> None:
    """A question or two about a rule, searched and answered."""
    s.slots["country"] = s.country()
    options = list(QUESTIONS[intent])
    if s.lang != "en":
        options = options[:2]
    pair = intent in ("delivery_time", "returns_policy")
    two = pair and ("half_answer" in s.planned or (not s.planned and s.chance(0.2)))
    asked = options[:2] if two else [s.rng.choice(options)]
    keys = [f"{intent}.{asked[0]}.ask"]
    flows.open_with(s, *keys, *(["also", f"{intent}.{asked[1]}.ask"] if two else []))
    topics = [_topic(s, intent, q) for q in asked]
    arguments = {"query": f"{intent.replace('_', ' ')} {' '.join(asked)}"}
    docs = search(s.rng, *(t for t, _ in topics), size=4 if two else 3)
    if not flows.look_up(s, "search_help", arguments, docs, "help"):
        return
    if s.flaw("half_answer"):
        asked = asked[:1]
    s.slots["country"] = s.country(s.answer_lang)
    parts = [
        s.phrase(f"{intent}.{q}.answer", s.answer_lang, cite=cite(s, topic), **days)
        for q, (topic, days) in zip(asked, topics, strict=False)
    ]
    s.tell(text=" ".join(parts))
    if "half_answer" in s.happened and s.chance(0.35):
        s.ask("frustrated")
        s.tell("farewell")
        s.over = True


def ask_rare(s: Scene, intent: str) -> None:
    """A question that no article covers, answered from thin air under a borrowed citation."""
    rare = s.rng.choice(_RARE[intent])
    s.slots |= {"item": rare, "country": rare}
    flows.open_with(s, f"{intent}.rare")
    avoid = {"warranty_policy": "warranty", "delivery_time": "delivery"}[intent]
    docs = search(s.rng, avoid=avoid)
    s.call("search_help", {"query": f"{intent.replace('_', ' ')} {rare}"}, docs)
    s.flaw("retrieval_miss_invented")
    borrowed = f"[{docs[0]['id']}]"
    s.tell(f"invented.{intent}", n=s.rng.randint(3, 9), cite=borrowed)


def delivery_time(s: Scene) -> None:
    """How long does delivery take?"""
    if s.lesson == "invented-delivery":
        ask_rare(s, "delivery_time")
    else:
        ask_rule(s, "delivery_time")


def returns_policy(s: Scene) -> None:
    """What are the rules for returns?"""
    ask_rule(s, "returns_policy")


def warranty_policy(s: Scene) -> None:
    """What does the warranty cover?"""
    if s.lesson == "invented-warranty":
        ask_rare(s, "warranty_policy")
    elif not s.planned and s.chance(0.12):
        _honest_gap(s)
    else:
        ask_rule(s, "warranty_policy")


def _honest_gap(s: Scene) -> None:
    """No article covers it, and the agent says so: right, though hedged."""
    s.slots["item"] = s.rng.choice(_RARE["warranty_policy"])
    flows.open_with(s, "warranty_policy.rare")
    arguments = {"query": f"warranty {s.slots['item']}"}
    s.call("search_help", arguments, search(s.rng, "warranty.proof"))
    s.tell("warranty_policy.gap", cite=f"[{BY_TOPIC['warranty.proof'].id}]")


def price_match(s: Scene) -> None:
    """It is cheaper elsewhere."""
    ask_rule(s, "price_match")
