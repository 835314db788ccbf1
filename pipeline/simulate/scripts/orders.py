"""Conversations about an order and its way to the customer."""

from __future__ import annotations

import datetime as dt

from pipeline.simulate.catalogue import PRODUCTS, Order, order_of
from pipeline.simulate.draws import digits, rng_for
from pipeline.simulate.scene import Scene

from . import flows


def _items(s: Scene, order: Order) -> str:
    joiner = {"en": " and ", "de": " und ", "fr": " et ", "es": " y ", "it": " e "}[s.answer_lang]
    names = [f"{n} x {p.name}" if n > 1 else p.name for p, n in order.items]
    return names[0] if len(names) == 1 else ", ".join(names[:-1]) + joiner + names[-1]


def invoice_of(order: Order) -> dict[str, str]:
    """The answer of `get_invoice`, the same whenever it is asked for."""
    rng = rng_for("invoice", order.order_id)
    return {"invoice_id": f"INV-{digits(rng, 7)}", "invoice_code": f"V-{digits(rng, 5)}"}


def order_status(s: Scene) -> None:
    """Where does my order stand?"""
    noted = s.lesson == "inject-order-note"
    status = "shipped" if noted else s.rng.choice(["processing", "shipped"])
    order = order_of(s.seed, s.who, status, s.today)
    two = "half_answer" in s.planned or (not s.planned and s.chance(0.14))
    if two:
        s.use(order)
        flows.open_with(s, "order_status.two", "with.order")
        flows.reask(s, "order")
        found = flows.look_up(
            s, "get_order", {"order_id": order.order_id}, order.as_result(), "order"
        )
    elif noted:
        _order_note(s, order)
        return
    else:
        found = flows.find_order(s, "order_status", status, order)
    if not found:
        return
    s.order_seen = True
    facts = {
        "placed": s.date(order.placed),
        "total": s.price(order.total),
        "items": _items(s, order),
    }
    if s.flaw("half_answer"):
        s.tell(f"order_status.{status}", **facts)
        if s.chance(0.35):
            s.ask("frustrated")
            s.tell("farewell")
            s.over = True
    elif two:
        s.tell(f"order_status.{status}", "order_status.content", **facts)
        s.played |= {"_items", "_total"}
    else:
        s.tell(f"order_status.{status}", **facts)


def _order_note(s: Scene, order: Order) -> None:
    """A note inside the order tells the agent what to do, and it does."""
    s.use(order)
    flows.open_with(s, "order_status.ask", "with.order")
    link = f"parcel-fee-{digits(s.rng, 4)}.example"
    result = order.as_result() | {"delivery_note": s.phrase("inject.note", "en", link=link)}
    s.call("get_order", {"order_id": order.order_id}, result)
    s.flaw("prompt_injection")
    s.tell("inject.note_obeyed", link=link, placed=s.date(order.placed))


def track_parcel(s: Scene) -> None:
    """Where is my parcel?"""
    order = s.use(order_of(s.seed, s.who, "shipped", s.today))
    wrong = flows.mistyped(s, "track", order.tracking)
    if wrong:
        flows.open_with(s, "track_parcel.ask", "with.track")
        if not flows.correct(s, "track_shipment", "tracking_number", "track", order.tracking):
            return
    else:
        flows.ask_with(s, "track", "track_parcel.ask")
    state = s.rng.choice(["in_transit", "in_transit", "out_for_delivery", "delayed"])
    eta = s.today if state == "out_for_delivery" else order.eta
    place = s.rng.choice(["Leipzig hub", "Lyon sorting centre", "Coventry depot", "Madrid hub"])
    result = {
        "tracking_number": order.tracking,
        "status": state,
        "last_scan": f"{(s.today - dt.timedelta(days=1)).isoformat()} {place}",
        "eta": eta.isoformat(),
    }
    arguments = {"tracking_number": order.tracking}
    if not flows.look_up(s, "track_shipment", arguments, result, "track"):
        return
    if s.flaw("unhelpful_correct"):
        s.tell("unhelpful.track", place=place)
        s.ask("unhelpful_again.track")
        s.tell("unhelpful.track_more")
        return
    s.tell(f"track_parcel.{state}", place=place, eta=s.date(eta))


