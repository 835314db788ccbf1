"""Facts in a text, and what supports them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.grading.facts import Fact, facts_of
from pipeline.grading.support import Support, unsupported


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Order P-12345678 shipped", [Fact("id", "P-12345678")]),
        ("It costs €1,234.50", [Fact("amount", 1234.5)]),
        ("Das kostet 1.234,50 EUR", [Fact("amount", 1234.5)]),
        ("7.50 is deducted", [Fact("number", 7.5)]),
        ("on 2026-11-07", [Fact("date", (11, 7))]),
        ("on November 7th, 2026", [Fact("date", (11, 7))]),
        ("am 7. November", [Fact("date", (11, 7))]),
        ("el 7 de noviembre", [Fact("date", (11, 7))]),
        ("07.11.2026", [Fact("date", (11, 7))]),
        ("11/25/2026", [Fact("date", (11, 25))]),  # 25 is no month
        ("before 14:00", [Fact("time", (14, 0))]),
        ("at 02:00 PM", [Fact("time", (14, 0))]),
        ("after 11am", [Fact("time", (11, 0))]),
        ("at 12:30 a.m.", [Fact("time", (0, 30))]),
        ("07:30:00", [Fact("time", (7, 30))]),
        ("at 7:30", [Fact("time", (7, 30), "half_day")]),  # morning or evening is not said
        ("within 30 days", [Fact("number", 30.0, "day")]),
        ("2 to 4 working days", [Fact("number", 2.0, "day"), Fact("number", 4.0, "day")]),
        ("innerhalb von 30 Tagen", [Fact("number", 30.0, "day")]),
        ("24 months", [Fact("number", 24.0, "month")]),
        ("EMAIL_ADDRESS_BCDFGHJKLMNP", [Fact("id", "EMAIL_ADDRESS_BCDFGHJKLMNP")]),
        # names and towns are told by context: masked here and not there, they support nothing
        ("PERSON_BCDFGHJKLMNP", []),
        ("1. first\n2. second", []),
        ("see https://a.example/2026", []),
        ("nothing at all", []),
    ],
)
def test_facts_of(text: str, expected: list[Fact]) -> None:
    assert list(facts_of(text)) == expected


def support() -> Support:
    """A result of two prices, one twice: 20.00, 2 x 15.50; and times of day."""
    made = Support()
    made.add_text("Order P-12345678, placed 2026-11-07, delivery takes 2 to 4 working days")
    made.add_json({"items": [{"price": 20.0, "quantity": 1}, {"price": 15.5, "quantity": 2}]})
    made.add_text('{"departs": "22:00:00", "booked": "2026-11-07T08:28:51"}; I start at 9')
    return made


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("P-12345678 of 7 November", 0),
        ("P-99999999", 1),
        ("8 November", 1),
        ("35.50 EUR", 0),  # 20.00 + 15.50
        ("4.50 EUR less", 0),  # 20.00 - 15.50
        ("31.00 EUR", 0),  # 2 x 15.50
        ("two parcels, 2 items", 0),  # the list has two entries
        ("77.77 EUR", 1),
        ("35.50 EUR and 31.00 EUR, so 66.50 EUR", 0),  # reckoned before the reader's eyes
        ("departs 10:00 PM", 0),
        ("departs at 10:00", 0),  # who says no half of the day means either
        ("departs 10:00 AM", 1),
        ("booked at 08:28", 0),
        ("from 09:00 AM on", 0),
        ("4 working days", 0),
        ("4 years", 1),  # only ever said of days
    ],
)
def test_what_supports_a_fact(text: str, left: int) -> None:
    assert len(unsupported(facts_of(text), support())) == left


@given(st.text(max_size=200))
def test_a_text_always_supports_itself(text: str) -> None:
    made = Support()
    made.add_text(text)
    assert unsupported(facts_of(text), made) == []
