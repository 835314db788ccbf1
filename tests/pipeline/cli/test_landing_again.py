"""What the command line says of files that come again, come late, or cannot be read in full."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from pipeline.cli.main import cli
from pipeline.datadir import DataDir
from pipeline.ids import digest
from pipeline.ingest import Assembly, assemble_day
from pipeline.lake import Lake
from pipeline.provenance import Provenance
from pipeline.registry import load_registry
from pipeline.tables import QUARANTINED_RECORDS, RAW_TRACES
from pipeline.windows import day
from tests.pipeline.ingest.spans import NOON, message, request, span

DAY = "2026-11-02"


def caselaw(place: DataDir, *words: str) -> Result:
    return CliRunner().invoke(cli, ["--data", str(place.root), *words])


def write(tmp_path: Path, name: str, *lines: str) -> str:
    path = tmp_path / name
    path.write_text("\n".join(lines) + "\n")
    return str(path)


def publish(place: DataDir) -> Assembly:
    """Publish the day's raw traces, as the asset does."""
    window = day(DAY)
    with assemble_day(place, window, load_registry(place.registry, window), b"k" * 32) as found:
        provenance = Provenance(found.counts, {**found.files, "x": digest("x")})
        Lake(place).publish(RAW_TRACES, window, found.frames(), provenance)
        held = Provenance(found.counts, {})
        Lake(place).publish(QUARANTINED_RECORDS, window, found.quarantined, held, "ingest")
    return found


def test_a_late_verdict_names_the_day_to_run(place: DataDir, tmp_path: Path) -> None:
    caselaw(place, "land", write(tmp_path, "a.jsonl", request(span(1, 1))))
    publish(place)
    verdict = {
        "timeUnixNano": str(int(NOON.timestamp() * 1e9)), "traceId": f"{1:032x}",
        "eventName": "gen_ai.evaluation.result",
        "attributes": [{"key": "gen_ai.evaluation.name", "value": {"stringValue": "helpful"}}],
    }  # fmt: skip
    logs = json.dumps({"resourceLogs": [{"scopeLogs": [{"logRecords": [verdict]}]}]})
    late = write(tmp_path, "b.jsonl", logs)
    told = caselaw(place, "land", late).output
    assert f"Run before this landed: 1 day ({DAY})" in told
    assert f"FROM={DAY} TO={DAY}" in told
    publish(place)
    again = caselaw(place, "land", late).output
    assert "was there already" in again
    assert "Published before" not in again
    assert "Next:" not in again


def test_a_file_that_lies_at_its_day_is_not_landed_without_it(
    place: DataDir, tmp_path: Path
) -> None:
    chat = json.dumps({"messages": [{"role": "user", "content": "Hi"}, message("x", "y")]})
    path = write(tmp_path, "chat.jsonl", chat)
    caselaw(place, "land", path, "--day", DAY)
    assert "was there already" in caselaw(place, "land", path).output
    assert [p.parent.name for p in place.landing.rglob("*.jsonl")] == [f"day={DAY}"]


def test_what_cannot_be_read_is_told_of_before_and_after_its_day(
    place: DataDir, tmp_path: Path
) -> None:
    caselaw(place, "land", write(tmp_path, "a.jsonl", request(span(1, 1)), '{"resourceSpans": 7}'))
    before = caselaw(place, "quarantine", "ls").output
    assert "0 quarantined records in 0 days" in before
    assert f"1 record more in landing: listed once their day is run ({DAY})" in before
    publish(place)
    listed = caselaw(place, "quarantine", "ls").output
    assert "1 quarantined record in 1 day" in listed
    assert "more in landing" not in listed
    caselaw(place, "quarantine", "drop", "--all")
    assert "(given up: gone once its day is run)" in caselaw(place, "quarantine", "ls").output


@pytest.mark.parametrize("query", ["mode_trend", "failure_modes_by_day"])
def test_a_variable_that_a_query_does_not_have_is_wrong_usage(place: DataDir, query: str) -> None:
    told = caselaw(place, "query", query, "--set", "mod=asked_again")
    assert told.exit_code == 2
    assert f"query '{query}' has no variable 'mod'" in told.output
