"""`caselaw redact` and `caselaw rotate-key` as a person meets them."""

from __future__ import annotations

import json
import shutil
import stat
from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from pipeline.cli.main import cli
from pipeline.datadir import DataDir
from pipeline.lake import Lake
from pipeline.provenance import Counts, Provenance
from pipeline.redaction import SCHEME
from pipeline.retention.mark import write_kept_from
from pipeline.tables import RAW_TRACES, REDACTED_TRACES
from pipeline.windows import day


def caselaw(place: DataDir, *arguments: str, typed: str | None = None) -> Result:
    return CliRunner().invoke(cli, ["--data", str(place.root), *arguments], input=typed)


def publish(place: DataDir, key: str, scheme: str) -> None:
    lake, counts = Lake(place), Counts("traces", 0, 0)
    lake.publish(RAW_TRACES, day(key), RAW_TRACES.empty(), Provenance(counts))
    made = Provenance(counts, {SCHEME: scheme})
    lake.publish(REDACTED_TRACES, day(key), REDACTED_TRACES.empty(), made)


def test_a_text_is_shown_redacted_and_counted(place: DataDir) -> None:
    done = caselaw(place, "redact", "--text", "-", typed="I am Zora Quell, zora@example.com\n")
    assert done.exit_code == 0
    assert "Quell" not in done.stdout
    assert done.stdout.startswith("I am PERSON_")
    assert done.stderr == "EMAIL_ADDRESS 1, PERSON 1\n"
    again = caselaw(place, "redact", "--text", "-", typed="I am Zora Quell, zora@example.com\n")
    assert again.stdout == done.stdout  # one key, made once
    assert stat.S_IMODE((place.keys / "surrogate.key").stat().st_mode) == 0o600


def test_a_record_is_read_by_its_keys(place: DataDir, tmp_path: Path) -> None:
    path = tmp_path / "record.json"
    path.write_text(json.dumps({"first_name": "Qwibble", "order_id": "ORD-1"}))
    done = caselaw(place, "redact", "--text", str(path))
    record = json.loads(done.stdout)
    assert record["first_name"].startswith("PERSON_")
    assert record["order_id"] == "ORD-1"


def test_a_text_that_a_run_would_quarantine_is_a_finding(place: DataDir) -> None:
    done = caselaw(place, "redact", "--text", "-", typed="x" * 17_000_000)
    assert done.exit_code == 1
    assert done.stderr == "quarantined: oversize (a string or the record is too long)\n"


def test_a_text_in_another_encoding_is_named(place: DataDir, tmp_path: Path) -> None:
    path = tmp_path / "letter.txt"
    path.write_bytes("Grüße von Jürgen".encode("cp1252"))
    done = caselaw(place, "redact", "--text", str(path))
    assert done.exit_code == 2
    assert f"{str(path)!r} is not UTF-8" in done.stderr


def test_check_runs_the_tests_beside_the_patterns(place: DataDir) -> None:
    done = caselaw(place, "redact", "--check")
    assert done.exit_code == 0
    assert done.stdout.endswith("2 patterns of your own in 1 dated state, 0 findings\n")


def test_check_and_text_are_one_or_the_other(place: DataDir) -> None:
    assert caselaw(place, "redact").exit_code == 2
    assert caselaw(place, "redact", "--check", "--text", "-").exit_code == 2
    assert caselaw(place, "redact", "--check", "--json").exit_code == 2


def test_rotating_names_the_days_and_the_command(place: DataDir) -> None:
    caselaw(place, "redact", "--text", "-", typed="hello")  # makes the key
    for key in ("2026-11-02", "2026-11-03"):
        publish(place, key, "0123456789ab")
    done = caselaw(place, "rotate-key")
    assert done.exit_code == 0
    assert "2 days to rebuild (2026-11-02 to 2026-11-03)" in done.stdout
    assert done.stdout.endswith(f"make restate CASELAW_DATA={place.root} FROM=2026-11-02\n")


def test_a_key_that_others_may_read_is_wrong_configuration(place: DataDir) -> None:
    caselaw(place, "redact", "--text", "-", typed="hello")
    (place.keys / "surrogate.key").chmod(0o644)
    for command in (("redact", "--text", "-"), ("rotate-key",)):
        done = caselaw(place, *command, typed="hello")
        assert done.exit_code == 2
        assert "chmod 600" in done.stderr


def test_rotating_before_anything_was_redacted_rebuilds_nothing(place: DataDir) -> None:
    caselaw(place, "redact", "--text", "-", typed="hello")
    before = (place.keys / "surrogate.key").read_text()
    done = caselaw(place, "rotate-key")
    assert done.exit_code == 0
    assert "nothing is to be rebuilt" in done.stdout
    assert (place.keys / "surrogate.key").read_text() != before
    (retired,) = place.keys.glob("*.retired")
    assert retired.read_text() == before


@pytest.mark.parametrize("lost", [True, False])
def test_days_without_raw_traces_are_given_up_only_when_told(place: DataDir, lost: bool) -> None:
    caselaw(place, "redact", "--text", "-", typed="hello")
    publish(place, "2026-11-02", "0123456789ab")
    if lost:
        shutil.rmtree(Lake(place).directory(RAW_TRACES, day("2026-11-02")))
    done = caselaw(place, "rotate-key")
    assert done.exit_code == (3 if lost else 0)
    if lost:
        assert "caselaw rotate-key --drop-days" in done.stderr
        assert Lake(place).exists(REDACTED_TRACES, day("2026-11-02"))
        assert caselaw(place, "rotate-key", "--drop-days").exit_code == 0
        assert not Lake(place).exists(REDACTED_TRACES, day("2026-11-02"))


def test_days_that_retention_will_not_run_again_count_as_gone(place: DataDir) -> None:
    caselaw(place, "redact", "--text", "-", typed="hello")
    publish(place, "2025-02-03", "0123456789ab")
    write_kept_from(place, date(2025, 3, 3))
    done = caselaw(place, "rotate-key")
    assert done.exit_code == 3
    assert "1 days (2025-02-03 to 2025-02-03) cannot be rebuilt" in done.stderr
