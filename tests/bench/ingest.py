"""Ingest against its peers: OTLP JSON lines to a day of conversations, in time and memory."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.bench.traffic import DAY, write_spans

__all__ = ["compare", "main"]

_PAGE = 4096
_ENGINES = ("ingest", "duckdb", "polars")


def compare(spans: int, engines: tuple[str, ...] = _ENGINES) -> dict[str, tuple[float, float]]:
    """Seconds, and peak memory in MB of all processes together, of each engine; prints them."""
    found: dict[str, tuple[float, float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "data" / "landing" / "traffic.jsonl"
        source.parent.mkdir(parents=True)
        size = write_spans(source, spans) / 1e6
        print(f"\n== ingest: {spans:,} spans, {size:,.0f} MB of OTLP JSON lines, two cores ==")
        for engine in engines:
            found[engine] = _measure([engine, str(source), folder])
            seconds, memory = found[engine]
            print(f"{engine:8} {seconds:7.1f} s  {size / seconds:6.0f} MB/s  peak {memory:6.0f} MB")
    return found


def main() -> None:
    """Run one engine: its name, the source file and a folder."""
    engine, source, folder = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    if engine == "duckdb":
        from tests.bench.peers import with_duckdb

        with_duckdb(source, folder / "duckdb.parquet")
    elif engine == "polars":
        from tests.bench.peers import with_polars

        with_polars(source, folder / "polars.parquet")
    else:
        _ingest(folder / "data")


def _ingest(data: Path) -> None:
    """What the asset `raw_traces` does for one day, from landing to the published partition."""
    from pipeline.datadir import DataDir
    from pipeline.ingest import assemble_day
    from pipeline.lake import Lake
    from pipeline.provenance import Provenance
    from pipeline.registry import load_registry
    from pipeline.tables import RAW_TRACES
    from pipeline.windows import day

    place, window = DataDir(data), day(DAY)
    registry = load_registry(place.registry, window)
    with assemble_day(place, window, registry, b"k" * 32) as found:
        provenance = Provenance(found.counts, found.files)
        Lake(place).publish(RAW_TRACES, window, found.frames(), provenance)


def _measure(words: list[str]) -> tuple[float, float]:
    """Run an engine in a process of its own; memory is summed over it and its children."""
    os.sync()  # what was written before is not for this engine to wait for
    started = time.perf_counter()
    command = [sys.executable, "-m", "tests.bench.ingest", *words]
    process = subprocess.Popen(command)
    peak = 0.0
    while process.poll() is None:
        peak = max(peak, _resident(process.pid))
        time.sleep(0.05)
    if process.returncode:
        raise RuntimeError(f"{words[0]} ended with {process.returncode}")
    return time.perf_counter() - started, peak


def _resident(pid: int) -> float:
    """Resident memory in MB of a process and all below it; 0 for one that has gone."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
        below = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except (OSError, IndexError):
        return 0.0
    return pages * _PAGE / 1e6 + sum(_resident(int(child)) for child in below)


if __name__ == "__main__":
    main()
