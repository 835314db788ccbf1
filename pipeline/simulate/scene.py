"""One conversation while it is being written: who speaks, what is called, what goes wrong."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from . import wording
from .catalogue import Order, Product
from .people import Person
from .phrasebook import load
from .plan import Phrases

Json = object


@dataclass(slots=True)
class Call:
    """One tool call; without a result it failed, and `error` says how."""

    tool: str
    arguments: Mapping[str, Json]
    result: Json
    error: str = ""
    ms: int = 0


@dataclass(slots=True)
class Turn:
    """What the customer said, what the agent looked up, and its answer."""

    user: str
    calls: list[Call] = field(default_factory=list)
    answer: str = ""
    finish: str = "stop"


class Scene:
    """A conversation being written.

    Attributes:
        turns: what was said and done so far.
        happened: planted failures that took place, in order.
        over: whether the customer has left.
        flaky: chance, beside the usual one, that a look-up has to be made twice.
    """

    def __init__(
        self,
        rng: random.Random,
        phrases: Phrases,
        who: Person,
        today: dt.date,
        seed: int,
        flaws: Sequence[str] = (),
        lesson: str = "",
    ) -> None:
        self.rng = rng
        self.phrases: Phrases = phrases
        self.who = who
        self.today = today
        self.seed = seed
        self.lesson = lesson
        self.planned = set(flaws)
        self.happened: list[str] = []
        self.turns: list[Turn] = []
        self.over = False
        self.flaky = 0.0
        self.lang = who.lang
        self.answer_lang = who.lang
        self.style = rng.choices(["plain", "casual", "terse"], [0.66, 0.2, 0.14])[0]
        self.order: Order | None = None
        self.order_seen = False
        self.wants_empathy = False
        self.played: set[str] = set()
        self.slots: dict[str, str] = {
            "first": who.first,
            "last": who.last,
            "name": f"{who.first} {who.last}",
            "email": who.email,
            "phone": who.phone,
            "address": who.address,
            "city": who.city,
            "born": wording.date(who.born, "en", rng) + f" {who.born.year}"
            if who.lang == "en"
            else who.born.strftime("%d.%m.%Y" if who.lang == "de" else "%d/%m/%Y"),
        }

    def chance(self, probability: float) -> bool:
        """Whether something with this probability happens."""
        return self.rng.random() < probability

    def flaw(self, kind: str, lesson: str = "") -> bool:
        """Whether a planted failure takes place here; it then counts as having happened."""
        if kind not in self.planned or (lesson and not self.lesson.startswith(lesson)):
            return False
        self.mark(kind)
        return True

    def mark(self, *kinds: str) -> None:
        """Record that failures took place."""
        self.happened.extend(k for k in kinds if k not in self.happened)

    def phrase(self, key: str, lang: str = "", **slots: object) -> str:
        """One wording of a key in a language."""
        options = load(self.phrases, lang or self.lang)[key]
        values = {**self.slots, **{k: str(v) for k, v in slots.items()}}
        return wording.tidy(self.rng.choice(options).format_map(values))

    def price(self, amount: float, lang: str = "") -> str:
        """An amount in the customer's currency."""
        return wording.money(amount, self.who.currency, lang or self.answer_lang, self.rng)

    def date(self, day: dt.date) -> str:
        """A date in the agent's language."""
        return wording.date(day, self.answer_lang, self.rng)

    def country(self, lang: str = "") -> str:
        """The customer's country in a language."""
        names = wording.COUNTRY_NAMES
        code = self.who.country
        return names[lang or self.lang].get(code, names["en"][code])

    def use(self, order: Order) -> Order:
        """Make an order the one that is talked about."""
        self.order = order
        self.slots |= {"order": order.order_id, "track": order.tracking, "item": order.item.name}
        return order

    def about(self, product: Product) -> Product:
        """Make an article the one that is talked about."""
        self.slots |= {"item": product.name, "sku": product.sku}
        return product

    def ask(self, *keys: str, text: str = "", **slots: str) -> None:
        """The customer says something: the wordings of the keys, then the text as it is."""
        parts = [self.phrase(k, **slots) for k in keys]
        said = self._joined([*parts, text])
        if self.style != "plain" and len(said) > 3:
            if not said[:2].isupper():
                said = said[0].lower() + said[1:]
            said = said.removesuffix(".")
        self.turns.append(Turn(said))

    def _joined(self, parts: Sequence[str]) -> str:
        """Sentences in a row; after a comma the next one starts small, names aside."""
        said = ""
        names = tuple(self.slots.values())
        for part in filter(None, parts):
            small = said.endswith(",") and not part.startswith((*names, "I ", "I'", "P-"))
            said = f"{said} {part[0].lower() + part[1:] if small else part}".lstrip()
        return said

    def call(
        self, tool: str, arguments: Mapping[str, Json], result: Json = None, error: str = ""
    ) -> None:
        """The agent calls a tool."""
        slow = 10_000 if error == "timeout" else self.rng.randint(60, 900)
        self.turns[-1].calls.append(Call(tool, arguments, None if error else result, error, slow))

    def tell(self, *keys: str, text: str = "", finish: str = "stop", **slots: object) -> None:
        """The agent answers; where the policy asks for understanding, its first words show it."""
        parts = [self.phrase(k, self.answer_lang, **slots) for k in keys]
        if self.wants_empathy:
            self.wants_empathy = False
            cold = self.flaw("cold_tone")
            parts.insert(0, self.phrase("cold" if cold else "empathy", self.answer_lang))
        self.turns[-1].answer = " ".join(p for p in [*parts, text] if p)
        self.turns[-1].finish = finish
