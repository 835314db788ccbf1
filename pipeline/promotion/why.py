"""Why a case was promoted, queued or turned down: its scores, its blocks and reasons, in lines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from typing import Any

from pipeline.promotion.candidate import COSTLY_PASS, SLOW_FAILURE
from pipeline.promotion.gates import BLOCKS
from pipeline.promotion.scores import Scores
from pipeline.promotion.trials.self_check import SELF_CHECKS, TRIED_OUT
from pipeline.registry.settings import Promotion

__all__ = ["COLUMNS", "tell_why"]

COLUMNS = (
    *("day", "case_id", "trace_id", "check", "layer", "failure_mode_id", "decision", "reasons"),
    *(field.name for field in fields(Scores)),
    *("split", "category", "severity", "blocked_by", "self_check", "mutations_caught"),
    *("mutations_tried", "mutations_missed", "intent", "stakes", "release", "policy_version"),
)
"""What is read of `promoted_cases`, with its `day`: never the case's text."""

_CELLS = 20
_LISTED = 10


def tell_why(
    row: Mapping[str, Any],
    others: Sequence[Mapping[str, Any]],
    suite: Mapping[str, Any] | None,
    limits: Promotion,
    kin: Sequence[str] = (),
) -> Iterator[str]:
    """The lines that explain one decision.

    Args:
        row: of `promoted_cases`, with `COLUMNS`.
        others: further rows of the same case, by day.
        suite: the case's row of `eval_suite`, or None.
        limits: the settings of the row's day.
        kin: the ids of the suite's active cases of the same mode and intent, itself left out.
    """
    mode = f", mode {row['failure_mode_id']}" if row["failure_mode_id"] else ""
    decided = f"{row['decision']} on {row['day']}"
    if suite is None:
        yield f"{row['case_id']}: {decided}"
    else:
        yield f"{row['case_id']}: in the suite, {suite['status']}; its day said: {decided}"
    passed = row["check"] == COSTLY_PASS or row["check"].startswith(SLOW_FAILURE)
    where = f"in trace {row['trace_id']}"
    yield (
        f"  {row['check']} {where}, which passed every check{mode}"
        if passed
        else f"  {row['check']} ({row['layer']}) failed {where}{mode}"
    )
    yield (
        f"  intent {row['intent']}, stakes {row['stakes']}, severity {row['severity']}, "
        f"{row['category']}, split {row['split']}, release {row['release'] or 'not known'}"
    )
    yield ""
    yield from _bars(row, limits)
    yield ""
    yield "Because"
    # how it did when it was tried out is told below, of every candidate
    said = (reason for reason in row["reasons"] or () if not reason.startswith(TRIED_OUT))
    yield from (f"  - {reason}" for reason in said)
    if row["blocked_by"]:
        codes = (f"{code} ({BLOCKS.get(code, 'not known here')})" for code in row["blocked_by"])
        yield f"  blocked by: {', '.join(codes)}"
    yield ""
    yield from _trials(row)
    yield from _elsewhere(others, suite, row, kin)


def _bars(row: Mapping[str, Any], limits: Promotion) -> Iterator[str]:
    values = [row[field.name] for field in fields(Scores)]
    for field, value in zip(fields(Scores), values, strict=True):
        known = value or 0.0
        filled = round(known * _CELLS)
        bar = "#" * filled + "." * (_CELLS - filled)
        yield f"  {field.name.replace('_', ' '):<22} {bar} {known:.2f}"
    mean = sum(value or 0.0 for value in values) / len(values)
    yield (
        f"  {'mean':<22} {'':{_CELLS}} {mean:.2f}"
        f"  ({limits.threshold:.2f} promotes, below {limits.review_threshold:.2f} is rejected)"
    )


def _trials(row: Mapping[str, Any]) -> Iterator[str]:
    if row["self_check"]:
        told = SELF_CHECKS.get(row["self_check"], "not known here")
        yield f"{TRIED_OUT}: {row['self_check']}: it {told}."
    if row["mutations_tried"] is None:
        yield "Corruptions: no good answer was at hand to corrupt."
        return
    missed = ", ".join(row["mutations_missed"] or ()) or "none"
    yield (
        f"Corruptions: {row['mutations_caught']} of {row['mutations_tried']} of a good answer "
        f"are caught; let pass: {missed}."
    )


def _elsewhere(
    others: Sequence[Mapping[str, Any]],
    suite: Mapping[str, Any] | None,
    row: Mapping[str, Any],
    kin: Sequence[str],
) -> Iterator[str]:
    if suite:
        yield (
            f"In the suite: {suite['status']}, occurrences: {suite['occurrences']}, from "
            f"{suite['first_day']} to {suite['last_day']}."
        )
        if row["decision"] != "promoted":
            yield (
                "It came in when the suite was written: all days together showed the pattern that "
                "this day lacked, or people asked for it."
            )
    elif row["decision"] == "promoted":
        yield (
            "Not in the suite under this id: it joined an older case, the lesson has cases enough, "
            "or the suite was written before this day."
        )
    if kin and not suite:
        named = ", ".join(kin[:_LISTED]) + (" ..." if len(kin) > _LISTED else "")
        yield f"The suite's cases of this mode and intent: {named}."
    for other in others[:_LISTED]:
        yield f"Also: {other['decision']} on {other['day']}, trace {other['trace_id']}."
    if len(others) > _LISTED:
        yield f"Also: {len(others) - _LISTED} more."
