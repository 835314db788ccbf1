"""`caselaw export`: the suite as another tool loads it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipeline.cli.options import counted, require_suite
from pipeline.datadir import DataDir

if TYPE_CHECKING:
    from pipeline.exports import Case, Selection, Target

__all__ = ["export", "suite_cases"]

_NAMES = (
    *("promptfoo", "inspect", "deepeval", "openai-evals", "pytest"),
    *("langfuse", "langsmith", "phoenix"),
)


@click.command()
@click.argument("target", type=click.Choice(_NAMES), metavar="TARGET")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), metavar="DIR",
              help="The folder to write; else ./caselaw-TARGET.")  # fmt: skip
@click.option("--split", "splits", multiple=True, default=("regression",), show_default=True,
              type=click.Choice(("regression", "example", "holdout")),
              help="Which splits; may be given several times.")  # fmt: skip
@click.option("--status", "statuses", multiple=True, default=("active",), show_default=True,
              help="Which statuses, such as retired; may be given several times.")  # fmt: skip
@click.option("--why", help="Why the holdout is opened: it is logged and counted.")
@click.option("--dataset", default="caselaw", show_default=True, metavar="NAME",
              help="What the tool shall call the cases.")  # fmt: skip
@click.option("--judge", "judged", is_flag=True,
              help="promptfoo: checks that need a judge become llm-rubric assertions.")  # fmt: skip
@click.pass_obj
def export(
    place: DataDir,
    target: str,
    out: Path | None,
    splits: tuple[str, ...],
    statuses: tuple[str, ...],
    why: str | None,
    dataset: str,
    judged: bool,
) -> None:
    """Write the suite as TARGET loads it; where TARGET runs code, the checks run in it.

    TARGET: promptfoo, inspect, deepeval, openai-evals or pytest run the checks; langfuse, langsmith
    and phoenix get the cases as items of a dataset.

    Both files of the suite are read: cases_from_prod.yaml and cases_by_hand.yaml. Equal cases
    give equal bytes; files of an earlier export are replaced.

    Exit codes: 0 fine, 2 the suite or an option is not as it should be, 3 there is no suite.
    """
    from pipeline.exports import TARGETS, select_cases, write_files
    from pipeline.suite.openings import record_opening, whoami

    chosen = TARGETS[target]
    if judged and not chosen.judges:
        raise click.UsageError(f"--judge is for promptfoo; {target} has no such check here")
    if not dataset.replace("-", "").replace("_", "").isalnum() or not dataset.isascii():
        raise click.UsageError("--dataset takes letters, digits, '-' and '_'")
    if "holdout" in splits and not (why or "").strip():
        raise click.UsageError(
            "the holdout is opened only for a reason, which is logged: add --why '...'"
        )
    selection = select_cases(suite_cases(place), splits, statuses)
    held = [case for case in selection.cases if case.split == "holdout"]
    if held:
        who, reason = whoami(), (why or "").strip()
        record_opening(place, who=who, why=reason, cases=len(held), target=target)
    folder = out or Path(f"caselaw-{target}")
    files = chosen.write(selection.cases, dataset, judged=judged)
    write_files(files, folder)
    for line in _told(place, chosen, selection, folder, dataset, len(files), judged, len(held)):
        click.echo(line)


def suite_cases(place: DataDir) -> tuple[Case, ...]:
    """The cases of both files of the suite; a click error says what is wrong with them."""
    from pipeline.exports import BY_HAND, FROM_PROD, ExportError, read_cases
    from pipeline.suite import SuiteFileError, read_text
    from pipeline.suite.proposal import suite_folder, suite_registry

    folder = suite_folder(place, suite_registry(place))
    require_suite(place, folder)
    try:
        return read_cases(read_text(folder / FROM_PROD).text, read_text(folder / BY_HAND).text)
    except SuiteFileError as error:
        raise click.UsageError(str(error)) from None
    except ExportError as error:
        raise click.UsageError(f"{folder}: {error}. Nothing was written") from None


def _told(
    place: DataDir,
    target: Target,
    selection: Selection,
    folder: Path,
    dataset: str,
    files: int,
    judged: bool,
    held: int,
) -> list[str]:
    from pipeline.exports import tally
    from pipeline.suite.openings import read_openings

    sums = tally(selection.cases)
    lines = [
        f"{target.name}: {counted(len(selection.cases), 'case')}, "
        f"{counted(sums.checks, 'check')}, {counted(files, 'file')} in {folder}"
    ]
    if not target.runs:
        lines.append(
            f"It runs no checks of ours: all {sums.checks} are carried as data; on an answer they "
            "run by: caselaw check-answer"
        )
    elif sums.judged and judged:
        lines.append(f"Of the checks {sums.judged} ask the judge of {target.name}.")
    elif sums.judged:
        hint = " (--judge makes them llm-rubric assertions)" if target.judges else ""
        lines.append(f"Of the checks {sums.judged} need a judge: carried, not run{hint}.")
    if sums.idle and target.runs and not judged:
        apart = "left out of the tests" if target.judges else "undecided when run"
        lines.append(f"Of the cases {sums.idle} have no check that runs without: {apart}.")
    if selection.left_out:
        left = ", ".join(f"{number} {name}" for name, number in selection.left_out)
        lines.append(f"Left out: {left}.")
    if held:
        lines.append(
            f"The holdout was opened ({counted(held, 'case')}): the "
            f"{len(read_openings(place).found)}. time, by ledger/holdout_openings.jsonl."
        )
    lines.append(f"Next: {target.follow_up.format(folder=folder, dataset=dataset)}")
    return lines
