"""Rules and the embedded judge on real runs with a recorded outcome: the tau-bench airline agent.

The registry, `tests/registries/airline`, was written from the agent's policy document, and mended
while the runs of tasks with even numbers were read. Those with odd numbers were graded after that.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from pipeline.datadir import DataDir
from pipeline.embedding import sentence_embedder
from pipeline.grading import grade_traces, make_judge
from pipeline.ingest import assemble_day, land
from pipeline.redaction import Redactor, load_key, load_policy, redact_traces
from pipeline.registry import load_registry
from pipeline.sampling import draw_sample
from pipeline.windows import day
from tests.shared_corpora import SHARED

__all__ = ["REGISTRY", "Score", "grade_runs", "read_runs", "score"]

ROOT = Path(__file__).resolve().parents[2]
REGISTRY = ROOT / "tests" / "registries" / "airline"
_CLOCK = "2024-05-15T20:00:00Z"  # what the agent's prompt says the time is: 15:00 in New York
_DRAWS, _SEED = 10_000, 20240515


@dataclass(frozen=True)
class Score:
    """How well "a check failed" tells the runs that were not solved.

    Attributes:
        runs: graded runs.
        solved: those of them with the full reward.
        sensitivity: the share of the unsolved that a check failed (TPR).
        specificity: the share of the solved that none did (TNR).
        accuracy: the mean of the two.
        low: lower end of its 95 % interval: percentiles of a bootstrap that draws whole tasks,
            since the runs of one task are alike.
        high: the upper end.
        silent: runs on which no check failed and the judge passed no axis.
    """

    runs: int
    solved: int
    sensitivity: float
    specificity: float
    accuracy: float
    low: float
    high: float
    silent: int


def read_runs(shared: Path, *, odd: bool, trials: Sequence[int] = range(4)) -> list[dict[str, Any]]:
    """The recorded runs of the tasks with odd, or even, numbers."""
    path = shared / "tau-bench" / "gpt-4o-airline.tasks00-24.json"
    return [
        run
        for run in json.loads(path.read_text("utf-8"))
        if run["task_id"] % 2 == odd and run["trial"] in trials
    ]


def grade_runs(folder: Path, runs: Sequence[dict[str, Any]]) -> pl.DataFrame:
    """Land, redact, sample and grade runs in an empty data directory, as the pipeline does.

    Returns:
        The grades, with the run's `task` and `solved`. Outcome and instruction are not landed.
    """
    place = DataDir(folder)
    window = day(_CLOCK[:10])
    registry = load_registry(REGISTRY, date(2025, 1, 6))
    landing = folder.parent / "runs.jsonl"
    names = [f"{run['task_id']}-{run['trial']}" for run in runs]
    landing.write_text(
        "\n".join(
            json.dumps({"agent_version": name, "created_at": _CLOCK, "messages": run["traj"]})
            for name, run in zip(names, runs, strict=True)
        )
    )
    land(place, [landing], window.days[0].first)
    place.keys.mkdir(parents=True, exist_ok=True)
    key = load_key(place.keys / "surrogate.key", {}, create=True)
    content = load_key(place.keys / "content.key", {}, create=True)
    with assemble_day(place, window, registry, content.subkey("user")) as assembly:
        raw = assembly.traces
    policy = load_policy(ROOT / "data" / "registry" / "pii_policy.yaml")
    redacted, _ = redact_traces(raw, Redactor(policy, key), content)
    samples = draw_sample(raw, registry, sentence_embedder()).frame
    grades = grade_traces(redacted, samples, registry, make_judge(registry, place.ledger)).frame
    known = pl.DataFrame(
        {
            "agent_version": names,
            "task": [run["task_id"] for run in runs],
            "solved": [run["reward"] >= 1 for run in runs],
        }
    )
    runs_of = redacted.select("trace_id", "agent_version", "messages", "tool_calls")
    return grades.join(runs_of.join(known, on="agent_version"), on="trace_id")


def score(grades: pl.DataFrame) -> Score:
    """Hold "any check failed" against the recorded outcome."""
    failed = pl.col("verdict") == "fail"
    passed = (pl.col("layer") == "judge") & (pl.col("verdict") == "pass")
    told = grades.group_by("trace_id", "task", "solved").agg(
        failed=failed.any(), silent=~(failed | passed).any()
    )
    flags, solved = told["failed"].to_numpy(), told["solved"].to_numpy()
    tasks = told["task"].to_numpy()
    by_task = [np.flatnonzero(tasks == task) for task in np.unique(tasks)]
    draws = np.random.default_rng(_SEED).integers(0, len(by_task), (_DRAWS, len(by_task)))
    drawn = (np.concatenate([by_task[task] for task in draw]) for draw in draws)
    means = [_rates(flags[rows], solved[rows]) for rows in drawn if 0 < solved[rows].mean() < 1]
    low, high = np.percentile([sum(rates) / 2 for rates in means], [2.5, 97.5])
    sensitivity, specificity = _rates(flags, solved)
    return Score(
        told.height, int(solved.sum()), sensitivity, specificity,
        (sensitivity + specificity) / 2, float(low), float(high), int(told["silent"].sum()),
    )  # fmt: skip


def _rates(flags: Any, solved: Any) -> tuple[float, float]:
    return float(flags[~solved].mean()), float(1 - flags[solved].mean())


def main() -> None:
    """Print both halves, or the one that is named: `even` or `odd`."""
    if not SHARED.is_dir():
        print(f"\n== real runs: none at {SHARED}; set CASELAW_SHARED to their folder ==")
        return
    pl.Config(tbl_rows=60, tbl_hide_dataframe_shape=True, tbl_hide_column_data_types=True)
    for half in sys.argv[1:] or ["even", "odd"]:
        with tempfile.TemporaryDirectory() as folder:
            grades = grade_runs(Path(folder) / "data", read_runs(SHARED, odd=half == "odd"))
        found = score(grades)
        print(f"\n== tau-bench airline, tasks with {half} numbers: {found.runs} runs, ", end="")
        print(f"{found.solved} solved ==")
        print(f"a check failed: {found.sensitivity:.2f} of the unsolved (TPR)")
        print(f"no check failed: {found.specificity:.2f} of the solved (TNR)")
        print(f"balanced accuracy {found.accuracy:.2f}, 95 % [{found.low:.2f}, {found.high:.2f}]")
        print(f"nothing said either way: {found.silent} runs")
        fails = grades.filter(pl.col("verdict") == "fail")
        print(
            fails.group_by("check", "layer")
            .agg(unsolved=(~pl.col("solved")).sum(), solved=pl.col("solved").sum())
            .sort("unsolved", "check", descending=[True, False])
        )
        judged = grades.filter(pl.col("layer") == "judge")
        counts = [
            judged.filter(verdict=word).group_by("axis").agg(pl.len().alias(word))
            for word in ("pass", "fail", "unknown")
        ]
        table = judged.select("axis").unique()
        for count in counts:
            table = table.join(count, on="axis", how="left")
        print(table.fill_null(0).sort("axis"))


if __name__ == "__main__":
    main()
