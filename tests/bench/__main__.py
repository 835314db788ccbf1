"""`make bench`: speed against peers, findings against two seeds' ground truth, real runs."""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path

import polars as pl

from tests.bench.findings import coverage, grade_everything, score_kinds
from tests.bench.ingest import compare
from tests.bench.judging import compare_judging
from tests.bench.modes import compare_modes
from tests.bench.novelty import compare_novelty
from tests.bench.real_runs import main as real_runs
from tests.bench.redaction import compare_redaction
from tests.bench.rules import compare_rules
from tests.bench.suite import compare_suite

_DAYS, _BUDGET = 14, 40
_RUNS = (("tuned", 7), ("held_out", 31))


def main() -> None:
    """Print one table a run; `SPANS=` sets the size of the first (default: a million)."""
    spans = int(os.environ.get("SPANS") or 1_000_000)
    compare(spans)
    compare(2 * spans, ("ingest",))
    compare_judging()
    compare_redaction()
    compare_suite()
    compare_modes()
    compare_novelty()
    pl.Config(tbl_rows=40, tbl_cols=20, tbl_hide_dataframe_shape=True, float_precision=2,
              tbl_hide_column_data_types=True, tbl_width_chars=140)  # fmt: skip
    for phrases, seed in _RUNS:
        started = time.perf_counter()
        with tempfile.TemporaryDirectory() as folder:
            graded = grade_everything(
                Path(folder), seed=seed, phrases=phrases, days=_DAYS, budget=_BUDGET
            )
        traces = graded.traces
        failing = traces.filter(pl.col("kinds").list.set_difference(["oddity"]).list.len() > 0)
        clean = traces.filter(pl.col("kinds").list.len() == 0)
        alarms = clean.filter(pl.col("checks").list.len() > 0).height
        caught = failing.filter(pl.col("checks").list.len() > 0).height
        by_rule = failing.filter("by_rule").height
        judged = traces.filter("judged").height
        print(
            f"\n== phrases {phrases}, seed {seed}: {traces.height} conversations, {_DAYS} days =="
        )
        print(score_kinds(traces))
        print(f"failing conversations found by any check: {caught} of {failing.height}")
        print(f"  by rules alone: {by_rule} of {failing.height}")
        print(f"clean conversations with a failing check: {alarms} of {clean.height}")
        print(f"conversations that reached the judge: {judged} of {traces.height}")
        print(f"Does a day's 95 % interval at a budget of {_BUDGET} cover the true failure rate?")
        print(coverage(graded))
        print(f"({time.perf_counter() - started:.0f} s)")
        if phrases == "tuned":
            compare_rules(graded.redacted, graded.sampled)
        sys.stdout.flush()
    real_runs()


if __name__ == "__main__":
    main()
