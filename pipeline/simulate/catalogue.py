"""What the shop sells and the orders its customers have placed."""

# ruff: noqa: E501  (a row of a table is a line)

from __future__ import annotations

import datetime as dt
import random
from dataclasses import dataclass
from typing import Final

from .draws import digits, rng_for
from .people import Person


@dataclass(frozen=True, slots=True)
class Product:
    """One article of the shop; the price is the same number in every currency."""

    sku: str
    name: str
    price: float
    kind: str
    details: str


def _products() -> tuple[Product, ...]:
    rows = """
    NW-1042|Nordwall Trail Jacket|129.90|wear|Waterproof to 10000 mm, hood, sizes XS to XL, runs small
    NW-2210|Nordwall Fleece Vest|54.50|wear|Recycled polyester 240 g/m2, two zip pockets, true to size
    HL-0310|Hallin Merino Sweater|89.00|wear|Merino wool, hand wash at 30 degrees, true to size
    HL-0455|Hallin Linen Shirt|62.00|wear|Linen, relaxed fit, true to size, wash at 40 degrees
    TF-8801|Terrafoot Hiking Boots|174.95|shoes|Leather, sizes 36 to 47, order half a size up
    TF-8120|Terrafoot City Sneakers|79.90|shoes|Canvas, sizes 35 to 46, true to size
    BK-3301|Birkvik Rain Boots|46.00|shoes|Natural rubber, sizes 36 to 45, runs large
    LM-5002|Lumio Desk Lamp|42.90|electronics|LED 9 W, 3 brightness levels, USB-C port
    LM-5060|Lumio Bedside Clock|34.00|electronics|Alarm, dimmable display, battery backup
    SN-7101|Sonara Headphones|199.00|electronics|Bluetooth 5.3, 32 hours battery, folds flat
    SN-7150|Sonara Bookshelf Speaker|329.00|electronics|60 W, optical input, walnut veneer
    SN-7009|Sonara Earbuds|69.90|electronics|Bluetooth 5.3, 8 hours battery, 4 tip sizes
    KV-2005|Kvarn Coffee Grinder|118.00|kitchen|40 mm steel burrs, 18 grind settings
    KV-2040|Kvarn Espresso Machine|459.00|kitchen|15 bar, 1.8 l tank, steam wand
    KV-2011|Kvarn Kettle|58.90|kitchen|1.2 l, temperature steps of 5 degrees, 2200 W
    OL-6120|Olmo Cutting Board|38.50|kitchen|Olive wood, 40 x 25 cm, oil before first use
    OL-6135|Olmo Salad Bowl|44.00|kitchen|Olive wood, 28 cm, not dishwasher safe
    PX-9001|Pineridge Two-Person Tent|249.00|outdoor|2.4 kg, 3000 mm floor, 2 vestibules
    PX-9040|Pineridge Sleeping Bag|139.00|outdoor|Comfort 2 degrees, 1.1 kg, left zip
    PX-9077|Pineridge 40 l Backpack|112.50|outdoor|40 l, rain cover, back length adjustable
    PX-9102|Pineridge Camping Stove|64.90|outdoor|2800 W, folds to 12 cm, piezo lighter
    WV-4410|Wavelet Swim Goggles|18.90|sport|Anti-fog, UV 400, two nose bridges
    WV-4500|Wavelet Yoga Mat|39.90|sport|Natural rubber, 183 x 61 cm, 4 mm
    WV-4533|Wavelet Dumbbell Pair|74.00|sport|2 x 6 kg, cast iron with neoprene cover
    CB-1201|Cobbler Street Wallet|49.00|gift|Calf leather, 8 cards, coin pocket
    CB-1230|Cobbler Street Weekender|189.90|gift|Waxed canvas, 38 l, leather handles
    JN-3020|Junla Picture Book Set|27.50|gift|4 books, ages 3 to 6, hard cover
    JN-3051|Junla Wooden Train|59.00|gift|32 pieces, beech wood, ages 3 and up
    GD-7702|Gardis Watering Can|31.90|home|5 l, galvanised steel, removable rose
    GD-7745|Gardis Herb Planter|26.00|home|60 cm, drainage tray, zinc
    HM-8800|Hemma Wool Blanket|94.00|home|130 x 180 cm, lambswool, dry clean
    HM-8831|Hemma Linen Bedding|145.00|home|135 x 200 cm, stonewashed linen
    """
    parts = [line.strip().split("|") for line in rows.strip().splitlines()]
    return tuple(
        Product(sku, name, float(price), kind, text) for sku, name, price, kind, text in parts
    )


PRODUCTS: Final = _products()


@dataclass(frozen=True, slots=True)
class Order:
    """One order as `get_order` shows it."""

    order_id: str
    status: str
    placed: dt.date
    items: tuple[tuple[Product, int], ...]
    total: float
    currency: str
    tracking: str
    address: str
    eta: dt.date
    owner: Person

    @property
    def item(self) -> Product:
        """The article the conversation is about."""
        return self.items[0][0]

    def as_result(self) -> dict[str, object]:
        """The JSON answer of `get_order`."""
        who = self.owner
        return {
            "order_id": self.order_id,
            "status": self.status,
            "placed_on": self.placed.isoformat(),
            "items": [
                {"sku": p.sku, "name": p.name, "quantity": n, "price": p.price}
                for p, n in self.items
            ],
            "total": self.total,
            "currency": self.currency,
            "tracking_number": self.tracking if self.status in ("shipped", "delivered") else None,
            "shipping_address": {
                "name": f"{who.first} {who.last}",
                "street": who.street,
                "city": who.city,
                "country": who.country,
                "phone": who.phone,
                "email": who.email,
            },
        }


def tracking_number(rng: random.Random, country: str) -> str:
    """A parcel number of the postal union's form S10, check digit included."""
    body = digits(rng, 8)
    total = sum(int(d) * w for d, w in zip(body, (8, 6, 4, 2, 3, 5, 9, 7), strict=True))
    check = {10: 0, 11: 5}.get(11 - total % 11, 11 - total % 11)
    return f"RP{body}{check}{country}"


def order_of(
    seed: int, who: Person, status: str, today: dt.date, item: Product | None = None
) -> Order:
    """The order of this customer that has a status today; it stays the same for four days."""
    bucket = today.toordinal() // 4
    rng = rng_for(seed, "order", who.user_id, status, bucket, item.sku if item else "")
    age = {"processing": (0, 1), "payment_pending": (0, 2), "shipped": (3, 7), "delivered": (6, 20)}
    placed = dt.date.fromordinal(bucket * 4 - rng.randint(*age[status]))
    chosen = [item or rng.choice([p for p in PRODUCTS if p.price <= 200])]
    while rng.random() < 0.4 and len(chosen) < 4:
        extra = rng.choice([p for p in PRODUCTS if p not in chosen and p.price < 130])
        chosen.append(extra)
    items = tuple((p, 2 if n and rng.random() < 0.2 else 1) for n, p in enumerate(chosen))
    return Order(
        order_id=f"P-{digits(rng, 8)}",
        status=status,
        placed=placed,
        items=items,
        total=round(sum(p.price * n for p, n in items), 2),
        currency=who.currency,
        tracking=tracking_number(rng, who.country),
        address=who.address,
        eta=dt.date.fromordinal(bucket * 4 + 4 + rng.randint(1, 3)),
        owner=who,
    )
