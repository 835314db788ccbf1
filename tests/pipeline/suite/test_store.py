"""The file on disk: what editors make of it is read, and nobody's save is lost."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.suite import (
    SuiteEdited,
    SuiteFileError,
    parse_suite,
    read_cases,
    read_text,
    render_suite,
    replace_cases,
    replace_text,
)
from pipeline.suite.store import FROM_PROD

CASES = [{"id": "case-1", "title": "Eins"}]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / FROM_PROD
    file.write_text(render_suite(CASES), "utf-8")
    return file


@pytest.mark.parametrize(
    "make",
    [
        lambda text: b"\xef\xbb\xbf" + text.encode(),
        lambda text: text.replace("\n", "\r\n").encode(),
        lambda text: text.encode() + b"\n\n# a remark\n",
    ],
    ids=["byte order mark", "Windows line ends", "a comment below"],
)
def test_what_editors_do_to_a_file_changes_no_case(path: Path, make) -> None:
    path.write_bytes(make(path.read_text("utf-8")))
    assert list(read_cases(path).values()) == CASES


BROKEN = [
    (b"cases:\n- id: a\n\ttitle: x\n", "line 3"),
    (b"cases:\n- id: a\n- id: \xff\n", "line 3: not UTF-8"),
    (b"cases:\n<<<<<<< HEAD\n- id: a\n=======\n- id: b\n>>>>>>> x\n", "line 2: a merge"),
    (b"cases:\n- id: &a x\n- id: *a\n", "aliases are not read"),
    (b"a: &a [x, x]\nb: &b [*a, *a]\ncases: [*b, *b]\n", "aliases are not read"),
    (b"cases: " + b"[" * 100_000, "nested more than 200 deep"),
    (b"cases:\n- " + b"- " * 100_000, "nested more than 200 deep"),
    (b"cases:\n" + b"".join(b" " * n + b"a:\n" for n in range(1500)), "nested more than 200"),
    (b"cases:\n- id: a\n  sure: !!bool maybe\n", "line 3: no number or date"),
    (b"cases:\n- id: a\n  at: !!timestamp x\n", "line 3: no number or date"),
    (b"cases:\n- id: a\n  n: " + b":".join([b"59"] * 3000) + b"\n", "line 3: no number or date"),
    (b'cases:\n- id: "a\\e[31m"\n', "case number 1 holds what does not print"),
    (b"cases:\n- id: case-1\n- id: case-1\n", "case number 2 stands twice"),
]


@pytest.mark.parametrize(("raw", "says"), BROKEN)
def test_a_broken_file_is_named_with_its_line_and_left_alone(
    path: Path, raw: bytes, says: str
) -> None:
    path.write_bytes(raw)
    with pytest.raises(SuiteFileError, match=says) as error:
        read_cases(path)
    assert str(path) in str(error.value)
    assert "left untouched" in str(error.value)
    assert path.read_bytes() == raw


def test_a_file_beyond_measure_is_not_read(path: Path) -> None:
    os.truncate(path, 80 * 2**20)
    with pytest.raises(SuiteFileError, match="80 MB, more than the 64 MB"):
        read_cases(path)


def test_a_folder_in_its_place_is_told(tmp_path: Path) -> None:
    (tmp_path / FROM_PROD).mkdir()
    with pytest.raises(SuiteFileError, match="it is no file"):
        read_text(tmp_path / FROM_PROD)
    assert read_cases(tmp_path / "none" / FROM_PROD) == {}


def test_links_in_a_ring_are_told(tmp_path: Path) -> None:
    (tmp_path / FROM_PROD).symlink_to(FROM_PROD)
    with pytest.raises(SuiteFileError, match="it cannot be opened"):
        read_text(tmp_path / FROM_PROD)


def test_whoever_saved_in_between_is_not_overwritten(path: Path) -> None:
    before = read_text(path)
    path.write_text("theirs", "utf-8")
    with pytest.raises(SuiteEdited, match=r"left as it is. Run: make publish"):
        replace_text(before, "ours", again="make publish")
    assert path.read_text("utf-8") == "theirs"
    path.unlink()
    with pytest.raises(SuiteEdited):
        replace_text(before, "ours", again="make publish")
    assert list(path.parent.iterdir()) == []  # nothing written aside is left


def test_of_many_writers_each_wins_once_or_is_told(path: Path) -> None:
    """Two processes add lines: each line that one of them thinks it wrote is there."""
    script = (
        "import sys; from pathlib import Path\n"
        "from pipeline.suite.store import *\n"
        "path, name, won = Path(sys.argv[1]), sys.argv[2], 0\n"
        "while won < 15:\n"
        "    before = read_text(path)\n"
        "    try: won += replace_text(before, f'{before.text}# {name} {won}\\n', again='')\n"
        "    except SuiteEdited: pass\n"
    )
    runs = [
        subprocess.Popen([sys.executable, "-c", script, str(path), name]) for name in ("a", "b")
    ]
    assert [run.wait() for run in runs] == [0, 0]
    lines = path.read_text("utf-8").splitlines()
    assert {f"# {name} {n}" for name in "ab" for n in range(15)} <= set(lines)


def test_a_link_stays_a_link_and_the_mode_stays(tmp_path: Path, path: Path) -> None:
    linked = tmp_path / "repo"
    linked.symlink_to(tmp_path)
    link = tmp_path / "link.yaml"
    link.symlink_to(path)
    path.chmod(0o664)
    assert replace_cases(read_text(link), [*CASES, {"id": "case-2"}], again="")
    assert link.is_symlink()
    assert sorted(read_cases(linked / FROM_PROD)) == ["case-1", "case-2"]
    assert path.stat().st_mode & 0o777 == 0o664


def test_what_a_killed_run_left_in_the_repository_is_taken_away(path: Path) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    ours = path.parent / f".{FROM_PROD}.{gone.pid}.0a1b2c3d.tmp"
    writing = path.parent / f".{FROM_PROD}.{os.getpid()}.0a1b2c3d.tmp"
    theirs = path.parent / ".notes.tmp"
    for file in (ours, writing, theirs):
        file.touch()
    replace_cases(read_text(path), [*CASES, {"id": "case-2"}], again="")
    assert sorted(path.parent.iterdir()) == sorted([path, writing, theirs])


def test_a_folder_that_cannot_be_written_to_is_an_error_of_the_system() -> None:
    before = read_text(Path("/proc/nowhere") / FROM_PROD)
    with pytest.raises(OSError):
        replace_text(before, "ours", again="")


def test_comments_on_top_are_kept_and_the_rest_of_them_is_not(path: Path) -> None:
    licence = "# yaml-language-server: $schema=cases.json\n# (c) the shop\n\n"
    path.write_text(licence + path.read_text("utf-8") + "# below\n", "utf-8")
    replace_cases(read_text(path), [*CASES, {"id": "case-2"}], again="")
    text = path.read_text("utf-8")
    assert text.startswith(licence.rstrip("\n") + "\n# Test cases promoted")
    assert "# below" not in text
    assert text.count("# Test cases promoted") == 1
    replace_cases(read_text(path), CASES, again="")
    assert path.read_text("utf-8").startswith(licence.rstrip("\n") + "\n# Test cases promoted")
    assert list(parse_suite(path.read_text("utf-8")).values()) == CASES
