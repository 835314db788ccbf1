"""Exports: the suite as other tools load it, with our checks running in them."""

from pipeline.exports.answers import Answer, AnswerRefused
from pipeline.exports.case import BY_HAND, FROM_PROD, Case, ExportError, case_of, read_cases
from pipeline.exports.checking import Result, Verdict, check_answer
from pipeline.exports.export import TARGETS, Selection, Tally, select_cases, tally, write_files
from pipeline.exports.outcomes import recorded_answer
from pipeline.exports.target import Files, Target

__all__ = [
    "BY_HAND",
    "FROM_PROD",
    "TARGETS",
    "Answer",
    "AnswerRefused",
    "Case",
    "ExportError",
    "Files",
    "Result",
    "Selection",
    "Tally",
    "Target",
    "Verdict",
    "case_of",
    "check_answer",
    "read_cases",
    "recorded_answer",
    "select_cases",
    "tally",
    "write_files",
]
