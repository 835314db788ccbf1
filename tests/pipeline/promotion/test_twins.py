"""Near-duplicates: found whatever the numbers and names in them, led by the earliest."""

from __future__ import annotations

import random
import time

from hypothesis import given
from hypothesis import strategies as st

from pipeline.promotion.twins import fingerprint, group_twins

LONG = "I ordered a blue lamp three weeks ago and it still has not arrived, what is going on"


def test_names_and_numbers_do_not_make_a_difference():
    left = fingerprint([LONG + " 4711", "I am PERSON_KQXZBTRWMNPD"])
    right = fingerprint([LONG + " 0815", "I am PERSON_BCDFGHJKLMNP"])
    assert left == right


def test_a_word_more_is_a_twin_and_another_request_is_not():
    prints = [
        fingerprint([LONG]),
        fingerprint([LONG + " please"]),  # 17 of 18 triples are shared
        fingerprint(["Can I still send the red shoes back after the sale"]),
    ]
    assert group_twins(prints, 0.8) == [0, 0, 2]


def test_a_conversation_without_a_word_is_the_twin_of_nothing():
    assert group_twins([fingerprint([]), fingerprint([" "])], 0.8) == [0, 1]


WORDS = st.lists(
    st.sampled_from(["where", "is", "my", "parcel", "order", "lamp", "late", "now", "please"]),
    min_size=1,
)


@given(st.lists(WORDS, min_size=1, max_size=25))
def test_who_comes_later_never_moves_a_leader(texts):
    prints = [fingerprint([" ".join(words)]) for words in texts]
    leaders = group_twins(prints, 0.8)
    for length in range(1, len(prints) + 1):
        assert group_twins(prints[:length], 0.8) == leaders[:length]
    assert all(leaders[leader] == leader for leader in leaders)


def test_ten_thousand_conversations_are_compared_in_seconds():
    draw = random.Random(5)
    vocabulary = [f"word{letter}{other}" for letter in "abcdefghij" for other in "klmnopqrst"]
    texts = [" ".join(draw.choices(vocabulary, k=30)) for _ in range(2000)]
    start = time.monotonic()
    prints = [fingerprint([text]) for text in texts]
    leaders = group_twins(prints * 5, 0.8)
    print(f"2,000 fingerprints and 10,000 comparisons: {time.monotonic() - start:.1f} s")
    assert leaders[2000:4000] == list(range(2000))
