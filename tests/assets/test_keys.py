"""A key that was lost is not made anew beside what it made."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pipeline.datadir import DataDir
from pipeline.lake import Lake
from pipeline.provenance import Counts, Provenance
from pipeline.redaction import KeyRefused
from pipeline.tables import REDACTED_TRACES
from pipeline.windows import day
from resources import ContentKeyResource, RedactorResource

DAY = day("2026-11-02")


@pytest.mark.parametrize(
    "load",
    [
        lambda place: RedactorResource(data_dir=str(place.root)).load(DAY),
        lambda place: ContentKeyResource(data_dir=str(place.root)).load(),
    ],
    ids=["surrogate key", "content key"],
)
def test_keys_are_made_on_first_use_only(place: DataDir, load: Callable[[DataDir], object]) -> None:
    load(place)
    counts = Provenance(Counts("traces", 0, 0))
    Lake(place).publish(REDACTED_TRACES, DAY, REDACTED_TRACES.empty(), counts)
    load(place)
    for key in place.keys.iterdir():
        key.unlink()
    with pytest.raises(KeyRefused, match="key"):
        load(place)


def test_the_policy_is_the_one_of_the_window(place: DataDir) -> None:
    (place.root / "registry").mkdir(parents=True)
    (place.root / "registry" / "pii_policy.yaml").write_text(
        "allow_terms: [acme]\nchanges: [{effective_from: 2026-11-03, allow_terms: [acme, visa]}]\n"
    )
    resource = RedactorResource(data_dir=str(place.root))
    assert resource.policy(DAY).allowed == {"acme"}
    assert resource.policy(day("2026-11-03")).allowed == {"acme", "visa"}
