"""A key that was lost is not made anew beside what it made."""

from __future__ import annotations

import pytest

from pipeline.datadir import DataDir
from pipeline.lake import Lake
from pipeline.provenance import Counts, Provenance
from pipeline.redaction import KeyRefused
from pipeline.tables import REDACTED_TRACES
from pipeline.windows import day
from resources import ContentKeyResource, RedactorResource


@pytest.mark.parametrize("resource", [RedactorResource, ContentKeyResource])
def test_keys_are_made_on_first_use_only(
    place: DataDir, resource: type[RedactorResource | ContentKeyResource]
) -> None:
    opened = resource(data_dir=str(place.root))
    opened.load()
    counts = Provenance(Counts("traces", 0, 0))
    Lake(place).publish(REDACTED_TRACES, day("2026-11-02"), REDACTED_TRACES.empty(), counts)
    opened.load()
    for key in place.keys.iterdir():
        key.unlink()
    with pytest.raises(KeyRefused, match="key"):
        opened.load()
