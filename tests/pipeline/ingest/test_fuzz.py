"""No damage to a file ends in anything but records and reason codes.

A fixed number of seeded mutations in the suite; for longer, set CASELAW_FUZZ to seconds.
"""

from __future__ import annotations

import gzip
import json
import os
import random
import shutil
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict
from datetime import date
from itertools import count
from pathlib import Path
from tempfile import gettempdir
from typing import Any

import pytest
import zstandard

from pipeline.datadir import DataDir
from pipeline.ingest import Assembly
from pipeline.ingest.index.reading import shred_share
from pipeline.ingest.quarantine import REASONS
from pipeline.ingest.readers import READERS, choose_reader
from pipeline.ingest.source import Source, Unreadable
from tests.pipeline.ingest.readers import (
    test_atif,
    test_claude_code,
    test_inspect_log,
    test_langfuse,
    test_langsmith,
    test_mlflow,
    test_openai_evals,
    test_openclaw,
    test_otlp_bare,
    test_otlp_logs,
    test_otlp_protobuf,
    test_phoenix,
    test_who_and_when,
)
from tests.pipeline.ingest.spans import chat, message, request, span

DAY = date(2026, 11, 2)
Seeds = dict[str, tuple[str, bytes]]
"""By name: the format, and a sound file of it."""


def as_json(value: Any) -> bytes:
    """One document."""
    return json.dumps(value).encode()


def as_lines(values: Iterable[Any]) -> bytes:
    """JSON lines."""
    return b"".join(as_json(value) + b"\n" for value in values)


def pretty(text: str) -> bytes:
    """JSON over many lines."""
    return json.dumps(json.loads(text), indent=1).encode()


def written(folder: Path, write: Callable[[Path], object]) -> bytes:
    """What a function writes to the path it is given."""
    path = folder / "written"
    write(path)
    return path.read_bytes()


@pytest.fixture(scope="module")
def seeds(tmp_path_factory: pytest.TempPathFactory) -> Seeds:
    """A small sound file for every reader, in every container that it reads."""
    folder = tmp_path_factory.mktemp("seeds")
    hello = [message("user", "Hi")], [message("assistant", "Hello")]
    otlp = "\n".join([
        request(chat(1, 1, *hello, user__id="u"), span(1, 2, parent=1, second=1)),
        request(span(2, 3, openinference__span__kind="TOOL", tool__name="f", input__value="{}")),
        as_json(test_otlp_logs.logs(test_otlp_logs.record())).decode(),
    ]).encode()  # fmt: skip
    said = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]
    talks = [{"messages": said, "session_id": "s", "feedback": {"score": 1}}] * 3
    langfuse = [test_langfuse.TRACE, test_langfuse.GENERATION, test_langfuse.SCORE]
    blob = [test_langfuse.BLOB] * 2
    found: dict[str, tuple[str, bytes]] = {
        "otlp lines": ("otlp_json", otlp),
        "otlp document": ("otlp_json", pretty(request(span(1, 1)))),
        "otlp gzip": ("otlp_json", gzip.compress(otlp, mtime=0)),
        "otlp zstd": ("otlp_json", zstandard.compress(otlp)),
        "protobuf": ("otlp_protobuf", test_otlp_protobuf.message(1, 2)),
        "protobuf framed": ("otlp_protobuf", test_otlp_protobuf.fixed(
            test_otlp_protobuf.message(1), test_otlp_protobuf.message(2))),
        "protobuf delimited": ("otlp_protobuf", test_otlp_protobuf.delimited(
            test_otlp_protobuf.message(1), test_otlp_protobuf.message(2))),
        "protobuf zstd": ("otlp_protobuf", test_otlp_protobuf.zstd_fixed(
            test_otlp_protobuf.message(1), test_otlp_protobuf.message(2))),
        "spans": ("otel_spans", as_lines(test_otlp_bare.SHAPES.values())),
        "chat lines": ("chat", as_lines(talks)),
        "chat array": ("chat", as_json(talks)),
        "langfuse array": ("langfuse", as_json(langfuse)),
        "langfuse lines": ("langfuse", as_lines(langfuse)),
        "langfuse blob": ("langfuse", as_lines(blob)),
        "langfuse csv": ("langfuse", written(folder, lambda p: test_langfuse.write_csv(p, blob))),
        "langsmith lines": ("langsmith", as_lines(test_langsmith.RUNS)),
        "langsmith array": ("langsmith", as_json(test_langsmith.RUNS)),
        "inspect json": ("inspect_log", as_json(test_inspect_log.log(test_inspect_log.SAMPLE))),
        "inspect zip": ("inspect_log",
                        test_inspect_log.archive(folder, test_inspect_log.WHOLE).read_bytes()),
        "atif": ("atif", as_json(test_atif.RUN)),
        "claude code": ("claude_code", as_lines(test_claude_code.SESSION)),
        "openclaw": ("openclaw", as_lines(test_openclaw.SESSION)),
        "who and when": ("who_and_when", as_json(test_who_and_when.RUN)),
        "evals": ("openai_evals", as_lines(test_openai_evals.RUN)),
        "eval items": ("openai_evals", as_json({"data": [test_openai_evals.ITEM]})),
    }  # fmt: skip
    phoenix: list[Callable[[Path], None]] = [
        test_phoenix._rest_page, test_phoenix._otlp_page, test_phoenix._nested_json,
        test_phoenix._frame_columns, test_phoenix._frame_csv, test_phoenix._frame_parquet,
    ]  # fmt: skip
    mlflow: list[Callable[[Path], None]] = [
        test_mlflow._lines(test_mlflow._trace_3()), test_mlflow._document(test_mlflow._trace_2()),
        test_mlflow._table(test_mlflow._row_3()), test_mlflow._parquet(test_mlflow._row_2()),
    ]  # fmt: skip
    for name, writers in (("phoenix", phoenix), ("mlflow", mlflow)):
        for number, write in enumerate(writers):
            found[f"{name} {number}"] = (name, written(folder, write))
    return found


