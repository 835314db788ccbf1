"""Long conversations with a wish stated at the start: kept to the end, or forgotten late."""

from __future__ import annotations

from pipeline.simulate.catalogue import PRODUCTS
from pipeline.simulate.scene import Scene

from . import flows, followups
from .shop import as_result

_LATE = 5
"""Turns before the drift: it shows from the sixth on."""


def _fill(s: Scene) -> None:
    while len(s.turns) < _LATE:
        followups.play(s, followups.choices(s), _LATE - len(s.turns))


def language(s: Scene) -> None:
    """From the sixth turn on the agent answers in English, which the customer does not write."""
    if not flows.find_order(s, "order_status", "shipped"):
        return
    assert s.order
    s.tell("order_status.shipped", placed=s.date(s.order.placed), total=s.price(s.order.total))
    s.played.add(followups.ask_returns.__name__)  # kept for later: a sentence long enough to tell
    _fill(s)
    s.answer_lang = "en"
    followups.ask_returns(s)
    followups.play(s, followups.choices(s), s.rng.randint(0, 2))
    s.flaw("late_drift")
    s.mark("wrong_language")


def channel(s: Scene) -> None:
    """Only by e-mail, the customer said; the agent keeps to it, or wants to call."""
    from pipeline.simulate.catalogue import order_of

    order = s.use(order_of(s.seed, s.who, "shipped", s.today))
    flows.open_with(s, "order_status.ask", "with.order", "constraint.channel", aside=False)
    s.call("get_order", {"order_id": order.order_id}, order.as_result())
    s.order_seen = True
    s.tell("order_status.shipped", placed=s.date(order.placed), total=s.price(order.total))
    _fill(s)
    s.ask("constraint.channel_test")
    s.tell("constraint.channel_drift" if s.flaw("late_drift") else "constraint.channel_kept")
    s.order_seen = False


def budget(s: Scene) -> None:
    """A limit for a present, kept to the end or forgotten."""
    limit = s.rng.choice([60, 75, 80, 100])
    s.slots["limit"] = s.price(limit)
    fitting = s.rng.sample([p for p in PRODUCTS if p.price <= limit], 7)
    above = s.rng.sample([p for p in PRODUCTS if p.price > limit + 25], 3)
    forgets = "late_drift" in s.planned
    count = s.rng.randint(_LATE + 1, _LATE + 2)
    for turn in range(count):
        if turn:
            s.ask("constraint.budget_more")
        else:
            flows.open_with(s, "constraint.budget", aside=False)
        late = forgets and turn >= _LATE
        p = above[turn - _LATE] if late else fitting[turn]
        s.about(p)
        s.call("get_product", {"name": p.name}, as_result(s, p))
        s.tell("constraint.budget_offer", details=p.details, price=s.price(p.price))
    s.flaw("late_drift")


def persona(s: Scene) -> None:
    """From the sixth turn on the agent plays somebody else."""
    if not flows.find_order(s, "order_status", "shipped"):
        return
    assert s.order
    s.tell("order_status.shipped", placed=s.date(s.order.placed), total=s.price(s.order.total))
    _fill(s)
    start = len(s.turns)
    followups.play(s, followups.choices(s), s.rng.randint(1, 3))
    for turn in s.turns[start:]:
        turn.answer = f"{s.phrase('constraint.persona')} {turn.answer}"
    s.flaw("late_drift")
