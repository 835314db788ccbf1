"""The journal: files by hour and size, and what killed processes left behind."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from pipeline.receiver.journal import Journal


def test_files_roll_by_the_utc_hour_and_by_size(tmp_path: Path):
    clock = [datetime(2026, 11, 1, 23, 59, tzinfo=UTC)]
    journal = Journal(tmp_path, roll_bytes=10, now=lambda: clock[0])
    for line in (b"first..\n", b"second.\n", b"third..\n"):
        journal.append(line).result(5)
    clock[0] += timedelta(minutes=1)
    journal.append(b"fourth.\n").result(5)
    journal.close()
    # A file of 8 bytes is below the limit of 10, one of 16 is not.
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {
        "otlp-20261101T23-000.jsonl": b"first..\nsecond.\n",
        "otlp-20261101T23-001.jsonl": b"third..\n",
        "otlp-20261102T00-000.jsonl": b"fourth.\n",
    }


def test_half_lines_of_killed_receivers_are_cut_and_those_of_live_ones_are_not(tmp_path: Path):
    (tmp_path / "otlp-20261101T10-000.jsonl").write_bytes(b"whole\nha")
    (tmp_path / "otlp-20261101T10-001.jsonl").write_bytes(b"only half" * 300_000)
    (tmp_path / "other.jsonl").write_bytes(b"not ours")
    live = Journal(tmp_path)
    live.append(b"half a line of a live one").result(5)
    [written] = [path for path in tmp_path.glob("otlp-*") if "20261101T10" not in path.name]
    Journal(tmp_path).close()
    assert (tmp_path / "otlp-20261101T10-000.jsonl").read_bytes() == b"whole\n"
    assert not (tmp_path / "otlp-20261101T10-001.jsonl").exists()
    assert (tmp_path / "other.jsonl").read_bytes() == b"not ours"
    assert written.read_bytes() == b"half a line of a live one"
    live.close()


def test_a_file_that_a_full_disk_left_empty_is_removed(tmp_path: Path):
    """Nothing that was never acknowledged stays, and the journal goes on."""
    journal = Journal(tmp_path / "received")
    (tmp_path / "received").rmdir()
    (tmp_path / "received").write_bytes(b"a file where the folder was")
    failed = journal.append(b"line\n").exception(5)
    assert type(failed).__name__ == "NotKept"
    (tmp_path / "received").unlink()
    journal.append(b"line\n").result(5)
    journal.close()
    assert [path.read_bytes() for path in (tmp_path / "received").iterdir()] == [b"line\n"]
