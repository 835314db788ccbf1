"""Conversations about the customer's account, and the partner systems' order summary."""

from __future__ import annotations

import datetime as dt

import orjson

from pipeline.simulate.catalogue import order_of
from pipeline.simulate.scene import Scene

from . import flows


def newsletter(s: Scene) -> None:
    """On or off the list."""
    wanted = s.chance(0.25)
    flows.open_with(s, "newsletter.on" if wanted else "newsletter.off", "with.email", aside=False)
    flows.reask(s, "email")
    if not flows.agree(s, "newsletter.propose_on" if wanted else "newsletter.propose_off"):
        return
    if s.flaw("wrong_tool"):
        s.call("send_login_link", {"email": s.who.email}, {"sent": True})
        s.tell("wrong_tool.newsletter")
        return
    s.call("set_newsletter", {"email": s.who.email, "subscribed": wanted}, {"subscribed": wanted})
    s.tell("newsletter.done_on" if wanted else "newsletter.done_off")


def account_login(s: Scene) -> None:
    """I cannot get in."""
    flows.ask_with(s, "email", "account_login.ask")
    if s.flaw("unhelpful_correct"):
        s.tell("unhelpful.login")
        s.ask("unhelpful_again.login")
        s.tell("unhelpful.login_more")
        return
    if not flows.agree(s, "account_login.propose"):
        return
    s.call("send_login_link", {"email": s.who.email}, {"sent": True})
    s.tell("account_login.done")


def data_export(s: Scene) -> None:
    """Send me all my data."""
    flows.ask_with(s, "email", "data_export.ask")
    found = {
        "customer_id": s.who.customer_id,
        "first_name": s.who.first,
        "last_name": s.who.last,
        "email": s.who.email,
    }
    s.call("find_customer", {"email": s.who.email}, found)
    if not flows.agree(s, "data_export.propose"):
        return
    due = s.today + dt.timedelta(days=28)
    made = flows.code(s, "DX")
    result = {"request_id": made, "due_on": due.isoformat()}
    s.call("request_data_export", {"customer_id": s.who.customer_id}, result)
    s.tell("data_export.done", made=made, due=s.date(due))


def order_summary(s: Scene) -> None:
    """A partner system wants an order as JSON."""
    status = s.rng.choice(["processing", "shipped", "delivered"])
    order = s.use(order_of(s.seed, s.who, status, s.today))
    s.ask("order_summary.ask")
    s.style = "plain"
    result = order.as_result()
    if s.chance(0.05):
        s.call("get_order", {"order_id": order.order_id}, error="503")
    s.call("get_order", {"order_id": order.order_id}, result)
    items = [{"sku": p.sku, "quantity": n} for p, n in order.items]
    body: dict[str, object] = {
        "order_id": order.order_id,
        "status": status,
        "items": items,
        "total": order.total,
        "currency": order.currency,
    }
    if not s.flaw("malformed_json"):
        indent = orjson.OPT_INDENT_2 if s.chance(0.2) else 0
        s.tell(text=orjson.dumps(body, option=indent).decode())
        return
    plain = orjson.dumps(body).decode()
    if s.lesson == "json-missing":
        del body[s.rng.choice(["total", "items", "currency"])]
        plain = orjson.dumps(body).decode()
    elif s.lesson == "json-keys":
        body = {"orderId": order.order_id, **{k: v for k, v in body.items() if k != "order_id"}}
        plain = orjson.dumps(body).decode()
    text = {
        "json-fence": f"```json\n{plain}\n```",
        "json-prose": f"{s.phrase('json_prose', 'en')}\n{plain}",
        "json-truncated": plain[: -s.rng.randint(3, 24)],
    }.get(s.lesson, plain)
    s.tell(text=text, finish="length" if s.lesson == "json-truncated" else "stop")
