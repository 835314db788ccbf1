"""One tree of merges, many rows by way of centres, and the cut that resamples agree on."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from pipeline.clustering import Cut, choose_cut, grow_tree, to_centres

CORNERS = np.eye(4)


def bunches(sizes: Sequence[int], spread: float) -> tuple[np.ndarray, list[int]]:
    """Unit vectors around as many corners, and the corner of each."""
    of = [n for n, size in enumerate(sizes) for _ in range(size)]
    noise = np.random.default_rng(1).normal(scale=spread, size=(len(of), 4))
    rows = CORNERS[of] + noise
    return rows / np.linalg.norm(rows, axis=1, keepdims=True), of


def same(labels: Sequence[int], truth: Sequence[int]) -> bool:
    pairs = set(zip(labels, truth, strict=True))
    return len(pairs) == len(set(labels)) == len(set(truth))


def test_a_tree_is_cut_by_likeness_or_by_number():
    # two rows at a cosine of 0.8, a third at 0 to both
    rows = np.array([[1.0, 0, 0], [0.8, 0.6, 0], [0, 0, 1.0]])
    tree = grow_tree(rows, "average")
    assert tree.cut(Cut(similarity=0.8)) == [0, 0, 1]
    assert tree.cut(Cut(similarity=0.81)) == [0, 1, 2]
    assert tree.cut(Cut(groups=1)) == [0, 0, 0]
    assert tree.cut(Cut(groups=9)) == [0, 1, 2]


def test_no_rows_and_one_row_are_groups_too():
    assert grow_tree(np.zeros((0, 4)), "average").cut(Cut(groups=1)) == []
    assert grow_tree(CORNERS[:1], "ward").cut(Cut(groups=3)) == [0]


@pytest.mark.parametrize("prefer", ["best", "plateau"])
def test_the_cut_on_which_resamples_agree_is_the_true_one(prefer):
    rows, of = bunches([15, 15, 15, 15], 0.1)
    keys = [f"row-{n:02}" for n in range(len(rows))]
    candidates = [Cut(groups=n) for n in (3, 4, 6, 9)]
    chosen = choose_cut(rows, keys, candidates, "ward", Cut(groups=1), prefer=prefer)
    assert chosen.cut == Cut(groups=4)
    assert chosen.stability == 1.0
    assert same(grow_tree(rows, "ward").cut(chosen.cut), of)
    assert choose_cut(rows, keys, candidates, "ward", Cut(groups=1), prefer=prefer) == chosen


def test_where_every_cut_leaves_rows_alone_none_is_chosen():
    chosen = choose_cut(CORNERS, list("abcd"), [Cut(similarity=0.7)], "average", Cut(groups=2))
    assert (chosen.cut, chosen.stability) == (Cut(groups=2), None)


def test_centres_stand_for_rows_of_their_own_kind():
    rows, of = bunches([300, 200, 100, 50], 0.05)
    centres, which = to_centres(rows, 20)
    assert len(centres) <= 20
    labels = grow_tree(centres, "average").cut(Cut(similarity=0.7))
    assert same([labels[centre] for centre in which], of)
    again, which_again = to_centres(rows, 20)
    assert np.array_equal(centres, again)
    assert which == which_again


def test_few_rows_are_their_own_centres():
    centres, which = to_centres(CORNERS, 4)
    assert np.array_equal(centres, CORNERS)
    assert which == [0, 1, 2, 3]
