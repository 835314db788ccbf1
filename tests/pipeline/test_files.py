"""Files that are whole or not there, and whose modes do not depend on anybody's umask."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.datadir import DataDir
from pipeline.files import keep_private, make_directory, replace_file
from pipeline.grading.judge_calls import export_ledger
from pipeline.grading.ledger import Ledger
from pipeline.redaction.replacement.keys import load_key


@pytest.fixture(params=[0o000, 0o022, 0o077], ids=lambda mask: f"umask {mask:03o}", autouse=True)
def umask(request: pytest.FixtureRequest) -> Iterator[None]:
    before = os.umask(request.param)
    yield
    os.umask(before)


def mode(path: Path) -> str:
    return f"{stat.S_IMODE(path.stat().st_mode):03o}"


def test_a_private_directory_is_closed_and_the_way_to_it_is_not(tmp_path: Path) -> None:
    make_directory(tmp_path / "data" / "raw", private=True)
    assert mode(tmp_path / "data" / "raw") == "700"
    assert mode(tmp_path / "data") == "755"


def test_one_for_others_can_be_entered_and_what_was_there_stays(tmp_path: Path) -> None:
    tmp_path.chmod(0o710)
    make_directory(tmp_path / "lake" / "day=2026-11-02", private=False)
    assert mode(tmp_path / "lake") == mode(tmp_path / "lake" / "day=2026-11-02") == "755"
    assert mode(tmp_path) == "710"
    (tmp_path / "lake").chmod(0o750)  # somebody's choice
    make_directory(tmp_path / "lake", private=False)
    assert mode(tmp_path / "lake") == "750"


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="needs Linux's /proc")
def test_what_is_new_is_named_on_the_disk_before_anybody_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A power cut right afterwards takes neither the file nor a directory on the way to it."""
    synced = []
    sync = os.fsync

    def noting(handle: int) -> None:
        sync(handle)
        synced.append(Path(os.readlink(f"/proc/self/fd/{handle}")))

    monkeypatch.setattr(os, "fsync", noting)
    path = tmp_path / "annotations" / "2026-11-06" / "one.json"
    make_directory(path.parent, private=True)
    assert synced == [tmp_path, tmp_path / "annotations"]
    with replace_file(path) as temporary:
        temporary.write_text("{}")
    assert [one.name for one in synced[2:]] == [temporary.name, "2026-11-06"]
    synced.clear()
    load_key(tmp_path / "keys" / "content.key", {}, create=True)
    assert synced[-1] == tmp_path / "keys"


@pytest.mark.parametrize("wanted", [0o600, 0o644])
def test_a_file_is_its_owners_alone_until_it_is_whole(tmp_path: Path, wanted: int) -> None:
    with replace_file(tmp_path / "file", wanted) as temporary:
        temporary.write_text("half")
        assert mode(temporary) == "600"
    assert mode(tmp_path / "file") == f"{wanted:03o}"


def test_what_fails_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no"), replace_file(tmp_path / "file"):
        raise ValueError("no")
    assert list(tmp_path.iterdir()) == []


def test_keep_private_closes_what_says_nothing_of_itself(tmp_path: Path) -> None:
    keep_private()
    (tmp_path / "plain").write_text("mine")
    assert mode(tmp_path / "plain") == "600"


def test_the_ledger_is_closed_but_for_the_export_of_its_costs(place: DataDir) -> None:
    ledger = Ledger(place.ledger)
    ledger.keep("judge", "content", "{}")
    exported = export_ledger(place.ledger)
    assert {mode(path) for path in place.ledger.glob("judge.sqlite*")} == {"600"}
    ledger.close()
    assert mode(place.ledger) == "711"
    assert (mode(exported.parent), mode(exported)) == ("755", "644")


def test_a_disk_without_room_is_told_with_the_file_that_stays_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "kept.yaml"
    path.write_text("before")
    with (
        pytest.raises(OSError, match=r"No space left on device: '.*kept\.yaml'"),
        replace_file(path),
        open("/dev/full", "w") as full,
    ):
        full.write("after")
    assert [one.read_text() for one in tmp_path.iterdir()] == ["before"]
