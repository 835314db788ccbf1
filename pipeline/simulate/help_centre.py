"""The shop's help articles, and a search over them that finds what it is told to find."""

# ruff: noqa: E501  (a row of a table is a line)

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Article:
    """One help article."""

    id: str
    topic: str
    content: str


ARTICLES: Final = tuple(
    Article(*line.strip().split("|"))
    for line in """
    HC-101|delivery.eu|Standard delivery inside the European Union takes 2 to 4 working days after dispatch. Dispatch is within 1 working day.
    HC-102|delivery.uk|Standard delivery to the United Kingdom, Ireland and Switzerland takes 3 to 5 working days after dispatch.
    HC-103|delivery.us|Standard delivery to the United States and Canada takes 6 to 9 working days after dispatch.
    HC-104|delivery.world|Standard delivery to Australia, New Zealand, Japan and Singapore takes 8 to 14 working days after dispatch.
    HC-105|delivery.express|Express delivery takes 1 to 2 working days for orders placed before 14:00. It is offered at checkout where the carrier serves the address.
    HC-110|returns.window|Items can be returned within 30 days of delivery, unused and in their original packaging.
    HC-111|returns.how|A return is registered in the chat or in the account. The label code is scanned at any partner drop-off point.
    HC-112|returns.excluded|Personalised items, opened hygiene articles and gift cards cannot be returned.
    HC-113|returns.cost|Returns are free of charge inside the European Union and the United Kingdom. From other countries 7.50 is deducted from the refund.
    HC-120|warranty.electronics|Electronic devices carry a warranty of 24 months from the day of delivery. Wear of batteries is not covered.
    HC-121|warranty.outdoor|Tents, backpacks and sleeping bags carry a warranty of 36 months. Damage by fire or by pets is not covered.
    HC-122|warranty.proof|A warranty claim needs the order number and two photos of the fault. The invoice is attached by the shop.
    HC-130|price.window|If another shop sells the same article for less within 14 days of the order, Parcelry refunds the difference on request.
    HC-131|price.excluded|Offers on marketplaces, outlet sales and second-hand goods do not count for the price match.
    HC-140|size.shoes|Shoes are sized by foot length in the table of each product. Between two sizes the larger one fits better.
    HC-141|size.wear|Jackets and sweaters are measured at the chest, 2 cm below the armpit. Between two sizes choose by the layer worn beneath.
    HC-150|care|Olive wood is oiled before first use and wiped with a damp cloth. It does not go into the dishwasher.
    HC-160|gift|Gift cards are valid for 36 months and can be used in several steps.
    HC-170|news|The newsletter comes out twice a month. It can be cancelled at any time.
    HC-180|login|A login link stays valid for 20 minutes and works once.
    HC-190|packaging|Parcels are packed in recycled cardboard. Fragile goods travel in moulded pulp.
    HC-200|voucher|One voucher can be used per order. A voucher cannot be combined with a price match.
    HC-210|business|Business customers receive invoices with their tax number on request at checkout.
    """.strip().splitlines()
)
BY_TOPIC: Final = {a.topic: a for a in ARTICLES}
EU: Final = frozenset({"DE", "AT", "FR", "ES", "IT", "SE"})


def delivery_topic(country: str) -> tuple[str, int, int]:
    """The article about standard delivery to a country, with its lower and upper number of days."""
    if country in EU:
        return "delivery.eu", 2, 4
    if country in ("US", "CA"):
        return "delivery.us", 6, 9
    if country in ("GB", "IE", "CH"):
        return "delivery.uk", 3, 5
    return "delivery.world", 8, 14


def search(
    rng: random.Random, *topics: str, avoid: str = "", size: int = 3
) -> list[dict[str, object]]:
    """Documents for a query: the articles of the topics on top, others below.

    Args:
        rng: draws the other articles and the scores.
        topics: what the search finds; empty for a miss.
        avoid: start of the topics that a miss must not show.
        size: number of documents.

    Returns:
        Documents with id, score (0 to 1, falling) and content.
    """
    hits = [BY_TOPIC[t] for t in topics]
    family = {t.split(".")[0] for t in topics}
    others = [a for a in ARTICLES if a not in hits and not (avoid and a.topic.startswith(avoid))]
    near = [a for a in others if a.topic.split(".")[0] in family]
    rng.shuffle(others)
    tail = ([near[0]] if near else []) + [a for a in others if a not in near]
    chosen = hits + tail[: max(0, size - len(hits))]
    top, rest = rng.uniform(0.74, 0.91), rng.uniform(0.28, 0.46)
    return [
        {
            "id": a.id,
            "score": round((top if n < len(hits) else rest) - 0.03 * n, 3),
            "content": a.content,
        }
        for n, a in enumerate(chosen)
    ]
