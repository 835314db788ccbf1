"""Promotion: which failures of a day become test cases, with reasons."""

from pipeline.promotion.check_kinds import Check, read_checks
from pipeline.promotion.checks import passes
from pipeline.promotion.decide import Decisions, decide
from pipeline.promotion.episodes import Outcome
from pipeline.promotion.gates import BLOCKS

__all__ = [
    "BLOCKS",
    "Check",
    "Decisions",
    "Outcome",
    "decide",
    "passes",
    "read_checks",
]
