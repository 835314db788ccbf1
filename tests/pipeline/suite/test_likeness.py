"""Who asks the same in other words: turn by turn, and without the turns that say nothing."""

from __future__ import annotations

import csv
import random
from pathlib import Path

import pytest

from pipeline.embedding import word_embedder
from pipeline.suite.likeness import Crowd, Likeness, telling, turns_of

ASKED = "It says delivered but I never got anything. My order is number P-4711"
AGAIN = "It says delivered but I never got anything. The order number is P-1812"
OTHER = "Can I still send the red shoes back after the sale?"


def likeness(similarity: float = 0.92) -> Likeness:
    return Likeness(word_embedder(), similarity)


def alike(one: list[str], *others: list[str]) -> list[int]:
    """Places of those of `others` that ask the same as `one`."""
    crowd = Crowd(likeness())
    for place, other in enumerate(others):
        crowd.add(telling(other), place)
    return crowd.alike(telling(one))


def test_other_words_for_the_same_and_another_request() -> None:
    assert alike([ASKED], [AGAIN], [OTHER], [ASKED]) == [0, 2]


def test_turns_are_compared_one_by_one() -> None:
    assert alike([ASKED, OTHER], [OTHER, ASKED], [ASKED], [AGAIN, OTHER]) == [2]


def test_what_says_nothing_is_left_out_and_nothing_is_like_nothing() -> None:
    assert telling(["Yes, please", "ok", ASKED]) == telling([ASKED])
    assert alike(["ok"], ["ok"]) == []


def test_all_that_one_says_may_be_said_in_a_longer_one() -> None:
    long, short, silent = telling([ASKED, OTHER]), telling([AGAIN]), telling(["ok"])
    found = set(likeness().within([long, short, silent], [long, short, silent]))
    assert found == {(0, 0), (1, 1), (1, 0)}


@pytest.mark.parametrize(
    "case",
    [{}, {"input": None}, {"input": {"messages": "none"}}, {"input": {"messages": [1, {}]}},
     {"input": {"messages": [{"role": "user", "content": 7}]}}],
)  # fmt: skip
def test_a_case_that_a_person_mangled_has_no_turns(case: dict[str, object]) -> None:
    assert turns_of(case) == ()


def edit(text: str, draw: random.Random) -> str:
    """One small edit: a greeting, a word more, a letter less, or a closing phrase."""
    words = text.split()
    place = draw.randrange(len(words))
    match draw.randrange(4):
        case 0:
            return draw.choice(("Hi, ", "Hello there, ", "please ")) + text
        case 1:
            return " ".join([*words[:place], "really", *words[place:]])
        case 2:
            return " ".join([*words[:place], words[place][1:], *words[place + 1 :]])
    return text + draw.choice((" Thanks!", " please help me", " What should I do?"))


def test_the_threshold_tells_small_edits_from_other_intents(shared_data: Path) -> None:
    """The figures that the module states, on a smaller draw, with room for it."""
    draw = random.Random(1)
    with (shared_data / "banking77" / "train.csv").open(encoding="utf-8") as lines:
        rows = draw.sample(list(csv.DictReader(lines)), 600)
    texts = [row["text"] for row in rows]
    crowd = Crowd(compared := likeness())
    compared.learn(telling([text]) for text in texts)
    for place, text in enumerate(texts):
        crowd.add(telling([text]), place)
    edited = [telling([edit(text, draw)]) for text in texts]
    compared.learn(edited)
    assert sum(n in crowd.alike(turns) for n, turns in enumerate(edited)) > 0.6 * len(texts)
    turns = [telling([text]) for text in texts]
    strangers = sum(
        rows[one]["category"] != rows[other]["category"]
        for one, other in compared.within(turns, turns)
        if one < other
    )
    assert strangers <= 3  # of some 177,000 pairs of two intents
