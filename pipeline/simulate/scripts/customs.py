"""The intent nobody planned for: no tool and no article knows about customs declarations."""

from __future__ import annotations

from pipeline.simulate.catalogue import order_of
from pipeline.simulate.help_centre import search
from pipeline.simulate.scene import Scene

from . import flows


def customs_declaration(s: Scene) -> None:
    """What must I declare, and who pays the duty?"""
    order = s.use(order_of(s.seed, s.who, "shipped", s.today))
    form = s.rng.choice(["ask_form", "ask_duty", "ask_code", "ask_held"])
    flows.open_with(s, f"customs.{form}", *(["with.order"] if s.chance(0.4) else []))
    if s.lesson == "customs-misrouted":
        result = {
            "tracking_number": order.tracking,
            "status": "in_transit",
            "last_scan": f"{s.today.isoformat()} Leipzig hub",
            "eta": order.eta.isoformat(),
        }
        s.call("track_shipment", {"tracking_number": order.tracking}, result)
        s.flaw("unplanned_intent")
        s.tell("customs.misrouted", eta=s.date(order.eta))
        s.ask("customs.insist")
        s.tell("customs.misrouted_more")
        return
    s.call("search_help", {"query": "customs declaration"}, search(s.rng, avoid="delivery"))
    if s.lesson == "customs-invented":
        s.flaw("unplanned_intent")
        s.tell(
            "customs.invented",
            code=f"{s.rng.randint(4200, 9600)}.{s.rng.randint(10, 99)}",
            rate=s.rng.randint(3, 17),
        )
        return
    if s.lesson == "customs-vague":
        s.flaw("unplanned_intent")
        s.tell("customs.vague")
        if s.chance(0.6):
            s.ask("customs.insist")
            s.tell("customs.vague_more")
        return
    flows.hand_over(s, "customs question", "customs.honest")
