"""Identity: every id is a digest of content, never a counter, a clock or a random number."""

from __future__ import annotations

import hashlib
from typing import Any

import orjson

__all__ = ["canonical_json", "digest", "keyed_digest", "unit_interval"]

_OPTIONS = orjson.OPT_SORT_KEYS | orjson.OPT_UTC_Z


def canonical_json(value: Any) -> bytes:
    """Serialise `value` to its one JSON form: UTF-8, keys sorted, no white space.

    Args:
        value: anything JSON can hold, plus aware datetimes.

    Raises:
        TypeError: `value` holds something JSON cannot, or a lone surrogate.
    """
    return orjson.dumps(value, option=_OPTIONS)


def digest(*parts: Any, size: int = 16) -> str:
    """Digest `parts` to `2 * size` hexadecimal characters (BLAKE2b of their canonical JSON)."""
    return hashlib.blake2b(canonical_json(parts), digest_size=size).hexdigest()


def keyed_digest(key: bytes, *parts: Any, size: int = 16) -> str:
    """Digest `parts` under `key` (at most 64 bytes): without the key nothing can be guessed."""
    return hashlib.blake2b(canonical_json(parts), key=key, digest_size=size).hexdigest()


def unit_interval(*parts: Any) -> float:
    """Map `parts` to a number in [0, 1): 53 bits of their digest, uniform and repeatable.

    Sampling ranks by it, so whether one trace is drawn hardly depends on its neighbours.
    """
    raw = hashlib.blake2b(canonical_json(parts), digest_size=8).digest()
    return (int.from_bytes(raw, "big") >> 11) / 2**53
