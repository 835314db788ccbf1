"""Hands the redactor and the content key to assets."""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path

import dagster as dg

from pipeline.datadir import DataDir
from pipeline.ids import digest
from pipeline.lake import Lake
from pipeline.redaction import (
    CONTENT_KEY_VARIABLE,
    PiiPolicy,
    Redactor,
    SurrogateKey,
    load_key,
    load_policy,
)
from pipeline.tables import RAW_TRACES, REDACTED_TRACES

__all__ = ["ContentKeyResource", "RedactorResource"]


class RedactorResource(dg.ConfigurableResource):
    """The redactor with the policy and the surrogate key of the data directory `data_dir`.

    `threads` are those of the name detector; what it finds does not depend on them.
    """

    data_dir: str
    threads: int = 2

    def load(self) -> Redactor:
        """Load policy, key (made on first use) and detectors; once a process while they stay.

        Raises:
            KeyRefused: the key is missing where it must not be, short, or open to others.
            PolicyRefused: naming the field of `pii_policy.yaml` that is wrong.
        """
        # A new key beside what an older one made would be a mixture of surrogates.
        fresh = not Lake(self._place).windows(REDACTED_TRACES)
        key = load_key(self._place.keys / "surrogate.key", os.environ, create=fresh)
        return _redactor(self.policy(), key, self.threads)

    def policy(self) -> PiiPolicy:
        """Read what is personal here.

        Raises:
            PolicyRefused: naming the field of `pii_policy.yaml` that is wrong.
        """
        path = self._place.registry / "pii_policy.yaml"
        return _policy(path, path.stat().st_mtime_ns)

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


@lru_cache(maxsize=4)
def _policy(path: Path, stamp: int) -> PiiPolicy:
    return load_policy(path)


_redactors: dict[tuple[str, str], Redactor] = {}


def _redactor(policy: PiiPolicy, key: SurrogateKey, threads: int) -> Redactor:
    wanted = (digest(policy.model_dump(mode="json")), key.key_id)
    if wanted not in _redactors:
        _redactors.clear()  # detectors are large, and one policy and key serve a data directory
        _redactors[wanted] = Redactor(policy, key, threads=threads)
    return _redactors[wanted]
