"""How fast the rules are, beside reading the same traces from Parquet.

One pass in a process of its own over distinct traces, so that no memo of an earlier pass helps;
CPU seconds, since others use the machine too. A million traces are extrapolated from it. Reading
is told twice: into columns, which is what Polars is made for, and on into one object a trace,
without which nothing that looks at a conversation can begin.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from datetime import date
from pathlib import Path

import polars as pl

from pipeline.datadir import COMMITTED
from pipeline.grading import read_conversation
from pipeline.grading.rules import Scope, is_suspected, run_rules
from pipeline.registry import load_registry
from pipeline.sampling import usual_effort
from pipeline.tables import REDACTED_TRACES, STRATIFIED_SAMPLES

__all__ = ["compare_rules"]

_WARM = 50  # traces before the clock starts: weights are loaded, patterns compiled
_READS = 9
_MILLION = 1_000_000


def compare_rules(redacted: pl.DataFrame, samples: pl.DataFrame) -> None:
    """Print the rates of reading and of the rules, on one core and with two processes."""
    known = STRATIFIED_SAMPLES.conform(samples).select("trace_id", "intent", "intent_score")
    rows = REDACTED_TRACES.conform(redacted).join(known, on="trace_id")
    half = (rows.height - _WARM) // 2
    with tempfile.TemporaryDirectory() as folder:
        whole, first, second = (Path(folder) / f"{name}.parquet" for name in ("all", "a", "b"))
        rows.write_parquet(whole, compression="zstd")
        warm = rows.head(_WARM)
        pl.concat([warm, rows.slice(_WARM, half)]).write_parquet(first, compression="zstd")
        pl.concat([warm, rows.slice(_WARM + half)]).write_parquet(second, compression="zstd")
        samples.write_parquet(Path(folder) / "samples.parquet")
        columns, objects = _reading(whole)
        (one,) = _run([whole])
        began = time.perf_counter()
        two = _run([first, second])
        wall = time.perf_counter() - began
    count = rows.height - _WARM
    per = one / count
    print(f"\n== rules: {rows.height:,} distinct redacted traces, one pass, CPU time ==")
    print(f"reading into columns      {rows.height / columns:10,.0f} traces/s")
    print(f"reading, one object each  {rows.height / (columns + objects):10,.0f} traces/s")
    print(f"rules, one process        {count / one:10,.0f} traces/s", end="")
    print(f"   a million: {per * _MILLION / 60:.0f} min of one core (extrapolated)")
    print(f"rules, two processes      {2 * count / sum(two):10,.0f} traces/s of CPU time", end="")
    print(f"   ({wall:.0f} s on the wall, loading included)")
    ratio = per * rows.height / (columns + objects)
    print(f"rules take {ratio:.1f} times the reading into objects, ", end="")
    print(f"{per * rows.height / columns:,.0f} times the reading into columns")


def _reading(path: Path) -> tuple[float, float]:
    """CPU seconds to read the file into columns, and to turn those into objects; the best of."""
    columns, objects = [], []
    for _ in range(_READS):
        began = time.process_time()
        frame = pl.read_parquet(path)
        middle = time.process_time()
        for _row in frame.iter_rows(named=True):
            pass
        columns.append(middle - began)
        objects.append(time.process_time() - middle)
    return min(columns), min(objects)


def _run(paths: list[Path]) -> list[float]:
    """CPU seconds of the rules on each file, in processes side by side."""
    running = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.bench.rules", str(path)],
            stdout=subprocess.PIPE,
            text=True,
        )
        for path in paths
    ]
    return [float(process.communicate()[0]) for process in running]


def main() -> None:
    """Run the rules on one Parquet file of rows, and print the CPU seconds."""
    path = Path(sys.argv[1])
    registry = load_registry(COMMITTED / "registry", date(2026, 11, 10))
    norms = usual_effort(pl.read_parquet(path.parent / "samples.parquet"), least=1)
    intents = {intent.id: intent for intent in registry.intents}
    rows = list(pl.read_parquet(path).iter_rows(named=True))
    for number, row in enumerate(rows):
        if number == _WARM:
            began = time.process_time()
        conversation = read_conversation(row)
        intent = intents.get(row["intent"])
        norm = norms.get(row["intent"])
        scope = Scope(intent, row["intent_score"], registry.intents, norm, None)
        is_suspected(conversation)
        run_rules(conversation, registry.rules, scope)
    print(time.process_time() - began)


if __name__ == "__main__":
    main()
