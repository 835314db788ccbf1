"""Kin lie in one split, and what is published never changes its own."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pipeline.embedding import word_embedder
from pipeline.promotion.cases import split_of
from pipeline.registry import Settings
from pipeline.suite.likeness import Likeness, telling
from pipeline.suite.prompts import Prompt
from pipeline.suite.splits import Member, assign_splits

LIMITS = Settings().promotion
LIKENESS = Likeness(word_embedder(), 0.92)


def member(number: int, **fields: object) -> Member:
    known = {
        "case_id": f"case-{number}", "group": f"g{number}", "session": f"s{number}",
        "turns": (), "split": None, "order": (f"{number:03}",),
    }  # fmt: skip
    return Member(**(known | fields))  # type: ignore[arg-type]


def splits(members: list[Member], *prompts: Prompt) -> dict[str, str]:
    return assign_splits(members, prompts, LIKENESS, LIMITS)


def of_split(wanted: str, start: int = 0) -> int:
    """The first number from `start` on whose group is hashed into the split."""
    return next(n for n in range(start, 1000) if split_of(f"g{n}", LIMITS) == wanted)


def test_alone_a_case_is_in_the_split_of_its_group() -> None:
    members = [member(n) for n in range(50)]
    assert splits(members) == {m.case_id: split_of(m.group, LIMITS) for m in members}
    assert set(splits(members).values()) == {"regression", "example", "holdout"}


def test_one_session_one_group_and_one_request_are_one_split() -> None:
    held = of_split("holdout")
    other = of_split("regression", held)
    asked = telling(["It says delivered but I never got anything, order P-1"])
    again = telling(["It says delivered but I never got anything, my order P-2"])
    for kin in ({"session": "s"}, {"group": f"g{held}"}, {}):
        one = member(held, turns=asked, **kin)
        two = member(other, turns=again if not kin else (), **kin)
        assert set(splits([one, two]).values()) == {"holdout"}  # the earlier one's
    assert len(set(splits([member(held), member(other)]).values())) == 2


def test_what_is_published_stays_and_its_kin_follow() -> None:
    held, other = of_split("holdout"), of_split("regression")
    old = member(other, split="example", session="s")
    assert splits([old, member(held, session="s")]) == {
        f"case-{other}": "example", f"case-{held}": "example",
    }  # fmt: skip
    # two published ones that turn out to be kin: neither moves, the check tells
    apart = [old, member(held, split="holdout", session="s")]
    assert set(splits(apart).values()) == {"example", "holdout"}


def test_what_a_prompt_is_near_to_is_no_holdout() -> None:
    held = of_split("holdout")
    one = member(held, turns=telling(["Do I get my money back if it was lost on the way?"]))
    prompt = Prompt("p.md", "# Examples\nUser: do i get my money back if it was lost on the way?\n")
    assert splits([one]) == {one.case_id: "holdout"}
    assert splits([one], prompt) == {one.case_id: "regression"}


@given(
    keys=st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=1, max_size=14),
    seed=st.randoms(use_true_random=False),
)
def test_no_session_and_no_group_is_ever_torn_and_order_is_nothing(
    keys: list[tuple[int, int]], seed: object
) -> None:
    members = [member(n, session=f"s{s}", group=f"g{g}") for n, (s, g) in enumerate(keys)]
    found = splits(members)
    for one in members:
        for other in members:
            if one.session == other.session or one.group == other.group:
                assert found[one.case_id] == found[other.case_id]
    shuffled = list(members)
    seed.shuffle(shuffled)  # type: ignore[attr-defined]
    assert splits(shuffled) == found
