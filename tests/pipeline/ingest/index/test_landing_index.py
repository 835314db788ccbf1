"""The landing index under what happens to files and processes while it reads."""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from pipeline.datadir import DataDir
from pipeline.ingest import Assembly, SourcesGone, landed_files
from pipeline.ingest.days import gathering
from pipeline.ingest.days.scratch import scratch_folder
from pipeline.ingest.index import reading, shares
from pipeline.ingest.index.known import settled_files
from pipeline.ingest.index.landed import IndexFailed
from pipeline.ingest.index.shredding import shred
from pipeline.ingest.parallel import WorkerFailed, run_tasks
from pipeline.ingest.source import Source
from tests.pipeline.ingest.spans import chat, drop, message, request, span

LARGEST = 64 * 2**20
INDEX = """
import sys
from pathlib import Path
from pipeline.datadir import DataDir
from pipeline.ingest import landed_files
for file in landed_files(DataDir(Path(sys.argv[1])), 2**26):
    print(file.path, file.sha256, file.entry, file.records, file.malformed, *file.reasons)
"""


def unread(place: DataDir, settle: float = 3600) -> list[Path]:
    """The files that no longer change and still are to be read."""
    return settled_files(place, LARGEST, settle)[1]


def settled(path: Path) -> Path:
    """Let a file look untouched for two hours."""
    then = time.time() - 7200
    os.utime(path, (then, then))
    return path


def indexing(place: DataDir, **more: Any) -> subprocess.Popen[str]:
    """A process of its own that brings the index up to date, and prints it."""
    command = [sys.executable, "-c", INDEX, str(place.root)]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **more
    )


def leftovers(place: DataDir) -> list[str]:
    """What is half written in the raw zone."""
    found = [*place.raw.rglob(".*.tmp"), *place.raw.glob(".assembling-*")]
    return sorted(path.name for path in found)


def many_lines(first: int, last: int) -> list[str]:
    """Conversations of several spans each, some of them over two traces."""
    lines = []
    for n in range(first, last):
        said = [message("user", f"question {n} " * 20)], [message("assistant", f"answer {n}")]
        more = {"gen_ai__conversation__id": f"c{n // 2}"} if n % 4 < 2 else {}
        lines.append(request(chat(n, n, *said, second=n, **more), span(n, n + 10**6, parent=n)))
    return lines


def test_a_growing_file_is_read_to_its_last_whole_line_and_then_to_its_end(
    place: DataDir, ingest: Callable[..., Assembly]
) -> None:
    first, second, third = (request(span(n, n)) for n in (1, 2, 3))
    path = drop(place, "a.jsonl")
    seen: list[tuple[int, int, bool]] = []
    for content in (
        "",
        first[:50],  # not one whole record yet: nothing is quarantined
        first,  # a whole record needs no line break
        f"{first}\n{second[:50]}",
        f"{first}\n{second}\n",
        f"{first}\n{second}\n{third}",
    ):
        path.write_text(content)
        counts = ingest().counts
        (file,) = landed_files(place, LARGEST, 3600)
        seen.append((counts.records_out, counts.quarantined, file.growing))
    assert seen == [
        (0, 0, True), (0, 0, True), (1, 0, False), (1, 0, True), (2, 0, False), (3, 0, False),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("content", "reason"), [(request(span(1, 1))[:50], "torn_line"), ("", "empty")]
)
def test_what_stopped_growing_is_read_as_it_is(place: DataDir, content: str, reason: str) -> None:
    path = drop(place, "a.jsonl")
    path.write_text(content)
    assert [file.malformed for file in landed_files(place, LARGEST, 3600)] == [0]
    assert unread(place) == []
    settled(path)
    assert unread(place) == [path]
    assert [file.reasons for file in landed_files(place, LARGEST, 3600)] == [(f"{reason} 1",)]
    assert unread(place) == []


