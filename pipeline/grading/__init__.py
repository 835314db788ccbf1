"""Grading: deterministic rules first, then a judge on what survives them."""

from pipeline.grading.conversation import Conversation, read_conversation
from pipeline.grading.judge import Case, Judge, Judgement, JudgeRefused, PendingCalls, make_judge
from pipeline.grading.stage import Grading, grade_traces

__all__ = [
    "Case",
    "Conversation",
    "Grading",
    "Judge",
    "JudgeRefused",
    "Judgement",
    "PendingCalls",
    "grade_traces",
    "make_judge",
    "read_conversation",
]
