"""`make demo`: sample traffic through the whole lineage, in a data directory of its own."""

from __future__ import annotations

import shutil
import sys
import time
from datetime import date, timedelta
from pathlib import Path

from rich.console import Console
from rich.text import Text

from assets.backfill import run
from assets.plan import backfill
from pipeline.datadir import COMMITTED, DataDir
from pipeline.files import make_directory
from pipeline.lake import Lake
from pipeline.simulate import Simulation, simulate

__all__ = ["main"]

_START, _DAYS = date(2026, 11, 2), 14
_SMALL_BUDGET = """
  # The demo looks at 40 conversations a day, so that two weeks take minutes.
  - effective_from: 2025-01-06
    sampling:
      budget_per_day: 40
"""


def main() -> None:
    """Simulate once, run 14 days and two weeks, print the last day's summary and what to open."""
    place = DataDir.from_environment()
    console = Console()
    started = time.monotonic()
    _copy_registry(place)
    if not place.simulated.is_dir():
        made = _simulate(place, console)
        console.print(
            f"{made.conversations} conversations with a support agent, {made.failing} of them "
            f"with a planted failure ({made.bytes / 1e6:.0f} MB of OTLP)."
        )
    end = _START + timedelta(days=_DAYS - 1)
    code = run(place, backfill(_START, end, Lake(place)), 1, Console(stderr=True))
    if code:
        sys.exit(code)
    last = place.reports / f"day={end}"
    for line in (last / "summary.md").read_text("utf-8").splitlines():
        style = "bold" if line.startswith("#") else ""
        console.print(Text(line.lstrip("# "), style=style), soft_wrap=True)
    console.rule("What to open next")
    root = _shown(place.root)
    for what, how in (
        ("this page in a browser", f"{_shown(last)}/summary.html"),
        ("the promoted cases", f"{root}/eval/cases_from_prod.yaml"),
        ("what waits for a person", f".venv/bin/caselaw --data {root} review"),
        ("the lineage in Dagster", f"make dev CASELAW_DATA={root}"),
        ("counts and rates", f".venv/bin/caselaw --data {root} query"),
        ("your own traces", ".venv/bin/caselaw land FILE..., then make backfill FROM= TO="),
    ):
        console.print(f"  {what:<24} {how}", highlight=False, soft_wrap=True)
    console.print(f"\n{_DAYS} days and two weeks in {time.monotonic() - started:.0f} s.")


def _copy_registry(place: DataDir) -> None:
    """Give the demo a registry of its own: the committed one with a smaller budget."""
    own = place.root / "registry"
    if not own.is_dir():
        make_directory(place.root, private=False)
        aside = place.root / ".registry.tmp"
        shutil.copytree(COMMITTED / "registry", aside, dirs_exist_ok=True)
        with (aside / "settings.yaml").open("a", encoding="utf-8") as settings:
            settings.write(_SMALL_BUDGET)
        aside.rename(own)


def _simulate(place: DataDir, console: Console) -> Simulation:
    """Write the traffic aside first: a demo that was stopped half-way simulates again."""
    aside = place.root / ".simulating"
    shutil.rmtree(aside, ignore_errors=True)
    with console.status("Simulating two weeks of traffic"):
        made = simulate(aside, start=_START, days=_DAYS)
    for part in ("landing", "annotations", "simulated"):
        shutil.rmtree(place.root / part, ignore_errors=True)
        (aside / part).rename(place.root / part)
    shutil.rmtree(aside)
    return made


def _shown(path: Path) -> str:
    """A path as short as it can be typed."""
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)


if __name__ == "__main__":
    main()
