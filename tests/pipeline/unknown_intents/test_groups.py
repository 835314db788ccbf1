"""Groups are as coarse as planned intents, keep their members, and are told from planned ones."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from pipeline.unknown_intents.cohesion import Cohesion, measure_cohesion
from pipeline.unknown_intents.kinds import kind_of
from pipeline.unknown_intents.members import Members, gather, own_neighbours
from pipeline.unknown_intents.naming import terms_of
from pipeline.unknown_intents.requests import Request

MONDAY = date(2026, 11, 2)


def turned(*degrees: float) -> np.ndarray:
    """Unit vectors in the plane."""
    angles = np.radians(degrees)
    return np.column_stack([np.cos(angles), np.sin(angles)])


def request(number: int, text: str = "", intent: str = "unknown", *tools: str) -> Request:
    name = f"trace-{number}"
    return Request(name, MONDAY, f"user-{number}", intent, 0.0, 1.0, text, frozenset(tools))


def test_cohesion_is_measured_on_the_exemplars():
    # two intents of two exemplars, 60 degrees apart within: every pair has a cosine of 0.5
    found = measure_cohesion(turned(0, 60, 180, 240), ["a", "a", "b", "b"])
    assert found.alike == pytest.approx(0.5)
    # each is 60 degrees from its fellow and 120 or more from strangers
    assert found.found == 1.0
    assert found.cut == pytest.approx(0.425)
    assert found.floor**2 == pytest.approx(found.alike)


def test_an_exemplar_nearer_to_strangers_is_one_that_a_group_would_not_find():
    # 50 is 50 from its fellow at 0 and 10 from the stranger at 60, which is 60 from its fellow
    assert measure_cohesion(turned(0, 50, 60, 120), ["a", "a", "b", "b"]).found == 0.5


def gathered(vectors: np.ndarray, far: list[bool], known: np.ndarray) -> list[Members]:
    keys = [f"trace-{n:03}" for n in range(len(vectors))]
    exemplars = turned(180, 200)
    groups, _ = gather(vectors, keys, np.array(far), exemplars, known, Cohesion(0.8, 1.0), 3)
    return groups


def test_requests_that_are_not_far_join_the_group_they_are_nearest_to():
    vectors = turned(0, 5, 10, 8, 190)
    (group,) = gathered(vectors, [True, True, True, False, False], np.zeros((0, 2)))
    assert (group.far, group.rows, group.known) == ((0, 1, 2), (0, 1, 2, 3), None)


def test_a_known_group_takes_its_members_first_however_few_they_are():
    vectors = turned(0, 90, 92, 94, 5, 190)
    groups = gathered(vectors, [True, True, True, True, False, False], turned(2))
    assert [(one.rows, one.known) for one in groups] == [((0, 4), 0), ((1, 2, 3), None)]


def test_wordings_that_lie_close_become_one_group_under_the_known_id():
    # 45 degrees apart: too far from the middle for a member, near enough for a wording
    vectors = turned(0, 1, 2, 45, 46, 47)
    (group,) = gathered(vectors, [True] * 6, turned(0))
    assert (len(group.rows), group.known) == (6, 0)


def test_remnants_have_their_neighbours_elsewhere():
    vectors = turned(0, 1, 2, 90, 91, 92, 180, 181, 182)
    assert own_neighbours(vectors, [0, 1, 2]) == 1.0
    assert own_neighbours(vectors, [0, 3, 6]) == 0.0


@pytest.mark.parametrize(
    ("members", "far", "together", "kind"),
    [
        ([("unknown", ())] * 5, 5, 0.9, ("unplanned", "nearest")),
        ([("refund", ())] * 3 + [("unknown", ())] * 2, 5, 0.9, ("wording", "refund")),
        ([("unknown", ("issue_refund",))] * 3 + [("unknown", ())] * 2, 5, 0.9,
         ("wording", "refund")),
        ([("unknown", ("issue_refund",))] * 2 + [("unknown", ("search",))] * 3, 5, 0.9,
         ("unplanned", "nearest")),
        ([("unknown", ())] * 5, 2, 0.9, ("wording", "nearest")),
        ([("unknown", ())] * 5, 5, 0.4, ("mixed", "nearest")),
    ],
    ids=["nothing planned", "planned names", "planned tools", "tools of no intent", "hardly far",
         "no subject"],
)  # fmt: skip
def test_a_group_is_unplanned_only_if_nothing_planned_explains_it(members, far, together, kind):
    requests = [request(n, "", intent, *tools) for n, (intent, tools) in enumerate(members)]
    one = Members(tuple(range(far)), tuple(range(len(members))), (), None)
    found = kind_of(one, requests, {"issue_refund": "refund"}, together, "nearest")
    assert (found.name, found.intent) == kind


def test_function_words_name_no_group_in_any_language():
    said = "which customs and where", "und welche der Zoll"
    group = [request(n, said[n % 2]) for n in range(10)]
    others = [request(n, "my parcel", "track_parcel") for n in range(10, 20)]
    terms = {word for term in terms_of({"0": group}, others, 3)["0"] for word in term.split()}
    assert {"customs", "zoll"} <= terms
    assert not terms & {"and", "which", "where", "und", "der", "welche"}
