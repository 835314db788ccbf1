"""Hands the redactor and the content key to assets."""

from __future__ import annotations

import os
from datetime import date
from functools import lru_cache
from pathlib import Path

import dagster as dg

from pipeline.datadir import DataDir
from pipeline.ids import digest
from pipeline.lake import Lake
from pipeline.redaction import (
    CONTENT_KEY_VARIABLE,
    Names,
    PiiPolicy,
    Redactor,
    SurrogateKey,
    load_key,
    load_policy,
    make_names,
)
from pipeline.tables import RAW_TRACES, REDACTED_TRACES
from pipeline.windows import Window

__all__ = ["ContentKeyResource", "RedactorResource"]


class RedactorResource(dg.ConfigurableResource):
    """The redactor with the policy and the surrogate key of the data directory `data_dir`.

    `threads` are those of the name detector; what it finds does not depend on them.
    """

    data_dir: str
    threads: int = 2

    def load(self, window: Window) -> Redactor:
        """Load the policy of `window`, the key and detectors; once a process while they stay.

        Raises:
            KeyRefused: the key is missing where it must not be, short, or open to others.
            PolicyRefused: naming the field of `pii_policy.yaml` that is wrong.
        """
        return _redactor(self.policy(window), self._key(), self.threads)

    def names(self, window: Window) -> Names:
        """What tells the surrogates of `window` from personal data."""
        return make_names(self.policy(window).surrogates, self._key())

    def policy(self, window: Window) -> PiiPolicy:
        """Read what is personal in `window`: the policy as of its end.

        Raises:
            PolicyRefused: naming the field of `pii_policy.yaml` that is wrong.
        """
        path = self._place.registry / "pii_policy.yaml"
        stamp = path.stat().st_mtime_ns if path.exists() else 0
        return _policy(path, window.days[-1].first, stamp)

    def _key(self) -> SurrogateKey:
        """Load the surrogate key, made on first use."""
        # A new key beside what an older one made would be a mixture of surrogates.
        fresh = not Lake(self._place).windows(REDACTED_TRACES)
        return load_key(self._place.keys / "surrogate.key", os.environ, create=fresh)

    @property
    def _place(self) -> DataDir:
        return DataDir(Path(self.data_dir))


class ContentKeyResource(dg.ConfigurableResource):
    """The key that names raw content and users; it is never rotated, so ids stay."""

    data_dir: str

    def load(self) -> SurrogateKey:
        """Load the key, made on first use.

        Raises:
            KeyRefused: the key is short or open to others.
        """
        place = DataDir(Path(self.data_dir))
        # With a new key every case id would change, and users would be counted as others.
        lake = Lake(place)
        fresh = not (lake.windows(RAW_TRACES) or lake.windows(REDACTED_TRACES))
        path = place.keys / "content.key"
        return load_key(path, os.environ, create=fresh, variable=CONTENT_KEY_VARIABLE)


@lru_cache(maxsize=64)
def _policy(path: Path, instant: date, stamp: int) -> PiiPolicy:
    return load_policy(path, instant)


_redactors: dict[tuple[str, str], Redactor] = {}


def _redactor(policy: PiiPolicy, key: SurrogateKey, threads: int) -> Redactor:
    wanted = (digest(policy.model_dump(mode="json")), key.key_id)
    if wanted not in _redactors:
        _redactors.clear()  # detectors are large, and one policy and key serve a data directory
        _redactors[wanted] = Redactor(policy, key, threads=threads)
    return _redactors[wanted]
