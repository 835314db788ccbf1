"""Which conversations ask the same in other words: turn by turn, by meaning.

MinHash tells apart what differs by a word or two in a long text, and nothing in a short one: of
1,500 banking77 questions, each changed by one small edit (a greeting, a word more, a letter less,
a closing phrase), it pairs 33 % at a Jaccard of 0.8. Word vectors at a cosine of 0.92 pair 74 %,
and of pairs from two different intents three in a million, mislabelled ones among them; MiniLM
pairs 80 % at 0.94 with one in a million, at a hundredth of the speed. So words do for the suite.

Turns are compared one by one: the mean over a whole conversation is near to that of any other
about the same business. Answers of a word or two ("yes, please") say nothing and are left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.embedding import Embedder, Vectors
from pipeline.failures import mask

__all__ = ["Crowd", "Likeness", "Turns", "telling", "turns_of"]

Turns = tuple[str, ...]
"""What a user said, turn by turn, masked, without what says nothing."""

_FEWEST_WORDS = 4
_BLOCK = 512  # rows of the matrix of similarities that is held at once


def turns_of(case: Mapping[str, Any]) -> Turns:
    """The turns of the user in a case; a case that a person mangled has none."""
    given = case.get("input")
    messages = given.get("messages") if isinstance(given, Mapping) else None
    if not isinstance(messages, list):
        return ()
    said = [
        m.get("content") for m in messages if isinstance(m, Mapping) and m.get("role") == "user"
    ]
    return telling(text for text in said if isinstance(text, str))


def telling(texts: Iterable[str]) -> Turns:
    """Those of the texts that say something, masked."""
    masked = (mask(text).lower() for text in texts)
    return tuple(text for text in masked if len(text.split()) >= _FEWEST_WORDS)


class Likeness:
    """Compares turns by their vectors; a text is embedded once."""

    def __init__(self, embedder: Embedder, similarity: float) -> None:
        self._embedder, self._similarity = embedder, similarity
        self._places: dict[str, int] = {}
        self._vectors: list[Vectors] = []
        self._table: Vectors | None = None

    def learn(self, several: Iterable[Turns]) -> None:
        """Embed, in one batch, what has not been embedded."""
        new = list({t: None for turns in several for t in turns if t not in self._places})
        if new:
            self._places |= {text: len(self._places) + n for n, text in enumerate(new)}
            self._vectors.append(self._embedder.embed(new))
            self._table = None

    def within(self, asked: Sequence[Turns], others: Sequence[Turns]) -> Iterator[tuple[int, int]]:
        """Pairs (n, m) such that all that `asked[n]` says is said in `others[m]` too, in order."""
        self.learn([*asked, *others])
        holders: dict[int, set[int]] = {}
        for place, turns in enumerate(others):
            for text in turns:
                holders.setdefault(self._places[text], set()).add(place)
        near = self._near({self._places[t] for turns in asked for t in turns}, sorted(holders))
        homes = {place: {m for other in found for m in holders[other]}
                 for place, found in near.items()}  # fmt: skip
        for place, turns in enumerate(asked):
            if turns:
                found = set.intersection(*(homes[self._places[text]] for text in turns))
                yield from ((place, other) for other in sorted(found))

    def _near(self, places: set[int], others: Sequence[int]) -> dict[int, list[int]]:
        """For each of the texts `places` those of `others` that are near to it."""
        rows = sorted(places)
        near: dict[int, list[int]] = {place: [] for place in rows}
        table = self._all()
        targets = table[list(others)]
        for start in range(0, len(rows) if len(others) else 0, _BLOCK):
            block = rows[start : start + _BLOCK]
            hits: NDArray[np.intp] = np.argwhere(table[block] @ targets.T >= self._similarity)
            for row, column in hits.tolist():
                near[block[row]].append(others[column])
        return near

    def places(self, turns: Turns) -> list[int]:
        """Rows of the turns in the table of vectors."""
        self.learn([turns])
        return [self._places[text] for text in turns]

    def near(self, one: list[int], others: list[list[int]]) -> NDArray[np.bool_]:
        """Of conversations of as many turns, which ask the same turn by turn."""
        table = self._all()
        found: NDArray[np.bool_] = (table[others] * table[one]).sum(axis=2).min(axis=1) >= (
            self._similarity
        )
        return found

    def _all(self) -> Vectors:
        if self._table is None:
            self._table = (
                np.concatenate(self._vectors) if self._vectors else np.zeros((0, 1), np.float32)
            )
        return self._table


class Crowd:
    """Conversations that others are compared with, turn by turn; it grows."""

    def __init__(self, likeness: Likeness) -> None:
        self._likeness = likeness
        self._rows: dict[int, list[list[int]]] = {}
        self._names: dict[int, list[int]] = {}

    def add(self, turns: Turns, name: int) -> None:
        """Take in a conversation under a number of the caller's."""
        self._rows.setdefault(len(turns), []).append(self._likeness.places(turns))
        self._names.setdefault(len(turns), []).append(name)

    def alike(self, turns: Turns) -> list[int]:
        """The numbers of those that ask the same, in the order they came; none is like no words."""
        rows = self._rows.get(len(turns)) if turns else None
        if not rows:
            return []
        near = self._likeness.near(self._likeness.places(turns), rows)
        names = self._names[len(turns)]
        return [names[place] for place in np.flatnonzero(near).tolist()]
