"""Near-duplicate conversations: MinHash over what the users said.

Two conversations are twins when the Jaccard similarity of their word triples, estimated by the
share of equal values among 128 MinHashes (standard error at 0.8: 0.035), reaches the setting.
Surrogates count as their type and numbers as #, so the same request of two customers about two
orders is one. Candidates are found by 32 bands of 4 values (Leskovec et al., Mining of Massive
Datasets, ch. 3): a pair at 0.8 is missed with a chance of 5e-8. Who says the same to the word has
the same MinHashes, and is found by them alone.
"""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Iterable, Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from pipeline.failures import mask

__all__ = ["EMPTY_FINGERPRINT", "Fingerprint", "fingerprint", "group_twins"]

Fingerprint = array  # of 128 unsigned 32-bit values, 512 bytes; a tuple of ints takes 5 kB
_HASHES = 128
_BANDS = 32
_WORDS = 3
_PRIME = (1 << 31) - 1

EMPTY_FINGERPRINT: Fingerprint[int] = array("I")
"""Of a conversation without a word of the user: the twin of nothing."""


def fingerprint(texts: Iterable[str]) -> Fingerprint[int]:
    """The 128 MinHashes of the word triples of a user's turns; empty where there is no word."""
    words = mask(" ".join(texts)).lower().split()
    if not words:
        return EMPTY_FINGERPRINT
    last = max(len(words) - _WORDS, 0)
    triples = {" ".join(words[n : n + _WORDS]) for n in range(last + 1)}
    hashed = np.fromiter(map(_hash, triples), dtype=np.uint64, count=len(triples))
    factors, offsets = _permutations()
    permuted = _modulo(factors[:, None] * hashed[None, :] + offsets[:, None])
    return array("I", permuted.min(axis=1).astype(np.uint32).tobytes())


def group_twins(prints: Sequence[Fingerprint[int]], similarity: float) -> list[int]:
    """For each conversation the position of the earliest one it is a twin of, or its own.

    The order is the caller's, earliest first: a conversation joins the first leader that is near
    enough, never a chain of neighbours. Leaders keep their place whatever comes after them.
    """
    same: dict[bytes, int] = {}
    leaders = list(range(len(prints)))
    first: list[int] = []  # positions of those that say what nobody said before
    for position, own in enumerate(prints):
        if own and same.setdefault(own.tobytes(), position) == position:
            first.append(position)
    for place, leader in enumerate(_lead([prints[position] for position in first], similarity)):
        leaders[first[place]] = first[leader]
    return [
        leaders[same[own.tobytes()]] if own else position for position, own in enumerate(prints)
    ]


def _lead(prints: Sequence[Fingerprint[int]], similarity: float) -> list[int]:
    """The leader of each of several different conversations, by its place among them."""
    rows = np.frombuffer(b"".join(prints), dtype=np.uint32).reshape(-1, _HASHES)
    buckets: dict[tuple[int, int], list[int]] = {}
    leaders = []
    for place, shared in enumerate(_shared_bands(rows)):
        near = sorted({other for band in shared for other in buckets.get(band, ())})
        shares = (rows[near] == rows[place]).mean(axis=1) if near else np.zeros(0)
        matches = np.flatnonzero(shares >= similarity)
        leader = near[int(matches[0])] if matches.size else place
        leaders.append(leader)
        if leader == place:
            for band in shared:
                buckets.setdefault(band, []).append(place)
    return leaders


def _shared_bands(rows: NDArray[np.uint32]) -> list[list[tuple[int, int]]]:
    """For each row the bands, by number and value, that some other row has too.

    A value is a hash of the band's four: two that fall together cost a comparison, no more.
    """
    found: list[list[tuple[int, int]]] = [[] for _ in rows]
    bands = rows.reshape(len(rows), _BANDS, _HASHES // _BANDS).astype(np.uint64)
    for band in range(_BANDS):
        value = np.zeros(len(rows), dtype=np.uint64)
        for column in range(bands.shape[2]):
            value = (value ^ bands[:, band, column]) * np.uint64(0x9E3779B97F4A7C15)
            value ^= value >> np.uint64(29)
        _, inverse, counts = np.unique(value, return_inverse=True, return_counts=True)
        for place in np.flatnonzero(counts[inverse] > 1).tolist():
            found[place].append((band, int(inverse[place])))
    return found


def _hash(text: str) -> int:
    raw = hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=4).digest()
    return int.from_bytes(raw, "big") % _PRIME


def _modulo(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The values, which are below 2^62, mod 2^31 - 1: of a Mersenne prime shifts and sums."""
    prime, bits = np.uint64(_PRIME), np.uint64(31)
    once = (values & prime) + (values >> bits)
    twice: NDArray[np.uint64] = (once & prime) + (once >> bits)
    twice[twice == prime] = 0
    return twice


@lru_cache(maxsize=1)
def _permutations() -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """Fixed a and b of the hashes (a * x + b) mod 2^31 - 1."""
    raw = hashlib.shake_256(b"caselaw minhash").digest(_HASHES * 8)
    drawn = np.frombuffer(raw, dtype=">u4").astype(np.uint64).reshape(2, _HASHES)
    return drawn[0] % np.uint64(_PRIME - 1) + np.uint64(1), drawn[1] % np.uint64(_PRIME)