def mutations(seed: bytes, rng: random.Random) -> bytes:
    """The seed with one to four pieces of damage."""
    data = bytearray(seed)
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        if not data:
            break
        at = rng.randrange(len(data))
        size = min(rng.choice((1, 1, 2, 8, 64)), len(data) - at)
        to = rng.randrange(len(data))
        match rng.randrange(9):
            case 0:
                data[at] ^= 1 << rng.randrange(8)
            case 1:
                del data[at : at + size]
            case 2:
                data[at:at] = rng.choice(WORDS)
            case 3:
                del data[at:]
            case 4:
                data[at], data[to] = data[to], data[at]
            case 5:
                data[at:at] = data[at : at + size] * rng.choice((2, 3, 50))
            case 6:
                data[at : at + size] = rng.randbytes(size)
            case 7:
                data[to:to] = data[at : at + size]
            case 8:  # one value for another: what flipped bits seldom hit
                retype(data, at, rng)
    return bytes(data)


WORDS = (b"\0", b"\xff\xfe", b"\n", b'"', b"[" * 300, b"]}", b"{", b",", b"\\ud800", b"NaN",
         b"null", b"9" * 30, b"-1", b"1e400", b"\xf0\x9f", b"\xed\xa0\x80", b"\x1f\x8b",
         b"PK\x03\x04", b"\\", b"e", b"'", b": ")  # fmt: skip
VALUES = (b"null", b"[]", b"{}", b"true", b"0", b"-1", b"1e300", b"9" * 30, b'""', b'"x"',
          b"[null]", b'{"a": 1}', b"NaN", b'"\\ud800"', b"[[]]", b"1.5", b"9223372036854775807",
          b'"2026-11-02T10:00:00Z"', b'"1"')  # fmt: skip


