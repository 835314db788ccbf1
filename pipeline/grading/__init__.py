"""Grading: deterministic rules first, then a judge on what survives them."""

from pipeline.grading.cases import read_cases
from pipeline.grading.conversation import Conversation, read_conversation
from pipeline.grading.judge import Case, Judge, Judgement, JudgeRefused, PendingCalls, make_judge
from pipeline.grading.judge_calls import JUDGE_CALLS, export_ledger
from pipeline.grading.stage import Grading, grade_traces

__all__ = [
    "JUDGE_CALLS",
    "Case",
    "Conversation",
    "Grading",
    "Judge",
    "JudgeRefused",
    "Judgement",
    "PendingCalls",
    "export_ledger",
    "grade_traces",
    "make_judge",
    "read_cases",
    "read_conversation",
]
