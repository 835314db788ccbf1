"""Compressed landing files: whatever is sound of one lands, and none may swell without end."""

from __future__ import annotations

import gzip
import random
import tracemalloc
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard

from pipeline.datadir import DataDir
from pipeline.ingest import Assembly, source
from pipeline.ingest.source import Source, Unreadable
from tests.pipeline.ingest.spans import drop, request, span

LINES = [request(span(n, n)).encode() + b"\n" for n in range(1, 4)]
PLAIN = b"".join(LINES)


def zstd(content: bytes) -> bytes:
    """One zstd frame with a checksum: without one it does not tell that bytes were altered."""
    return zstandard.ZstdCompressor(write_checksum=True).compress(content)


def incompressible(number: int) -> bytes:
    """A line whose text does not compress, so that a cut falls into it and not into a trailer."""
    noise = random.Random(number).randbytes(80_000).hex()
    return request(span(number, number, noise=noise)).encode() + b"\n"


def land(place: DataDir, content: bytes) -> None:
    """Drop exactly these bytes."""
    drop(place, "a.jsonl.gz").write_bytes(content)


@pytest.mark.parametrize("pack", [gzip.compress, zstd])
def test_members_and_padding_are_one_content(
    place: DataDir, ingest: Callable[..., Assembly], pack: Callable[[bytes], bytes]
) -> None:
    # A member may end amid a line: rotated files are put together byte by byte.
    halves = pack(PLAIN[:100]) + pack(b"") + pack(PLAIN[100:])
    land(place, halves + b"\0" * 1000)
    assembly = ingest()
    assert assembly.traces.height == 3
    assert (assembly.counts.records_in, assembly.counts.quarantined) == (3, 0)


@pytest.mark.parametrize("pack", [gzip.compress, zstd])
@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda data: data[: len(data) * 3 // 4], id="torn"),
        pytest.param(
            lambda data: (
                data[: len(data) * 3 // 4] + b"\x55" * 64 + data[len(data) * 3 // 4 + 64 :]
            ),
            id="overwritten",
        ),
        pytest.param(lambda data: data + b"trailing rubbish", id="rubbish after it"),
    ],
)
def test_what_came_before_the_damage_lands(
    place: DataDir,
    ingest: Callable[..., Assembly],
    pack: Callable[[bytes], bytes],
    damage: Callable[[bytes], bytes],
) -> None:
    content = b"".join(map(incompressible, (1, 2, 3, 4)))
    land(place, damage(pack(content)))
    drop(place, "good.jsonl", request(span(9, 9)))
    assembly = ingest()
    reasons = set(assembly.quarantined["reason"])
    assert "bad_compression" in reasons
    assert reasons <= {"bad_compression", "torn_line", "bad_json"}
    # Three quarters hold at least one of the four lines, and the neighbour is whole.
    assert {f"{1:032x}", f"{9:032x}"} <= set(assembly.traces["trace_id"])
    assert assembly.counts.records_in == assembly.traces.height + assembly.quarantined.height


@pytest.mark.parametrize(
    "head",
    [b"\x1f\x8b", b"\x1f\x8b\x08", b"\x28\xb5\x2f\xfd", gzip.compress(b"", mtime=0)],
    ids=["gzip, two bytes", "gzip, three bytes", "zstd", "gzip of nothing"],
)
def test_a_head_alone_is_no_content(
    place: DataDir, ingest: Callable[..., Assembly], head: bytes
) -> None:
    drop(place, "good.jsonl", request(span(9, 9)))
    land(place, head)
    assembly = ingest("2026-11-02")
    assert assembly.traces.height == 1


def bomb(kind: str, megabytes: int) -> bytes:
    """A sound first line, and then white space without end; a thousandth of its size."""
    block = b" " * 2**20
    if kind == "gzip":
        pack = zlib.compressobj(wbits=31)
        return b"".join([pack.compress(LINES[0]), *(pack.compress(block) for _ in range(megabytes)),
                         pack.flush()])  # fmt: skip
    frame = zstandard.ZstdCompressor().compressobj()
    return b"".join([frame.compress(LINES[0]), *(frame.compress(block) for _ in range(megabytes)),
                     frame.flush()])  # fmt: skip


@pytest.mark.parametrize("kind", ["gzip", "zstd"])
def test_a_bomb_is_stopped_by_its_ratio_and_its_first_lines_land(
    place: DataDir, ingest: Callable[..., Assembly], kind: str
) -> None:
    packed = bomb(kind, 200)
    assert len(packed) < 300_000
    land(place, packed)
    assembly = ingest()
    assert assembly.traces.height == 1
    assert "bomb" in assembly.quarantined["reason"].to_list()


@pytest.mark.parametrize("kind", ["gzip", "zstd"])
def test_a_bomb_is_read_as_a_stream_and_no_further_than_the_cap(
    tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "bomb"
    path.write_bytes(bomb(kind, 200))
    monkeypatch.setattr(source, "_RATIO_FROM", 2**40)
    monkeypatch.setattr(source, "_LARGEST_CONTENT", 64 * 2**20)
    read, reason = 0, None
    tracemalloc.start()
    with Source(path).open() as handle:
        try:
            while chunk := handle.read(2**16):
                read += len(chunk)
        except Unreadable as error:
            reason = error.reason
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert reason == "too_large"
    # One call of zstd may return 128 blocks of 128 KiB beyond the cap.
    assert 47 * 2**20 <= read <= 64 * 2**20
    assert most < 40 * 2**20


def test_a_window_beyond_the_decoders_own_limit_is_refused(tmp_path: Path) -> None:
    huge = zstandard.ZstdCompressionParameters(window_log=28)  # 256 MB
    pack = zstandard.ZstdCompressor(compression_params=huge).compressobj()
    path = tmp_path / "window"
    path.write_bytes(pack.compress(PLAIN) + pack.flush())
    with pytest.raises(Unreadable) as error:
        Source(path).read()
    assert error.value.reason == "bad_compression"


def test_much_that_compresses_well_is_no_bomb(
    place: DataDir, ingest: Callable[..., Assembly]
) -> None:
    line = request(span(1, 1, note="a" * 1000)).encode() + b"\n"
    land(place, gzip.compress(line * 2000))  # 2.6 MB, some three hundred times smaller
    assembly = ingest()
    assert (assembly.counts.records_in, assembly.counts.duplicates) == (2000, 1999)


def test_one_content_plain_and_compressed_counts_once(
    place: DataDir, ingest: Callable[..., Assembly]
) -> None:
    drop(place, "a.jsonl").write_bytes(PLAIN)
    before = ingest()
    drop(place, "b.jsonl.gz").write_bytes(gzip.compress(PLAIN, mtime=0))
    drop(place, "c.jsonl.zst").write_bytes(zstd(PLAIN))
    after = ingest()
    assert after.traces.drop("source_files").equals(before.traces.drop("source_files"))
    # Three spans, each twice more.
    assert (after.counts.records_in, after.counts.records_out, after.counts.duplicates) == (9, 3, 6)
    assert {len(files) for files in after.traces["source_files"]} == {3}