def retype(data: bytearray, at: int, rng: random.Random) -> None:
    """Put another JSON value in place of the one after the next colon."""
    colon = data.find(b":", at)
    begin = colon + 2
    if colon < 0 or begin >= len(data):
        return
    try:
        _, length = json.JSONDecoder().raw_decode(data[begin:].decode("latin-1"))
    except ValueError:
        return
    data[begin : begin + length] = rng.choice(VALUES)


def shredded(content: bytes, folder: Path) -> list[str]:
    """Read a file of this content as the landing index does; returns its reason codes."""
    path = folder / "file"
    path.write_bytes(content)
    shutil.rmtree(folder / "out", ignore_errors=True)
    (folder / "out").mkdir()
    source = Source(path, DAY, 2**20)
    try:
        reader = choose_reader(source)
    except Unreadable as error:
        return [error.reason]
    if reader is None:
        return ["unknown_format"]
    given = asdict(source) | {"path": str(path), "day": DAY.isoformat()}
    task = {"reader": reader.name, "source": given, "folder": str(folder / "out"), "label": "0"}
    return list(shred_share(task)["reasons"])


def rounds(number: int) -> Iterator[random.Random]:
    """As many seeded generators; or, with CASELAW_FUZZ, new ones for so many seconds."""
    seconds = float(os.environ.get("CASELAW_FUZZ", 0))
    until = time.monotonic() + seconds
    for n in count():
        if n >= number and time.monotonic() > until:
            return
        yield random.Random(n)


def test_every_reader_has_a_sound_seed(seeds: Seeds, tmp_path: Path) -> None:
    assert {name for name, _ in seeds.values()} == {reader.name for reader in READERS}
    for name, content in seeds.values():
        path = tmp_path / "sound"
        path.write_bytes(content)
        reader = choose_reader(Source(path, DAY))
        assert reader is not None
        assert reader.name == name
        assert shredded(content, tmp_path) == []


def test_no_mutation_of_a_seed_escapes_the_reader(seeds: Seeds, tmp_path: Path) -> None:
    for rng in rounds(60):
        for name, (_, content) in seeds.items():
            mutated = mutations(content, rng)
            try:
                reasons = shredded(mutated, tmp_path)
            except Exception as error:
                kept = keep(name, mutated)
                pytest.fail(f"{name}: {type(error).__name__}: {error}; the file is {kept}")
            assert set(reasons) <= set(REASONS), name


def test_no_mutation_of_a_seed_stops_the_day(
    seeds: Seeds, place: DataDir, ingest: Callable[..., Assembly]
) -> None:
    folder = place.landing / "day=2026-11-02"
    for rng in rounds(4):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        for name, (_, content) in seeds.items():
            for number in range(3):
                (folder / f"{name} {number}").write_bytes(mutations(content, rng))
        try:
            ingest()
        except Exception as error:
            kept = shutil.copytree(
                folder, Path(gettempdir()) / f"fuzz-day-{os.getpid()}", dirs_exist_ok=True
            )
            pytest.fail(f"{type(error).__name__}: {error}; landing is kept in {kept}")


def test_no_mutation_of_a_real_file_escapes_the_reader(shared_data: Path, tmp_path: Path) -> None:
    folders = ("inspect-logs", "openinference-fixtures", "langfuse-framework-traces",
               "who-and-when")  # fmt: skip
    files = [path for name in folders for path in sorted((shared_data / name).rglob("*"))]
    small = [path for path in files if path.is_file() and path.stat().st_size < 40_000]
    for rng in rounds(1):
        for path in small[::2]:
            mutated = mutations(path.read_bytes(), rng)
            try:
                shredded(mutated, tmp_path)
            except Exception as error:
                kept = keep(path.stem, mutated)
                pytest.fail(f"{path.name}: {type(error).__name__}: {error}; the file is {kept}")


def keep(name: str, content: bytes) -> Path:
    """Keep what broke a reader, for whoever mends it."""
    path = Path(gettempdir()) / f"fuzz-{os.getpid()}-{name}"
    path.write_bytes(content)
    return path
