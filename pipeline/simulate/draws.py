"""Random numbers and ids that depend on names alone: never on the clock or on earlier draws."""

from __future__ import annotations

import random
from collections.abc import Sequence
from hashlib import blake2b


def digest(*parts: object, size: int = 16) -> str:
    """Hex digest of a tuple of names; `size` in bytes."""
    return blake2b("\x1f".join(map(str, parts)).encode(), digest_size=size).hexdigest()


def rng_for(*parts: object) -> random.Random:
    """A generator seeded by a tuple of names, the same on every machine."""
    return random.Random(int(digest(*parts, size=16), 16))


def pick(rng: random.Random, weights: Sequence[float]) -> int:
    """Index drawn in proportion to the weights."""
    point = rng.random() * sum(weights)
    for index, weight in enumerate(weights):
        point -= weight
        if point < 0:
            return index
    return len(weights) - 1


def digits(rng: random.Random, count: int) -> str:
    """A string of decimal digits that does not start with zero."""
    return str(rng.randint(10 ** (count - 1), 10**count - 1))