def test_a_clock_that_runs_ahead_keeps_no_file_waiting(place: DataDir) -> None:
    path = drop(place, "a.jsonl", request(span(1, 1)), "{")
    path.write_bytes(path.read_bytes()[:-1])
    later = time.time() + 86_400
    os.utime(path, (later, later))
    (file,) = landed_files(place, LARGEST, 3600)
    assert (file.growing, file.malformed) == (False, 1)


@contextmanager
def changing_while_read(
    monkeypatch: pytest.MonkeyPatch, change: Callable[[int], None]
) -> Iterator[None]:
    """Change landing right after each time that a file was read, and before that is noted."""
    times = 0

    def shred_and_change(*args: Any) -> Any:
        nonlocal times
        held = shred(*args)
        change(times)
        times += 1
        return held

    with monkeypatch.context() as patch:
        patch.setattr(reading, "shred", shred_and_change)
        yield


def test_a_file_that_is_replaced_while_it_is_read_is_read_again(
    place: DataDir, ingest: Callable[..., Assembly], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = drop(place, "a.jsonl", request(span(1, 1)))

    def replace_once(times: int) -> None:
        if times == 0:
            drop(place, "a.jsonl", request(span(2, 2)))

    with changing_while_read(monkeypatch, replace_once):
        (file,) = landed_files(place, LARGEST)
    assert unread(place, 0) == []
    assert file.size == path.stat().st_size
    assert ingest().traces["trace_id"].to_list() == [f"{2:032x}"]


def test_a_file_that_never_rests_is_left_for_the_next_time(
    place: DataDir, ingest: Callable[..., Assembly], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = drop(place, "a.jsonl", request(span(1, 1)))
    drop(place, "b.jsonl", request(span(9, 9)))
    with changing_while_read(monkeypatch, lambda n: os.utime(path, ns=(n + 1, n + 1))):
        assert [file.path for file in landed_files(place, LARGEST)] == ["b.jsonl"]
    assert unread(place, 0) == [path]
    assert ingest().traces.height == 2
    assert leftovers(place) == []


def test_what_is_appended_while_a_file_is_read_comes_the_next_time(
    place: DataDir, ingest: Callable[..., Assembly], monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = [request(span(n, n)) for n in range(1, 5)]
    drop(place, "a.jsonl", lines[0])
    with changing_while_read(monkeypatch, lambda n: void(drop(place, "a.jsonl", *lines[: n + 2]))):
        assert [file.records for file in landed_files(place, LARGEST)] == [1]
        assert [file.records for file in landed_files(place, LARGEST)] == [2]
    assert ingest().traces.height == 3


def void(_: object) -> None:
    """Nothing."""


def test_a_file_that_goes_while_it_is_read_is_as_if_it_had_never_been(
    place: DataDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = drop(place, "a.jsonl", request(span(1, 1)))
    with changing_while_read(monkeypatch, lambda n: path.unlink()):
        assert landed_files(place, LARGEST) == []
    assert leftovers(place) == []


def test_an_entry_that_another_process_removed_is_missed_loudly(place: DataDir) -> None:
    drop(place, "a.jsonl", request(span(1, 1)))
    (file,) = landed_files(place, LARGEST)
    (place.raw / "landing_index" / "content" / file.entry).rename(place.raw / "elsewhere")
    with pytest.raises(IndexFailed, match=r"a\.jsonl was removed while it was needed"):
        file.tables(place, "records")
    assert [file.records for file in landed_files(place, LARGEST)] == [1]


def test_a_published_day_outlives_the_loss_of_its_file_and_takes_it_back(
    place: DataDir, ingest: Callable[..., Assembly]
) -> None:
    drop(place, "a.jsonl", request(span(1, 1)))
    second = drop(place, "b.jsonl", request(span(2, 2)))
    published = ingest().traces
    aside = second.rename(place.root / "aside")
    with pytest.raises(SourcesGone, match="1 of the 2 conversations"):
        ingest().require_sources(published)
    aside.rename(second)
    again = ingest()
    again.require_sources(published)
    assert again.traces.equals(published)


def test_two_processes_that_index_at_once_come_to_the_same(place: DataDir) -> None:
    for n in range(12):
        drop(place, f"{n:02}.jsonl", *many_lines(n * 100, n * 100 + 60), "{")
    both = [indexing(place) for _ in range(2)]
    answers = [process.communicate(timeout=60) for process in both]
    assert [process.returncode for process in both] == [0, 0], answers
    assert answers[0][0] == answers[1][0]
    assert answers[0][0].count("\n") == 12
    assert leftovers(place) == []


def test_after_a_kill_the_next_run_carries_on_and_clears_up(
    place: DataDir, ingest: Callable[..., Assembly]
) -> None:
    lines = many_lines(1, 2000)
    for n in range(8):
        drop(place, f"{n:02}.jsonl", *lines, request(span(10**7 + n, 1)))
    killed = indexing(place)
    content = place.raw / "landing_index" / "content"
    until = time.monotonic() + 30
    while not list(content.glob(".*.tmp/records-*")) and time.monotonic() < until:
        time.sleep(0.005)
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    orphan = place.raw / f".assembling-{killed.pid}-0badcafe"
    orphan.mkdir()
    assert len(leftovers(place)) > 1, "it was killed amid its work"
    answer, _ = indexing(place).communicate(timeout=60)
    assert answer.count("\n") == 8
    with scratch_folder(place):
        pass
    assert leftovers(place) == []


def small_files_alone() -> None:
    """No file above 64 KiB can be written: what a full disk does, in a process of its own."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (2**16, 2**16))


@pytest.mark.parametrize("parallel", [False, True])
def test_a_full_disk_is_told_and_leaves_nothing_behind(
    place: DataDir, parallel: bool, ingest: Callable[..., Assembly]
) -> None:
    noise = os.urandom(400_000).hex()
    path = drop(place, "a.jsonl", request(span(1, 1, noise=noise)))
    drop(place, "b.jsonl", request(span(2, 2)))
    before = path.read_bytes()
    source = f"from pipeline.ingest.index import reading; reading._PARALLEL_FROM = {-parallel}\n"
    process = subprocess.run(
        [sys.executable, "-c", (source if parallel else "") + INDEX, str(place.root)],
        capture_output=True, text=True, preexec_fn=small_files_alone, check=False,
    )  # fmt: skip
    assert process.returncode == 1
    error = process.stderr.splitlines()[-1]
    assert "landing index: a.jsonl could not be read into it: File too large" in error
    assert "run the same again" in error
    assert leftovers(place) == []
    assert path.read_bytes() == before
    assert ingest().traces.height == 2


def without_root_rights() -> None:
    """Make root read as little as its files' permissions say: drop what overrides them."""
    if os.getuid() == 0:
        drop_capability, override, read_search = 24, 1, 2  # PR_CAPBSET_DROP, CAP_DAC_*
        libc = ctypes.CDLL(None, use_errno=True)
        for capability in (override, read_search):
            if libc.prctl(drop_capability, capability, 0, 0, 0):
                raise OSError(ctypes.get_errno(), "prctl")


def test_what_may_not_be_read_is_kept_apart_until_it_may(
    place: DataDir, ingest: Callable[..., Assembly]
) -> None:
    drop(place, "good.jsonl", request(span(1, 1)))
    file = settled(drop(place, "closed.jsonl", request(span(2, 2))))
    folder = drop(place, "folder/inner.jsonl", request(span(3, 3))).parent
    same_name = drop(place, "other/closed.jsonl", request(span(4, 4)))
    closed = (file, folder, same_name)
    modes = [path.stat().st_mode for path in closed]
    for path in closed:
        path.chmod(0)
    try:
        process = indexing(place, preexec_fn=without_root_rights)
        answer, error = process.communicate(timeout=60)
    finally:
        for path, mode in zip(closed, modes, strict=True):
            path.chmod(mode)
    assert process.returncode == 0, error
    found = {line.split()[0]: " ".join(line.split()[3:]) for line in answer.splitlines()}
    denied = "0 1 no_permission 1"
    assert found == {
        "good.jsonl": "1 0", "closed.jsonl": denied, "folder": denied, "other/closed.jsonl": denied,
    }  # fmt: skip
    assembly = ingest()
    assert (assembly.traces.height, assembly.counts.quarantined) == (4, 0)


def test_names_that_are_no_text_are_read_where_they_lie(
    place: DataDir, ingest: Callable[..., Assembly]
) -> None:
    first = drop(place, "odd/a.jsonl", request(span(1, 1)), "{")
    second = drop(place, "b.jsonl", request(span(2, 2)))
    landing = os.fsencode(place.landing)
    os.rename(first.parent, landing + b"/\xff")
    os.rename(second, landing + b"/\xfe.jsonl")
    assembly = ingest()
    assert assembly.traces.height == 2
    assert assembly.quarantined["file"].to_list() == ["\\udcff/a.jsonl"]
    assert sorted(os.listdir(landing)) == [b"\xfe.jsonl", b"\xff"]


@pytest.fixture
def shares_are_small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the road of large files and days, in shares and two processes, that of small ones."""
    monkeypatch.setattr(shares, "_SHARE", 20_000)
    monkeypatch.setattr(reading, "_PARALLEL_FROM", 0)
    monkeypatch.setattr(gathering, "_SHARE_BYTES", 60_000)


def test_a_large_day_is_the_same_on_the_road_of_shares(
    place: DataDir, ingest: Callable[..., Assembly], tmp_path: Path,
    request: pytest.FixtureRequest,
) -> None:  # fmt: skip
    lines = [*many_lines(1, 200), '{"resourceSpans": 7}', *many_lines(150, 250)]
    drop(place, "a.jsonl", *lines)
    drop(place, "b.jsonl", *many_lines(240, 300))
    one = ingest()
    other_place = DataDir(tmp_path / "other")
    other_place.landing.parent.mkdir(parents=True)
    place.landing.rename(other_place.landing)
    request.getfixturevalue("shares_are_small")
    assert len(shares.shares_of(Source(other_place.landing / "a.jsonl"))) > 3
    other_place.landing.rename(place.landing)
    for path in (place.raw / "landing_index").rglob("*.json"):
        path.unlink()
    for entry in (place.raw / "landing_index" / "content").iterdir():
        entry.rename(tmp_path / entry.name)
    with ingest() as two:
        frames = list(two.frames())
        assert len(frames) > 1, "the rows lie in a scratch folder"
        assert two.traces.equals(one.traces)
        assert two.counts == one.counts
        assert two.quarantined.equals(one.quarantined)
        assert two.files == one.files
    assert leftovers(place) == []


def killer(folder: Path, module: str) -> str:
    """A module that imports a worker and dies by a signal at its second task."""
    (folder / "dying.py").write_text(
        "import functools, os, signal\n"
        f"from {module} import main, _WORK\n"
        "times = 0\n"
        "def die(task, work):\n"
        "    global times\n"
        "    times += 1\n"
        "    if times == 2: os.kill(os.getpid(), signal.SIGKILL)\n"
        "    return work(task)\n"
        "for name, work in list(_WORK.items()):\n"
        "    _WORK[name] = functools.partial(die, work=work)\n"
        "main()\n"
    )
    return "dying"


@pytest.mark.usefixtures("shares_are_small")
def test_a_worker_that_dies_ends_the_day_with_a_clear_error(
    place: DataDir, ingest: Callable[..., Assembly], tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    drop(place, "a.jsonl", *many_lines(1, 300))
    module = killer(tmp_path, "pipeline.ingest.worker")
    paths = [str(tmp_path), *sys.path]

    def run_dying(_: str, tasks: Any) -> Iterator[Any]:
        return run_tasks(module, tasks)

    for stage in (reading, gathering):
        with monkeypatch.context() as patch:
            patch.setenv("PYTHONPATH", os.pathsep.join(paths))
            patch.setattr(stage, "run_tasks", run_dying)
            with pytest.raises(WorkerFailed, match=r"by signal 9 .* nothing of it was published"):
                ingest()
        assert leftovers(place) == []
        ingest().__exit__()
