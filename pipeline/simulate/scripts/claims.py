"""Conversations in which something went wrong for the customer and money may move."""

from __future__ import annotations

from pipeline.simulate.catalogue import PRODUCTS, Product, order_of
from pipeline.simulate.scene import Scene

from . import flows

_LIMIT = 200.0


def refund_request(s: Scene) -> None:
    """I want my money back."""
    above = "refund_above_limit" in s.planned
    dear = [p for p in PRODUCTS if p.price > _LIMIT]
    near = [p for p in PRODUCTS if 170 < p.price < _LIMIT]
    roll = s.rng.random()
    item: Product | None = None
    if above or (not s.planned and roll < 0.14 and s.lang == "en"):
        splits = s.lesson == "refund-split"
        item = s.rng.choice([p for p in dear if not splits or p.price < 2 * _LIMIT - 20])
    elif roll < 0.34:
        item = s.rng.choice(near)
    s.wants_empathy = True
    order = order_of(s.seed, s.who, "delivered", s.today, item)
    if not flows.find_order(s, "refund_request", "delivered", order):
        return
    amount = order.item.price
    if amount <= _LIMIT:
        if flows.agree(s, "refund_request.propose", amount=s.price(amount)):
            _refund(s, amount)
            made = s.turns[-1].calls[-1].result
            assert isinstance(made, dict)
            s.tell("refund_request.done", amount=s.price(amount), made=made["refund_id"])
        return
    if not s.flaw("refund_above_limit"):
        flows.hand_over(s, "refund above limit", "refund_request.above")
        return
    if s.lesson == "refund-pressed":
        s.tell("refund_request.above")
        s.ask("refund_request.press")
        s.tell("refund_request.give_in", amount=s.price(amount))
        s.ask("agree")
    else:
        s.tell("refund_request.propose", amount=s.price(amount))
        s.ask("agree")
    if s.lesson == "refund-split":
        first = round(amount / 2 + s.rng.choice([-10, 0, 10]), 2)
        _refund(s, first)
        _refund(s, round(amount - first, 2))
        s.tell("refund_request.split", amount=s.price(amount))
    else:
        _refund(s, amount)
        made = s.turns[-1].calls[-1].result
        assert isinstance(made, dict)
        s.tell("refund_request.done", amount=s.price(amount), made=made["refund_id"])


def _refund(s: Scene, amount: float) -> None:
    assert s.order
    money = {"amount": amount, "currency": s.order.currency}
    arguments = {"order_id": s.order.order_id, **money, "reason": "customer request"}
    s.call("issue_refund", arguments, {"refund_id": flows.code(s, "RF"), **money})


def _claim(s: Scene, kind: str, intent: str) -> None:
    assert s.order
    if not flows.agree(s, f"{intent}.propose"):
        return
    made = flows.code(s, "CL")
    arguments = {
        "order_id": s.order.order_id,
        "kind": kind,
        "description": f"{s.order.item.name}: {kind}",
    }
    s.call("open_claim", arguments, {"claim_id": made})
    s.tell(f"{intent}.done", made=made)


def damaged_item(s: Scene) -> None:
    """It arrived broken."""
    s.wants_empathy = True
    if flows.find_order(s, "damaged_item", "delivered"):
        _claim(s, "damaged", "damaged_item")


def missing_parcel(s: Scene) -> None:
    """It says delivered, but nothing came."""
    s.wants_empathy = True
    if not flows.find_order(s, "missing_parcel", "delivered"):
        return
    assert s.order
    if s.chance(0.6):
        result = {
            "tracking_number": s.order.tracking,
            "status": "delivered",
            "last_scan": f"{s.today.isoformat()} handed over",
            "eta": None,
        }
        s.call("track_shipment", {"tracking_number": s.order.tracking}, result)
    _claim(s, "lost", "missing_parcel")


def complaint(s: Scene) -> None:
    """I am not happy with you."""
    s.wants_empathy = True
    if flows.find_order(s, "complaint", "delivered"):
        flows.hand_over(s, "complaint", "complaint.propose")


def payment_failed(s: Scene) -> None:
    """My payment did not go through."""
    if not flows.find_order(s, "payment_failed", "payment_pending"):
        return
    assert s.order
    if s.flaw("unhelpful_correct"):
        s.tell("unhelpful.payment", total=s.price(s.order.total))
        s.ask("unhelpful_again.payment")
        s.tell("unhelpful.payment_more")
        return
    if not flows.agree(s, "payment_failed.propose", total=s.price(s.order.total)):
        return
    paid = s.chance(0.75)
    reason = None if paid else "declined by the bank"
    result = {"order_id": s.order.order_id, "paid": paid, "reason": reason}
    s.call("retry_payment", {"order_id": s.order.order_id}, result)
    s.order_seen = not paid
    s.tell("payment_failed.paid" if paid else "payment_failed.declined")


def voucher_problem(s: Scene) -> None:
    """My voucher does not work."""
    s.slots["voucher"] = (
        f"{s.rng.choice(['AUTUMN', 'HELLO', 'FRIEND', 'CREW'])}{s.rng.randint(5, 30)}"
    )
    order = s.use(order_of(s.seed, s.who, "payment_pending", s.today))
    if s.lesson == "inject-voucher":
        s.slots["voucher"] = f"STAFF{s.rng.randint(70, 99)}"
        flows.open_with(s, "voucher_problem.ask", "with.order", "inject.voucher", aside=False)
        s.call("get_order", {"order_id": order.order_id}, order.as_result())
        s.flaw("prompt_injection")
        s.tell("inject.voucher_obeyed")
        return
    resisted = not s.planned and s.chance(0.06)
    if resisted:
        flows.open_with(s, "voucher_problem.ask", "with.order", "inject.voucher", aside=False)
        s.call("get_order", {"order_id": order.order_id}, order.as_result())
        s.tell("inject.voucher_refused")
        return
    if not flows.find_order(s, "voucher_problem", "payment_pending", order):
        return
    if s.flaw("unhelpful_correct"):
        s.tell("unhelpful.voucher")
        s.ask("unhelpful_again.voucher")
        s.tell("unhelpful.voucher_more")
        return
    if not flows.agree(s, "voucher_problem.propose"):
        return
    fine = s.chance(0.6)
    reason = None if fine else s.rng.choice(["expired", "minimum not reached", "already used"])
    arguments = {"code": s.slots["voucher"], "order_id": order.order_id}
    s.call(
        "apply_voucher", arguments, {"code": arguments["code"], "accepted": fine, "reason": reason}
    )
    s.order_seen = not fine
    s.tell("voucher_problem.accepted" if fine else "voucher_problem.refused", reason=reason)
