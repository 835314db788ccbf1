"""The command that explains a decision on a case."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import click

from pipeline.datadir import DataDir

if TYPE_CHECKING:
    import polars as pl

    from pipeline.lake import Lake

__all__ = ["why"]

_FEWEST = 6  # signs of an id that is not whole
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f]")


@click.command()
@click.argument("case_or_trace", metavar="CASE_ID|TRACE_ID")
@click.pass_obj
def why(place: DataDir, case_or_trace: str) -> None:
    """Explain why a failure became a test case, waits for a person, or did not.

    Takes the id of a case or of a trace, or how it begins. Prints the seven P.R.O.M.O.T.E. scores,
    what stands against it, how its checks did when they were tried out, and how people voted.
    """
    import polars as pl

    from pipeline.lake import Lake
    from pipeline.promotion.why import COLUMNS, tell_why
    from pipeline.registry import load_registry
    from pipeline.review.annotations import read_annotations
    from pipeline.suite.people import hear_people
    from pipeline.suite.proposal import EVER
    from pipeline.tables import EVAL_SUITE

    lake = Lake(place)
    found = _matching(_decisions(lake, COLUMNS), case_or_trace)
    suite = lake.read(EVAL_SUITE, None) if lake.exists(EVAL_SUITE, None) else EVAL_SUITE.empty()
    voices = hear_people(read_annotations(place.annotations, EVER))
    for number, name in enumerate(found["case_id"].unique(maintain_order=True)):
        rows = found.filter(pl.col("case_id") == name).to_dicts()
        # the latest decision knows most
        last, others = rows[-1], rows[:-1]
        limits = load_registry(place.registry, last["day"]).settings.promotion
        listed = suite.filter(pl.col("case_id") == name).to_dicts()
        kin = _kin(suite, last)
        lines = [*tell_why(last, others, listed[0] if listed else None, limits, kin)]
        if said := voices.tell(last["trace_id"], last["check"], last["layer"]):
            lines.append(f"People: {said}")
        click.echo("\n".join([""] * bool(number) + [_UNPRINTABLE.sub(" ", one) for one in lines]))


def _kin(suite: pl.DataFrame, row: dict[str, Any]) -> list[str]:
    """The other active cases of the suite that tell the same lesson: of one mode and intent."""
    import polars as pl

    same = [pl.col(name).eq_missing(pl.lit(row[name])) for name in ("failure_mode_id", "intent")]
    others = suite.filter(*same, pl.col("status") == "active", pl.col("case_id") != row["case_id"])
    return [] if row["failure_mode_id"] is None else others["case_id"].sort().to_list()


def _decisions(lake: Lake, columns: tuple[str, ...]) -> pl.DataFrame:
    import polars as pl

    from pipeline.lake import MissingPartition
    from pipeline.tables import PROMOTED_CASES

    windows = lake.windows(PROMOTED_CASES)
    if not windows:
        raise MissingPartition(
            "promoted_cases has no day yet, so nothing was decided. "
            f"Run: {lake.place.make('backfill', 'YYYY-MM-DD')}"
        )
    wanted = [name for name in columns if name != "day"]
    return pl.concat(
        lake.read(PROMOTED_CASES, window, wanted).with_columns(
            pl.lit(window.first, pl.Date).alias("day")
        )
        for window in windows
    )


def _matching(decisions: pl.DataFrame, wanted: str) -> pl.DataFrame:
    """The rows of a case or of a trace, by day; an id that is not whole must mean one of them."""
    import polars as pl

    for name in ("case_id", "trace_id"):
        exact = decisions.filter(pl.col(name) == wanted)
        if not exact.is_empty():
            return exact.sort("day", "case_id", "trace_id")
    begun = [
        (name, value)
        for name in ("case_id", "trace_id")
        for value in decisions[name].unique().sort()
        if len(wanted) >= _FEWEST and value.startswith(wanted)
    ]
    if len(begun) == 1:
        name, value = begun[0]
        return decisions.filter(pl.col(name) == value).sort("day", "case_id", "trace_id")
    if begun:
        raise click.UsageError(f"{len(begun)} ids begin with {wanted!r}; write more of it")
    raise click.UsageError(
        f"nothing was decided on {wanted!r}: it failed nothing, was not sampled, or is no id of a "
        "case or trace. What waits for a person: caselaw query waiting_for_review"
    )
