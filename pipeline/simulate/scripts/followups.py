"""What customers ask once the first matter is settled; every answer here is a clean one."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pipeline.simulate.catalogue import PRODUCTS
from pipeline.simulate.help_centre import BY_TOPIC, search
from pipeline.simulate.scene import Scene

from . import orders
from .shop import as_result

Followup = Callable[[Scene], None]


def _items(s: Scene) -> None:
    assert s.order
    s.ask("followup.items.ask")
    s.tell("order_status.content", items=orders._items(s, s.order), total=s.price(s.order.total))


def _total(s: Scene) -> None:
    assert s.order
    s.ask("followup.total.ask")
    s.tell("followup.total.answer", total=s.price(s.order.total))


def _address(s: Scene) -> None:
    s.ask("followup.address.ask")
    s.tell("followup.address.answer")


def _invoice(s: Scene) -> None:
    assert s.order
    s.ask("followup.invoice.ask")
    invoice = orders.invoice_of(s.order)
    s.call("get_invoice", {"order_id": s.order.order_id}, invoice)
    s.tell("invoice_request.done", **invoice)


def _stock(s: Scene) -> None:
    p = s.rng.choice(PRODUCTS)
    quantity = s.rng.choice([4, 9, 15, 26])
    s.ask("followup.stock.ask", item=p.name)
    s.call("check_stock", {"sku": p.sku}, {"sku": p.sku, "quantity": quantity})
    s.tell("stock_question.some", item=p.name, quantity=quantity)


def ask_returns(s: Scene) -> None:
    """How long can it be sent back? The answer names its article."""
    s.ask("returns_policy.window.ask")
    s.call("search_help", {"query": "return window"}, search(s.rng, "returns.window"))
    s.tell("returns_policy.window.answer", cite=f"[{BY_TOPIC['returns.window'].id}]")


def _again(s: Scene) -> None:
    assert s.order
    s.ask("followup.again.ask")
    s.call("get_order", {"order_id": s.order.order_id}, s.order.as_result())
    s.tell("followup.again.answer")


def _product(s: Scene) -> None:
    p = s.rng.choice(PRODUCTS)
    s.ask("followup.product.ask", item=p.name)
    s.call("get_product", {"name": p.name}, as_result(s, p))
    s.tell("product_question.details", item=p.name, details=p.details, price=s.price(p.price))


def _robot(s: Scene) -> None:
    s.ask("followup.robot.ask")
    s.tell("followup.robot.answer")


def _phishing(s: Scene) -> None:
    s.ask("followup.phishing.ask")
    s.tell("followup.phishing.answer")


def _switch(s: Scene) -> None:
    """The customer goes on in another language, and the agent follows."""
    s.lang = s.answer_lang = s.rng.choice(["de", "fr", "es", "it"])
    _items(s)


def choices(s: Scene) -> list[Followup]:
    """The follow-ups that make sense now; only those about an article can come twice."""
    found: list[Followup] = [_stock, ask_returns]
    if s.order_seen:
        found += [_items, _total, _invoice, _address]
    if s.lang == "en":
        found += [_product, _robot]
        if s.order_seen and len(s.turns) == 1:
            found.append(_again)
    return [f for f in found if f in (_stock, _product) or f.__name__ not in s.played]


def play(s: Scene, kinds: Sequence[Followup], count: int) -> None:
    """Play up to `count` of the follow-ups, in random order."""
    for followup in s.rng.sample(list(kinds), min(count, len(kinds))):
        s.played.add(followup.__name__)
        followup(s)


def _answered(s: Scene) -> set[str]:
    """Follow-ups that the matter itself has already settled."""
    settled = set()
    for call in (c for t in s.turns for c in t.calls):
        if call.tool == "get_invoice":
            settled.add(_invoice.__name__)
        if "return" in str(call.arguments.get("query", "")):
            settled.add(ask_returns.__name__)
    return settled


def wind_down(s: Scene) -> None:
    """What comes after the matter itself: perhaps more questions, perhaps thanks."""
    if s.over or not s.turns[-1].answer:
        return
    s.played |= _answered(s)
    if not s.happened:
        roll = s.rng.random()
        more = (
            0 if roll < 0.68 else 1 if roll < 0.86 else 2 if roll < 0.945 else s.rng.randint(3, 9)
        )
        play(s, choices(s), more)
        if s.lang == "en" and s.order_seen and s.chance(0.012):
            _switch(s)
        elif s.lang == "en" and s.chance(0.01):
            _phishing(s)
    if not s.happened and s.chance(0.42):
        s.ask("thanks")
        s.tell("welcome")
    elif s.happened and s.chance(0.2):
        s.ask("leave")
        s.tell("farewell")
