"""What could not be read: found by id, tried again, given up; and the day goes on."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from click.testing import CliRunner, Result

from pipeline.cli.main import cli
from pipeline.datadir import DataDir
from pipeline.ingest import Assembly, TooManyQuarantined
from pipeline.lake import Lake
from pipeline.provenance import Counts, Provenance
from pipeline.tables import QUARANTINED_RECORDS
from pipeline.windows import day
from tests.pipeline.ingest.spans import drop, request, span

DAY = "2026-11-02"
BROKEN = b'{"resourceSpans": [\x1b[31m my card is 4111'


@pytest.fixture
def caselaw(place: DataDir) -> Callable[..., Result]:
    def run(*words: str) -> Result:
        return CliRunner().invoke(cli, ["--data", str(place.root), "quarantine", *words])

    return run


@pytest.fixture
def held_back(place: DataDir, ingest: Callable[..., Assembly]) -> str:
    """A day with one good span and one line that is no JSON, published; returns the record's id."""
    drop(place, "a.jsonl", request(span(1, 1)), BROKEN)
    bad = ingest().quarantined
    counts = Provenance(Counts("records", 1, 1))
    Lake(place).publish(QUARANTINED_RECORDS, day(DAY), bad, counts, "ingest")
    return str(bad["record_id"].item())


def test_a_record_is_listed_and_shown_without_its_text(
    caselaw: Callable[..., Result], held_back: str
) -> None:
    listed = caselaw("ls").output
    assert f"{DAY}  {held_back[:12]}  ingest  bad_json  a.jsonl" in listed
    shown = caselaw("show", held_back[:8]).output
    assert "bad_json (no JSON text)" in shown
    assert "4111" not in listed + shown


def test_its_text_is_shown_on_demand_and_cannot_drive_the_terminal(
    caselaw: Callable[..., Result], held_back: str
) -> None:
    shown = caselaw("show", held_back, "--payload").output
    assert "my card is 4111" in shown
    assert "\x1b" not in shown


def test_what_is_dropped_no_longer_stops_the_day(
    caselaw: Callable[..., Result], held_back: str, ingest: Callable[..., Assembly]
) -> None:
    with pytest.raises(TooManyQuarantined, match="quarantine drop"):
        ingest().require_ratio(0.05)
    done = caselaw("drop", held_back[:10])
    assert "1 record given up" in done.output
    assert f"FROM={DAY} TO={DAY}" in done.output
    after = ingest()
    after.require_ratio(0.05)
    assert (after.counts.records_in, after.counts.filtered) == (2, {"dropped": 1})
    assert after.quarantined.is_empty()
    assert "quarantine/dropped" in after.files


def test_retry_reads_the_file_anew(
    place: DataDir, caselaw: Callable[..., Result], held_back: str
) -> None:
    before = sorted((place.raw / "landing_index" / "files").iterdir())
    assert len(before) == 1
    assert "1 file to be read anew" in caselaw("retry", held_back[:8]).output
    assert not list((place.raw / "landing_index" / "files").iterdir())


def test_nothing_is_touched_unless_it_is_named(caselaw: Callable[..., Result]) -> None:
    for command in ("retry", "drop"):
        done = caselaw(command)
        assert (done.exit_code, "say --all" in done.output) == (2, True)
    assert caselaw("show", "beef").exit_code == 2
