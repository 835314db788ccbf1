"""Promotion: which failures become test cases, with reasons, and the suite they make."""

from pipeline.promotion.check_kinds import Check, read_checks
from pipeline.promotion.checks import passes
from pipeline.promotion.decide import Decisions, decide
from pipeline.promotion.gates import BLOCKS
from pipeline.promotion.outcome import Outcome
from pipeline.promotion.suite import Suite, assemble_suite
from pipeline.promotion.suite_file import SuiteFileError, parse_suite

__all__ = [
    "BLOCKS",
    "Check",
    "Decisions",
    "Outcome",
    "Suite",
    "SuiteFileError",
    "assemble_suite",
    "decide",
    "parse_suite",
    "passes",
    "read_checks",
]
