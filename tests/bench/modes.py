"""How many failures are clustered in which time and memory, and how well.

`make bench` runs each measurement in a process of its own, so that the peak is its own.
"""

from __future__ import annotations

import os
import random
import resource
import subprocess
import sys
import time
from datetime import date

import polars as pl

from pipeline.embedding import word_embedder
from pipeline.failures import assign_modes, consolidate_modes
from pipeline.registry import Registry, Settings
from pipeline.tables import GRADES
from pipeline.windows import week

__all__ = ["compare_modes"]

_PLAIN = Registry(Settings(), (), (), (), (), {})
_CHECKS = ("completeness", "tone", "helpfulness", "right_tool")
_ERRORS, _INTENTS = 30, 200


def hostile_failures(count: int) -> pl.DataFrame:
    """Failures of one day of which every one has a signature of its own: the worst case.

    120 kinds (4 checks, 30 error classes) in 200 intents, about a subject that is never twice.
    """
    draw = random.Random(1)
    kinds = [(draw.choice(_CHECKS), f"error_{draw.randrange(_ERRORS)}") for _ in range(count)]
    base = dict.fromkeys(GRADES.schema.names())
    rows = {name: [value] * count for name, value in base.items()}
    rows |= {
        "trace_id": [f"t{n:06}" for n in range(count)],
        "check": [check for check, _ in kinds],
        "error_class": [error for _, error in kinds],
        "grader_id": ["judge"] * count,
        "layer": ["judge"] * count,
        "verdict": ["fail"] * count,
        "severity": ["medium"] * count,
        "intent": [f"intent_{draw.randrange(_INTENTS)}" for _ in range(count)],
        "subject": [_word(n) for n in range(count)],
        "reason": ["The second question has no answer."] * count,
        "weight": [1.0] * count,
    }
    return pl.DataFrame(rows, schema=GRADES.schema)


def _word(number: int) -> str:
    """A word of letters: numbers would be masked, and the signatures be the same."""
    letters = []
    for _ in range(5):
        number, digit = divmod(number, 26)
        letters.append(chr(97 + digit))
    return "tool " + "".join(letters)


def compare_modes(count: int = 50_000) -> None:
    """Print time and memory of clustering `count` failures by day and by week."""
    print(f"\n== failure modes: {count:,} failures, no two of one signature, "
          f"load {os.getloadavg()[0]:.1f} ==", flush=True)  # fmt: skip
    for part in ("day", "week"):
        subprocess.run([sys.executable, "-m", "tests.bench.modes", part, str(count)], check=True)


def main() -> None:
    """Cluster failures as a day or as a week does, and print the cost."""
    part, count = sys.argv[1], int(sys.argv[2])
    grades, embedder = hostile_failures(count), word_embedder()
    began, busy = time.perf_counter(), time.process_time()
    if part == "day":
        frame = assign_modes(grades, None, _PLAIN, embedder).frame
    else:
        dated = grades.with_columns(
            day=pl.date(2026, 11, 2) + pl.duration(days=pl.int_range(pl.len()) % 7)
        )
        frame = consolidate_modes(dated, None, _PLAIN, embedder, week(date(2026, 11, 2))).frame
    wall, cpu = time.perf_counter() - began, time.process_time() - busy
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    modes = frame["failure_mode_id"].n_unique()
    print(f"{part:5} {wall:6.0f} s ({cpu:.0f} s of CPU)  {peak:.2f} GB  {modes} modes of 120 kinds")


if __name__ == "__main__":
    main()
