"""What a person decided, as they typed it, and whether it makes sense by itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

from pipeline.review.annotation import Verdict

__all__ = ["VERDICTS", "WORDS", "CannotDecide", "Request", "Word", "require_sound"]

Word = Literal["good", "bad", "partial", "confirm", "reject", "skip", "undo"]
WORDS: tuple[Word, ...] = get_args(Word)

VERDICTS: Mapping[Word, Verdict] = {
    "good": "good", "bad": "bad", "partial": "partial", "confirm": "bad", "reject": "good",
}  # fmt: skip
_LONGEST = 100_000  # characters of a note or a correction


class CannotDecide(ValueError):
    """A decision contradicts itself, or there is nothing that it could be about."""


@dataclass(frozen=True)
class Request:
    """What a person decided, as they typed it.

    Attributes:
        trace: a trace id, its beginning, or the id of a case.
        word: a verdict; `confirm` or `reject` the cases that wait; `skip`; `undo`.
        axes: pass or fail by axis of the rubric; `rest` for those not named.
        mode: name or id of a known failure mode; `new_mode`: a name of one's own.
        note: of a skip, its reason.
        corrected: what the agent should have answered.
    """

    trace: str
    word: Word
    reviewer: str
    axes: Mapping[str, str] = field(default_factory=dict)
    mode: str | None = None
    new_mode: str | None = None
    note: str | None = field(default=None, repr=False)
    corrected: str | None = field(default=None, repr=False)


def require_sound(request: Request) -> None:
    """Refuse what contradicts itself, before anything is read."""
    name = request.reviewer
    if not (name.isprintable() and len(name.strip()) > 0 and len(name) <= 200):
        raise CannotDecide("a reviewer's name is one line of 1 to 200 printable characters")
    for what, text in (("note", request.note), ("correction", request.corrected),
                       ("name", request.new_mode)):  # fmt: skip
        if text is not None and len(text) > _LONGEST:
            raise CannotDecide(f"the {what} has {len(text)} characters, {_LONGEST} may be kept")
        if text is not None and any("\ud800" <= c <= "\udfff" for c in text):
            raise CannotDecide(f"the {what} is not UTF-8")
    if request.word == "skip" and not (request.note or "").strip():
        raise CannotDecide("a skip needs its reason: --note 'not my field'")
    if request.word in ("skip", "undo") and (
        request.axes or request.mode or request.new_mode or request.corrected
    ):
        raise CannotDecide(f"{request.word} says nothing of axes, modes or corrections")
    if request.mode and request.new_mode:
        raise CannotDecide("give one failure mode: --mode or --new-mode")
    if VERDICTS.get(request.word) == "good":
        if "fail" in request.axes.values():
            raise CannotDecide("good, and yet an axis fails: say partial or bad")
        if request.mode or request.new_mode:
            raise CannotDecide("good, and yet a failure mode: say partial or bad")
