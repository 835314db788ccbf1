"""Near-duplicate conversations: MinHash over what the users said.

Two conversations are twins when the Jaccard similarity of their word triples, estimated by the
share of equal values among 128 MinHashes (standard error at 0.8: 0.035), reaches the setting.
Surrogates count as their type and numbers as #, so the same request of two customers about two
orders is one. Candidates are found by 32 bands of 4 values (Leskovec et al., Mining of Massive
Datasets, ch. 3): a pair at 0.8 is missed with a chance of 5e-8.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from pipeline.failures import mask

__all__ = ["EMPTY_FINGERPRINT", "Fingerprint", "fingerprint", "group_twins"]

Fingerprint = tuple[int, ...]
_HASHES = 128
_BANDS = 32
_WORDS = 3
_PRIME = (1 << 31) - 1

EMPTY_FINGERPRINT: Fingerprint = ()
"""Of a conversation without a word of the user: the twin of nothing."""


def fingerprint(texts: Iterable[str]) -> Fingerprint:
    """The 128 MinHashes of the word triples of a user's turns; empty where there is no word."""
    words = mask(" ".join(texts)).lower().split()
    if not words:
        return EMPTY_FINGERPRINT
    last = max(len(words) - _WORDS, 0)
    triples = {" ".join(words[n : n + _WORDS]) for n in range(last + 1)}
    hashed = np.array(sorted(map(_hash, triples)), dtype=np.uint64)
    factors, offsets = _permutations()
    permuted = (factors[:, None] * hashed[None, :] + offsets[:, None]) % np.uint64(_PRIME)
    return tuple(int(value) for value in permuted.min(axis=1))


def group_twins(prints: Sequence[Fingerprint], similarity: float) -> list[int]:
    """For each conversation the position of the earliest one it is a twin of, or its own.

    The order is the caller's, earliest first: a conversation joins the first leader that is near
    enough, never a chain of neighbours. Leaders keep their place whatever comes after them.
    """
    leaders: list[int] = []
    buckets: dict[tuple[int, Fingerprint], list[int]] = {}
    rows = np.array([p or (0,) * _HASHES for p in prints], dtype=np.int64).reshape(-1, _HASHES)
    width = _HASHES // _BANDS
    for position, own in enumerate(prints):
        if not own:
            leaders.append(position)
            continue
        bands = [(band, own[band * width : (band + 1) * width]) for band in range(_BANDS)]
        near = sorted({other for band in bands for other in buckets.get(band, ())})
        leader = position
        if near:
            shares = (rows[near] == rows[position]).mean(axis=1)
            matches = np.flatnonzero(shares >= similarity)
            leader = near[int(matches[0])] if matches.size else position
        leaders.append(leader)
        if leader == position:
            for band in bands:
                buckets.setdefault(band, []).append(position)
    return leaders


def _hash(text: str) -> int:
    raw = hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=4).digest()
    return int.from_bytes(raw, "big") % _PRIME


@lru_cache(maxsize=1)
def _permutations() -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """Fixed a and b of the hashes (a * x + b) mod 2^31 - 1."""
    raw = hashlib.shake_256(b"caselaw minhash").digest(_HASHES * 8)
    drawn = np.frombuffer(raw, dtype=">u4").astype(np.uint64).reshape(2, _HASHES)
    return drawn[0] % np.uint64(_PRIME - 1) + np.uint64(1), drawn[1] % np.uint64(_PRIME)
