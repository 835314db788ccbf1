"""What one run of the remote judge has done so far, and how kept answers are read back."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import orjson

from pipeline.grading.judge.interface import Judgement, JudgeRefused
from pipeline.grading.judge.payload import Payload

__all__ = ["Progress", "read_kept", "resolve"]


@dataclass
class Progress:
    """What one `judge` call has done so far."""

    answers: dict[int, tuple[Judgement, ...]] = field(default_factory=dict)
    why: str = ""
    last_failure: str = ""
    failed_in_a_row: int = 0
    refused: JudgeRefused | None = None

    @property
    def stopped(self) -> bool:
        """Whether no further call is to be made."""
        return bool(self.why) or self.refused is not None

    @property
    def reason(self) -> str:
        """Why calls are pending."""
        return self.why or self.last_failure


def read_kept(body: str) -> tuple[Judgement, ...]:
    """Read the judgements of an answer out of the ledger."""
    kept: list[dict[str, Any]] = orjson.loads(body)["judgements"]
    return tuple(Judgement(**(one | {"evidence": tuple(one["evidence"])})) for one in kept)


def resolve(judgements: tuple[Judgement, ...], payload: Payload) -> tuple[Judgement, ...]:
    """Put this trace's own refs in the place of the numbered ones."""
    return tuple(
        replace(one, evidence=tuple(dict.fromkeys(payload.refs[ref] for ref in one.evidence)))
        for one in judgements
    )
