"""The judge: an interface with an embedded engine that needs no key, and one over litellm."""

from pipeline.grading.judge.embedded import EmbeddedJudge
from pipeline.grading.judge.interface import Case, Judge, Judgement, JudgeRefused, PendingCalls
from pipeline.grading.judge.making import make_judge

__all__ = [
    "Case",
    "EmbeddedJudge",
    "Judge",
    "JudgeRefused",
    "Judgement",
    "PendingCalls",
    "make_judge",
]