def cancel_order(s: Scene) -> None:
    """I want to cancel."""
    if not flows.find_order(s, "cancel_order", "processing"):
        return
    assert s.order
    if not flows.agree(s, "cancel_order.propose", total=s.price(s.order.total)):
        return
    if s.flaw("wrong_tool"):
        made = flows.code(s, "R")
        arguments = {"order_id": s.order.order_id, "sku": s.order.item.sku, "reason": "cancel"}
        s.call("create_return", arguments, {"return_id": made, "label_code": flows.code(s, "L", 8)})
        s.tell("wrong_tool.cancel", made=made)
        return
    arguments = {"order_id": s.order.order_id, "reason": "customer request"}
    s.call("cancel_order", arguments, {"order_id": s.order.order_id, "cancelled": True})
    s.tell("cancel_order.done")
    s.order_seen = False


def change_address(s: Scene) -> None:
    """Please send it somewhere else."""
    number = s.rng.randint(1, 80)
    s.slots["new_address"] = s.rng.choice(
        [f"{number} Larch Street, OX2 6GG Oxford", f"Unit {number}, Kestrel Court, Galway",
         f"{number} Quarry Lane, 97205 Portland, OR", f"c/o Hall, {number} Dunmore Park, Belfast"]
    )  # fmt: skip
    if not flows.find_order(s, "change_address", "processing"):
        return
    assert s.order
    if not flows.agree(s, "change_address.propose"):
        return
    arguments = {"order_id": s.order.order_id, "address": s.slots["new_address"]}
    s.call("change_address", arguments, {"order_id": s.order.order_id, "updated": True})
    s.tell("change_address.done")
    s.order_seen = False


def return_item(s: Scene) -> None:
    """I want to send it back."""
    if not flows.find_order(s, "return_item", "delivered"):
        return
    assert s.order
    if not flows.agree(s, "return_item.propose"):
        return
    label, made = flows.code(s, "L", 8), flows.code(s, "R")
    arguments = {"order_id": s.order.order_id, "sku": s.order.item.sku, "reason": "not wanted"}
    s.call("create_return", arguments, {"return_id": made, "label_code": label})
    s.tell("return_item.done", made=made, label=label)


def exchange_item(s: Scene) -> None:
    """Another size or colour, please."""
    worn = s.rng.choice([p for p in PRODUCTS if p.kind in ("wear", "shoes")])
    order = order_of(s.seed, s.who, "delivered", s.today, worn)
    if not flows.find_order(s, "exchange_item", "delivered", order):
        return
    assert s.order
    sku = f"{s.order.item.sku}-{s.rng.choice(['S', 'L', 'XL', 'BLK', 'GRN'])}"
    s.call("check_stock", {"sku": sku}, {"sku": sku, "quantity": s.rng.randint(2, 30)})
    if not flows.agree(s, "exchange_item.propose"):
        return
    arguments = {"order_id": s.order.order_id, "sku": s.order.item.sku}
    if s.flaw("wrong_tool"):
        made = flows.code(s, "R")
        result = {"return_id": made, "label_code": flows.code(s, "L", 8)}
        s.call("create_return", arguments | {"reason": "exchange"}, result)
        s.tell("wrong_tool.exchange", made=made)
        return
    made = flows.code(s, "X")
    s.call("exchange_item", arguments | {"new_sku": sku}, {"exchange_id": made})
    s.tell("exchange_item.done", made=made)


def invoice_request(s: Scene) -> None:
    """I need the invoice."""
    order = s.use(order_of(s.seed, s.who, "delivered", s.today))
    arguments = {"order_id": order.order_id}
    if s.planned & {"wrong_tool", "empty_result_as_fact", "timeout_no_tool_answer", "loop"}:
        flows.ask_with(s, "order", "invoice_request.ask")
        if s.flaw("wrong_tool"):
            result = {
                "tracking_number": order.tracking,
                "status": "delivered",
                "last_scan": f"{order.placed + dt.timedelta(days=4)} delivered",
                "eta": None,
            }
            s.call("track_shipment", {"tracking_number": order.tracking}, result)
            s.tell("wrong_tool.invoice")
            return
    elif not flows.find_order(s, "invoice_request", "delivered", order):
        return
    invoice = invoice_of(order)
    if flows.look_up(s, "get_invoice", arguments, invoice, "invoice"):
        s.tell("invoice_request.done", **invoice)
