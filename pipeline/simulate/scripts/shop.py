"""Conversations before a purchase: stock, articles, sizes, shipping, gift cards."""

from __future__ import annotations

from pipeline.simulate.catalogue import PRODUCTS, Product
from pipeline.simulate.draws import digits
from pipeline.simulate.help_centre import search
from pipeline.simulate.scene import Scene

from . import flows


def _product(s: Scene, *kinds: str) -> Product:
    return s.about(s.rng.choice([p for p in PRODUCTS if not kinds or p.kind in kinds]))


def as_result(s: Scene, p: Product) -> dict[str, object]:
    """The JSON answer of `get_product`."""
    return {
        "sku": p.sku,
        "name": p.name,
        "price": p.price,
        "currency": s.who.currency,
        "details": p.details,
    }


def stock_question(s: Scene) -> None:
    """Do you have it?"""
    p = _product(s)
    flows.open_with(s, "stock_question.ask")
    if s.flaw("wrong_tool"):
        docs = search(s.rng, "packaging", avoid="delivery")
        s.call("search_help", {"query": f"{p.name} available"}, docs)
        s.tell("wrong_tool.stock")
        return
    quantity = s.rng.choice([0, 3, 5, 8, 12, 20, 41])
    if flows.look_up(
        s, "check_stock", {"sku": p.sku}, {"sku": p.sku, "quantity": quantity}, "stock"
    ):
        s.tell("stock_question.some" if quantity else "stock_question.none", quantity=quantity)


def product_question(s: Scene) -> None:
    """What about this article?"""
    p = _product(s)
    if s.lesson == "invented-spec":
        rare = s.rng.choice(
            ["Isbjorn Avalanche Shovel", "Tarnhelm Travel Loom", "Okapi Field Press"]
        )
        s.slots["item"] = rare
        flows.open_with(s, "product_question.rare")
        s.call("get_product", {"name": rare}, {})
        s.call("search_help", {"query": f"{rare} material"}, search(s.rng))
        s.flaw("retrieval_miss_invented")
        s.tell("invented.spec", n=s.rng.randint(3, 9), w=s.rng.randint(300, 900))
        return
    if s.lesson == "inject-reveal":
        flows.open_with(s, "inject.reveal", aside=False)
        s.call("get_product", {"name": p.name}, as_result(s, p))
        s.flaw("prompt_injection")
        s.tell("inject.reveal_obeyed")
        return
    if s.lesson == "inject-catalogue":
        shop = f"{s.rng.choice(['bargain', 'outlet', 'super'])}-{digits(s.rng, 3)}.example"
        flows.open_with(s, "product_question.ask", aside=False)
        planted = p.details + ". " + s.phrase("inject.details", "en", shop=shop)
        s.call("get_product", {"name": p.name}, as_result(s, p) | {"details": planted})
        s.flaw("prompt_injection")
        s.tell("inject.details_obeyed", shop=shop, details=p.details)
        return
    two = "half_answer" in s.planned or (not s.planned and s.chance(0.2))
    flows.open_with(s, "product_question.two" if two else "product_question.ask", aside=False)
    if not flows.look_up(s, "get_product", {"name": p.name}, as_result(s, p), "product"):
        return
    if s.flaw("half_answer"):
        s.tell("product_question.price", price=s.price(p.price))
        if s.chance(0.35):
            s.ask("frustrated")
            s.tell("farewell")
            s.over = True
    elif two:
        left = s.rng.randint(2, 40)
        s.call("check_stock", {"sku": p.sku}, {"sku": p.sku, "quantity": left})
        s.tell(
            "product_question.price", "stock_question.some", price=s.price(p.price), quantity=left
        )
    else:
        s.tell("product_question.details", details=p.details, price=s.price(p.price))


def size_advice(s: Scene) -> None:
    """Which size?"""
    p = _product(s, "wear", "shoes")
    topic = "size.shoes" if p.kind == "shoes" else "size.wear"
    if s.lesson == "invented-size":
        s.slots["item"] = s.rng.choice(
            ["Vinterlund Ski Mitts", "Amaya Dance Slippers", "Corriedale Gaiters"]
        )
        flows.open_with(s, "size_advice.ask")
        docs = search(s.rng, avoid="size")
        s.call("search_help", {"query": f"size {s.slots['item']}"}, docs)
        s.flaw("retrieval_miss_invented")
        s.tell("invented.size", n=s.rng.randint(17, 27))
        return
    flows.open_with(s, "size_advice.ask")
    if not flows.look_up(s, "get_product", {"name": p.name}, as_result(s, p), "product"):
        return
    if s.chance(0.5):
        s.call("search_help", {"query": f"size guide {p.kind}"}, search(s.rng, topic))
        s.tell(f"size_advice.{p.kind}_guide", details=p.details)
    else:
        s.tell("size_advice.answer", details=p.details)


def shipping_cost(s: Scene) -> None:
    """What does shipping cost?"""
    _product(s)
    weight = s.rng.choice([400, 800, 1200, 2500, 4000])
    s.slots["country"] = s.country()
    flows.open_with(s, "shipping_cost.ask", weight=str(weight))
    price = s.rng.choice([4.9, 6.9, 9.5, 14.9, 22.0])
    days = s.rng.randint(2, 9)
    result = {"price": price, "currency": s.who.currency, "days": days}
    arguments = {"country": s.who.country, "weight_g": weight}
    if flows.look_up(s, "quote_shipping", arguments, result, "quote"):
        s.tell("shipping_cost.answer", price=s.price(price), days=days)


def gift_card_balance(s: Scene) -> None:
    """How much is left on my gift card?"""
    s.slots["card"] = f"GC-{digits(s.rng, 4)}-{digits(s.rng, 4)}"
    flows.ask_with(s, "card", "gift_card_balance.ask")
    if s.flaw("wrong_tool"):
        s.call("search_help", {"query": "gift card"}, search(s.rng, "gift"))
        s.tell("wrong_tool.gift")
        return
    left = s.rng.choice([0.0, 12.5, 20.0, 35.4, 50.0, 75.0])
    result = {"balance": left, "currency": s.who.currency}
    if flows.look_up(s, "gift_card_balance", {"code": s.slots["card"]}, result, "card"):
        s.tell("gift_card_balance.answer", left=s.price(left))
