"""What many conversations share: finding the order, looking things up, agreeing before a write."""

from __future__ import annotations

from collections.abc import Mapping

from pipeline.simulate.catalogue import Order, order_of
from pipeline.simulate.draws import digits
from pipeline.simulate.people import card_number, iban
from pipeline.simulate.scene import Json, Scene


def _aside(s: Scene) -> str:
    """A sentence full of personal data that a customer adds unasked, or nothing."""
    roll = s.rng.random()
    if roll > 0.34:
        return ""
    if roll > 0.26:
        return s.phrase("aside.phone")
    if roll > 0.18:
        return s.phrase("aside.address")
    if roll > 0.12:
        return s.phrase("aside.name")
    if roll > 0.07:
        return s.phrase("aside.born")
    if roll > 0.035:
        return s.phrase("aside.card", card=card_number(s.rng))
    return s.phrase("aside.iban", iban=iban(s.rng, s.who.country))


def open_with(s: Scene, *keys: str, aside: bool = True, **slots: str) -> None:
    """The customer's first message: perhaps a greeting, the matter, perhaps personal data."""
    greet = ("greet",) if s.style == "plain" and s.chance(0.55) else ()
    story = s.phrase("story") if s.chance(0.2) else ""
    more = _aside(s) if aside else ""
    s.ask(*greet, *keys, text=" ".join(filter(None, (story, more))), **slots)


def reask(s: Scene, what: str) -> None:
    """The agent asks for what it was given a moment ago (a planted failure)."""
    if s.flaw("reasked_question"):
        s.tell(f"need.{what}")
        s.ask(f"again.{what}")


def ask_with(s: Scene, what: str, *keys: str) -> None:
    """The customer's matter with the number it is about: at once, or when asked for it."""
    if "reasked_question" in s.planned or s.chance(0.72):
        open_with(s, *keys, f"with.{what}")
    else:
        open_with(s, *keys)
        s.tell(f"need.{what}")
        s.ask(f"give.{what}")
    reask(s, what)


def look_up(s: Scene, tool: str, arguments: Mapping[str, Json], result: Json, subject: str) -> bool:
    """The agent looks something up; whatever a production tool may do happens here.

    Args:
        s: the conversation.
        tool: name of the tool.
        arguments: what it is called with.
        result: what it finds.
        subject: which sentences speak of it when it fails: order, track, stock, ...

    Returns:
        Whether the conversation can go on with the result.
    """
    if s.flaw("timeout_no_tool_answer", "timeout-"):
        s.call(tool, arguments, error="timeout")
        if s.chance(0.4):
            s.call(tool, arguments, error="timeout")
        s.tell(f"timeout_bluff.{subject}")
        return False
    if s.flaw("empty_result_as_fact"):
        s.call(tool, arguments, {})
        s.tell(f"empty_fact.{subject}")
        s.ask(f"empty_contradict.{subject}")
        if s.chance(0.5):
            s.call(tool, arguments, {})
        s.tell(f"empty_insist.{subject}")
        return False
    if s.flaw("loop"):
        for _ in range(s.rng.randint(3, 6)):
            s.call(tool, arguments, result)
        return True
    roll = s.rng.random()
    if not s.planned and roll < 0.02:
        s.call(tool, arguments, error="timeout")
        s.call(tool, arguments, error="timeout")
        s.tell("timeout_honest")
        if s.chance(0.5):
            s.ask("later")
            s.tell("welcome")
        s.over = True
        return False
    if roll < 0.06 + s.flaky:
        s.call(tool, arguments, error=s.rng.choice(["timeout", "503", "connection_reset"]))
    s.call(tool, arguments, result)
    return True


def mistyped(s: Scene, what: str, right: str) -> bool:
    """Now and then the customer gives a wrong number, and the agent handles it well.

    Call before the opening; `correct` plays the rest.
    """
    if s.planned or not s.chance(0.05):
        return False
    place = s.rng.randrange(4, 9)
    other = str((int(right[place]) + s.rng.randint(1, 9)) % 10)
    s.slots[what] = right[:place] + other + right[place + 1 :]
    return True


def correct(s: Scene, tool: str, argument: str, what: str, right: str) -> bool:
    """A look-up comes back empty and the agent says so; the customer corrects it or leaves."""
    s.call(tool, {argument: s.slots[what]}, {})
    s.tell(f"empty_honest.{what}")
    s.slots[what] = right
    if s.chance(0.25):
        s.ask("wrong_shop")
        s.tell("welcome")
        s.over = True
        return False
    s.ask(f"corrected.{what}")
    return True


def find_order(s: Scene, intent: str, status: str, order: Order | None = None) -> bool:
    """The opening of everything about an order, up to the order on the agent's desk.

    Returns:
        Whether the order was found; otherwise the conversation has come to its end.
    """
    order = s.use(order or order_of(s.seed, s.who, status, s.today))
    if not s.planned and s.chance(0.14):
        open_with(s, f"{intent}.ask", "with.email", aside=False)
        s.call(
            "find_customer",
            {"email": s.who.email},
            {
                "customer_id": s.who.customer_id,
                "first_name": s.who.first,
                "last_name": s.who.last,
                "email": s.who.email,
            },
        )
        row = {
            "order_id": order.order_id,
            "status": order.status,
            "placed_on": order.placed.isoformat(),
            "total": order.total,
            "currency": order.currency,
        }
        s.call("list_orders", {"customer_id": s.who.customer_id}, {"orders": [row]})
    elif mistyped(s, "order", order.order_id):
        open_with(s, f"{intent}.ask", "with.order")
        if not correct(s, "get_order", "order_id", "order", order.order_id):
            return False
    elif not s.planned and s.chance(0.015):
        open_with(s, f"{intent}.ask")
        s.tell("need.order")
        s.over = True
        return False
    else:
        ask_with(s, "order", f"{intent}.ask")
    found = look_up(s, "get_order", {"order_id": order.order_id}, order.as_result(), "order")
    s.order_seen = found
    return found


def agree(s: Scene, *keys: str, **slots: str) -> bool:
    """The agent says what it is about to do and the customer agrees, or does not after all."""
    s.tell(*keys, **slots)
    if not s.planned and s.chance(0.07):
        s.ask("decline")
        s.tell("declined")
        return False
    s.ask("agree")
    return True


def code(s: Scene, prefix: str, count: int = 6) -> str:
    """A new identifier of the shop's systems."""
    return f"{prefix}-{digits(s.rng, count)}"


def hand_over(s: Scene, reason: str, *keys: str) -> bool:
    """The agent offers a colleague, the customer accepts, the ticket is opened."""
    if not agree(s, *keys):
        return False
    ticket = code(s, "T")
    s.call("transfer_to_human", {"reason": reason}, {"ticket_id": ticket})
    s.tell("handed_over", ticket=ticket)
    return True
