"""Reads a remote judge's reply: one JSON object of the asked form, or a problem with a code."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import msgspec

from pipeline.grading.judge.interface import Judgement
from pipeline.registry import Axis

__all__ = ["PROBLEMS", "ReplyProblem", "problem_judgements", "read_reply"]

PROBLEMS: Final = {
    "refused": "The judge refused to grade the conversation.",
    "truncated": "The judge's answer was cut off at its token limit.",
    "unparsable": "The judge's answer was not exactly one JSON object.",
    "off_schema": "The judge's answer did not have the form or the verdicts asked for.",
    "foreign_marker": "The judge's answer did not carry the marker of its own call.",
    "bad_evidence": "The judge's answer named evidence that does not exist.",
    "rejected": "The provider rejected the call for its content or length.",
}
"""Problem codes and their sentences; each is a verdict `error`, never a fail."""

_FENCED: Final = re.compile(r"\A```(?:json)?\s*\n(.*)\n```\Z", re.DOTALL)


class ReplyProblem(ValueError):
    """A reply that cannot be used; `code` is one of `PROBLEMS`."""

    def __init__(self, code: str) -> None:
        super().__init__(PROBLEMS[code])
        self.code = code


class _Verdict(msgspec.Struct, forbid_unknown_fields=True):
    axis: str
    reasoning: str
    evidence: list[str]
    verdict: Literal["pass", "fail", "unknown"]
    score: float
    code: str


class _Reply(msgspec.Struct, forbid_unknown_fields=True):
    """The form of `prompt.reply_schema`: checked so in 2 us, by the JSON schema in 300."""

    marker: str
    verdicts: list[_Verdict]


@dataclass(frozen=True)
class _Expected:
    axes: Sequence[Axis]
    marker: str
    refs: Collection[str]


def read_reply(
    text: str, axes: Sequence[Axis], marker: str, refs: Collection[str]
) -> tuple[tuple[Judgement, ...], dict[str, str]]:
    """Read the judgements and, by axis, the judge's own reasoning (for the ledger alone).

    Args:
        text: the reply.
        axes: the axes asked for; each must stand in the reply once.
        marker: the call's marker, which must be echoed.
        refs: what evidence may name.

    Raises:
        ReplyProblem: not one object, off the schema, foreign marker or unknown evidence.
    """
    body = _one_object(text)
    expected = _Expected(axes, marker, refs)
    if body.marker != marker:
        raise ReplyProblem("foreign_marker")
    by_axis = {entry.axis: entry for entry in body.verdicts}
    if len(body.verdicts) != len(axes) or set(by_axis) != {axis.id for axis in axes}:
        raise ReplyProblem("off_schema")
    judgements = tuple(_judgement(by_axis[axis.id], axis, expected) for axis in axes)
    return judgements, {name: entry.reasoning for name, entry in by_axis.items()}


def problem_judgements(code: str, axes: Sequence[Axis]) -> tuple[Judgement, ...]:
    """An error on every axis: the grader failed, not the agent."""
    return tuple(
        Judgement(axis.id, "error", None, PROBLEMS[code], error_class=code) for axis in axes
    )


def _one_object(text: str) -> _Reply:
    stripped = text.strip()
    fenced = _FENCED.match(stripped)
    raw = fenced.group(1).strip() if fenced else stripped
    if not raw.startswith("{"):
        raise ReplyProblem("unparsable")
    try:
        return msgspec.json.decode(raw, type=_Reply)
    except msgspec.ValidationError:
        raise ReplyProblem("off_schema") from None
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        raise ReplyProblem("unparsable") from None


def _judgement(entry: _Verdict, axis: Axis, expected: _Expected) -> Judgement:
    failed, codes = entry.verdict == "fail", {code for a in expected.axes for code in a.codes}
    if not 0 <= entry.score <= 1 or failed != (entry.code in axis.codes):
        raise ReplyProblem("off_schema")
    if entry.code not in codes | {"none"}:
        raise ReplyProblem("off_schema")
    if not set(entry.evidence) <= set(expected.refs) or (failed and not entry.evidence):
        raise ReplyProblem("bad_evidence")
    reason = {
        "pass": "The judge found the axis met.",
        "fail": axis.codes.get(entry.code, ""),
        "unknown": "The judge found too little to tell.",
    }[entry.verdict]
    return Judgement(
        axis.id,
        entry.verdict,
        round(entry.score, 6),
        reason,
        tuple(dict.fromkeys(entry.evidence)),
        error_class=entry.code if failed else None,
    )
