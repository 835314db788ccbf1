"""What must hold of a record for a tool to be called: conditions, as a conversation goes on."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from pipeline.grading.conversation import Message
from pipeline.grading.rules.kinds import search
from pipeline.grading.rules.reading import plain, values_at, values_under
from pipeline.registry.rules import Condition

__all__ = ["Conditions"]


class Conditions:
    """Conditions of which one must be met, at the point that the conversation has reached.

    Args:
        conditions: as the rule has them.
        today: the day of the conversation.
    """

    def __init__(self, conditions: Sequence[Condition], today: date | None) -> None:
        self._conditions, self._today = conditions, today
        self._said: set[int] = set()  # places of those whose words the user has said
        self._fields = [_Field(one, today) for one in conditions]
        self.looked = False

    def hear(self, message: Message) -> None:
        """Take in what was said; only the user's words count."""
        for place, one in enumerate(self._conditions) if message.role == "user" else ():
            if place not in self._said and any(search(p, message.text) for p in one.said):
                self._said.add(place)

    def look(self, record: Any) -> None:
        """Take in a record, where any of those that were looked up will do."""
        self.looked = True
        for field in self._fields:
            field.add(record)

    def met(self, record: Any = None) -> bool:
        """Whether a condition is met by `record`; without one, by what was looked at so far."""
        return any(
            (not one.said or place in self._said) and self._of(place, record).holds
            for place, one in enumerate(self._conditions)
        )

    def _of(self, place: int, record: Any) -> _Field:
        if record is None:
            return self._fields[place]
        field = _Field(self._conditions[place], self._today)
        field.add(record)
        return field


class _Field:
    """Whether the values of a condition's field meet it; each record adds to them."""

    def __init__(self, condition: Condition, today: date | None) -> None:
        self._condition, self._today = condition, today
        self._wanted = set(map(plain, condition.one_of))
        self._named = not condition.one_of
        self._recent = condition.within_days is None

    def add(self, record: Any) -> None:
        field = self._condition.field
        if field is None or self.holds:
            return
        values = values_at(record, field) or list(values_under(record, field))
        self._named = self._named or any(plain(value) in self._wanted for value in values)
        self._recent = self._recent or any(map(self._is_within, values))

    @property
    def holds(self) -> bool:
        return self._named and self._recent

    def _is_within(self, value: Any) -> bool:
        days, today = self._condition.within_days, self._today
        try:
            passed = today - date.fromisoformat(str(value)[:10]) if today else None
        except ValueError:
            return False
        return passed is not None and days is not None and 0 <= passed.days <= days
