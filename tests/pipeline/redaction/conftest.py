from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.redaction import PiiPolicy, Redactor, SurrogateKey, load_policy

COMMITTED = Path(__file__).resolve().parents[3] / "data" / "registry" / "pii_policy.yaml"


@pytest.fixture(scope="session")
def policy() -> PiiPolicy:
    return load_policy(COMMITTED)


@pytest.fixture(scope="session")
def key() -> SurrogateKey:
    return SurrogateKey(bytes(range(32)))


@pytest.fixture(scope="session")
def redactor(policy: PiiPolicy, key: SurrogateKey) -> Redactor:
    return Redactor(policy, key)
