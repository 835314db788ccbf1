"""What an answer may rest on: all that was said or found before it, and what follows from that."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pipeline.grading.conversation import Conversation, Turn
from pipeline.grading.facts import Fact, facts_of

__all__ = ["GrowingSupport", "Support", "support_before", "unsupported"]

_CENT = 0.011


@dataclass
class Support:
    """Everything an answer may rest on: what users, tools, documents and the prompt said."""

    ids: set[str] = field(default_factory=set)
    dates: set[tuple[int, int]] = field(default_factory=set)
    times: set[tuple[int, int]] = field(default_factory=set)
    numbers: set[float] = field(default_factory=set)
    units: dict[float, set[str | None]] = field(default_factory=dict)
    _said: list[str] = field(default_factory=list)
    _rounded: set[int] = field(default_factory=set)
    _money: list[list[float]] = field(default_factory=list)

    def add_text(self, text: str) -> None:
        """Let the facts of `text` count as supported."""
        self._said.append(text.upper())
        for fact in facts_of(text):
            if isinstance(fact.value, str):
                self.ids.add(fact.value)
            elif fact.kind == "time":
                self.times.update(_readings(fact))
            elif isinstance(fact.value, tuple):
                self.dates.add(fact.value)
            else:
                self._add_number(fact.value)
                self.units.setdefault(fact.value, set()).add(fact.unit)

    def add_json(self, value: Any) -> None:
        """Let the numbers of a parsed result count, with its lists' lengths and columns' sums."""
        numbers: list[float] = []
        counts: set[float] = set()
        _collect(value, numbers, counts)
        for number in (*numbers, *counts):
            self._add_number(number)
        self._money.append(sorted(set(numbers))[:40])

    def _add_number(self, number: float) -> None:
        self.numbers.add(number)
        nearest = math.floor(number + 0.5) if math.isfinite(number) else None
        if nearest is not None and nearest != number and abs(nearest - number) < 0.5:
            self._rounded.add(nearest)

    def supports(self, fact: Fact) -> bool:
        """Whether `fact` was said before, or follows from one result by one sum or product."""
        if fact.kind == "id":
            return str(fact.value) in self.ids or self._was_said(str(fact.value))
        if fact.kind == "date":
            return fact.value in self.dates
        if fact.kind == "time":
            return any(self._tells(reading) for reading in _readings(fact))
        number = float(fact.value)  # type: ignore[arg-type]
        units = self.units.get(number, set())
        if fact.unit and units and None not in units and fact.unit not in units:
            return False  # "4 years" does not follow from "2 to 4 working days"
        return self._near(number) or self._follows(number)

    def _tells(self, time: tuple[int, int]) -> bool:
        """Whether a time was said, stands in a timestamp, or its bare hour was said ("at 9")."""
        hour, minute = time
        said = time in self.times or self._was_said(f"T{hour:02}:{minute:02}")
        return said or (minute == 0 and bool({float(hour), float(hour % 12)} & self.numbers))

    def _was_said(self, upper: str) -> bool:
        return any(upper in text for text in self._said)

    def _near(self, number: float) -> bool:
        if number in self.numbers or round(number, 2) in self.numbers:
            return True
        # 21.4 said as 21, 1.25 kg said as 1250 g
        return (
            number in self._rounded
            or number * 1000 in self.numbers
            or number / 1000 in self.numbers
        )

    def _follows(self, number: float) -> bool:
        """Sums, differences and products of two numbers, and whole sums, within 0.01."""
        for values in self._money:
            if abs(sum(values) - number) < _CENT:
                return True
            known = set(values)
            for value in values:
                for other in (number - value, number + value, value - number):
                    if any(abs(other - k) < _CENT for k in (round(other, 2),) if k in known):
                        return True
                if value > 1 and abs(number / value - round(number / value)) < 1e-6:
                    factor = round(number / value)
                    if 2 <= factor <= 20 and float(factor) in known:
                        return True
        return False


class GrowingSupport:
    """The support of one answer after another: what was taken in for one stays for the next.

    What the agent itself said before is no support; the arguments of calls that succeeded are.
    """

    def __init__(self, conversation: Conversation) -> None:
        self._turns = iter(conversation.turns)
        self._taken = -1
        self._support = Support()
        self._support.add_text(conversation.system)

    def until(self, turn: Turn) -> Support:
        """The prompt, and users, tools and documents up to `turn`, which is no earlier than before.

        The same object is given again with more in it.
        """
        while self._taken < turn.number:
            self._take_in(next(self._turns))
        return self._support

    def _take_in(self, turn: Turn) -> None:
        support = self._support
        self._taken = turn.number
        if turn.user:
            support.add_text(turn.user.text)
        for call in turn.calls:
            if not call.failed:
                support.add_text(call.result_text)
                support.add_text(call.arguments_text)
                support.add_json([call.result, call.arguments])
        for document in turn.documents:
            support.add_text(document.content)
            support.ids.add(document.id.upper())


def support_before(conversation: Conversation, turn: Turn) -> Support:
    """The support of the answer of one `turn`; of several in order see `GrowingSupport`."""
    return GrowingSupport(conversation).until(turn)


def unsupported(facts: Iterable[Fact], support: Support) -> list[Fact]:
    """Those of `facts`, all of one answer, that `support` does not hold.

    An amount that is the sum or difference of two others of the answer, or the sum of all those
    that are supported, is reckoned before the reader's eyes and stands.
    """
    shown = list(facts)
    missing = [fact for fact in shown if not support.supports(fact)]
    stated = [f.value for f in shown if f.kind == "amount" and f not in missing]
    reckoned: list[Fact] = missing
    while reckoned:
        reckoned = [f for f in missing if f.kind == "amount" and _reckons(f.value, stated)]
        stated += [f.value for f in reckoned]
        missing = [f for f in missing if f not in reckoned]
    return missing


def _reckons(amount: Any, stated: list[Any]) -> bool:
    """Whether an amount is one of `stated` more or less than another, or all of them together."""
    pairs = any(abs(abs(amount - one) - two) < _CENT for one in stated for two in stated)
    return pairs or (len(stated) > 1 and abs(sum(stated) - amount) < _CENT)


def _readings(fact: Fact) -> list[tuple[int, int]]:
    """The times of day that a time may mean."""
    if not isinstance(fact.value, tuple):
        return []
    hour, minute = fact.value
    return [(hour, minute), ((hour + 12) % 24, minute)] if fact.unit else [(hour, minute)]


def _collect(value: Any, numbers: list[float], counts: set[float], depth: int = 0) -> None:
    if depth > 50:
        return
    if isinstance(value, Mapping):
        for item in value.values():
            _collect(item, numbers, counts, depth + 1)
    elif isinstance(value, list):
        counts.add(float(len(value)))
        counts.update(_column_sums(value))
        for item in value:
            _collect(item, numbers, counts, depth + 1)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        numbers.append(round(float(value), 6))


def _column_sums(rows: list[Any]) -> list[float]:
    """The sum of each column of a list of objects: what the items of an order come to."""
    sums: dict[str, float] = defaultdict(float)
    for row in rows:
        for key, item in row.items() if isinstance(row, Mapping) else ():
            if isinstance(item, int | float) and not isinstance(item, bool):
                sums[key] += item
    return [round(total, 6) for total in sums.values()]
