"""What a person sees while a plan runs: a line per task, a bar of published partitions."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)

from assets.jobs import ASSETS
from assets.plan import Task
from assets.publishing import PUBLISHED

__all__ = ["Display", "display"]


class Display:
    """Shows one task at a time; where nobody watches, a line as each starts and ends."""

    def __init__(self, console: Console, bars: Progress) -> None:
        self._console = console
        self._bars = bars
        self._task = Task("")
        self._bar = TaskID(0)

    def begin(self, task: Task) -> None:
        """Start the bar of a task: one step per asset and partition."""
        steps = len(ASSETS[task.job]) * max(len(task.windows), 1)
        self._task = task
        self._bar = self._bars.add_task(str(task), total=steps, now="starting")
        if not self._console.is_terminal:
            self._console.print(f"{task}: started")

    def listen(self, what: str, text: str) -> None:
        """Take in what the runner tells: partitions by their log line, other assets by step."""
        if what == "log" and text.startswith(PUBLISHED) and self._task.windows:
            what, text = "published", text.split()[1]
        elif what == "finished" and not self._task.windows:
            what = "published"
        if text in ASSETS[self._task.job]:
            self._bars.update(self._bar, now=text, advance=1 if what == "published" else 0)

    def finished_day(self, day: Task) -> None:
        """Count a day that another process has run."""
        self._bars.update(self._bar, advance=len(ASSETS[day.job]), now=str(day))

    def end(self, *, failed: bool) -> None:
        """Close the bar."""
        state = "stopped" if failed else "done"
        self._bars.update(self._bar, now=state)
        self._bars.stop_task(self._bar)
        if not self._console.is_terminal:
            bar = next(bar for bar in self._bars.tasks if bar.id == self._bar)
            self._console.print(f"{self._task}: {state} in {bar.elapsed or 0:.1f} s")


@contextmanager
def display(console: Console) -> Iterator[Display]:
    """Show progress on `console`; bars are drawn on a terminal alone."""
    columns = (
        SpinnerColumn(finished_text="[green]✓"),
        TextColumn("{task.description}"),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("[dim]{task.fields[now]}"),
    )
    with Progress(*columns, console=console, disable=not console.is_terminal) as bars:
        yield Display(console, bars)
