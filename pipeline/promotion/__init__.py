"""Promotion: which failures become test cases, with reasons, and the suite they make."""

from pipeline.promotion.check_kinds import Check, read_checks
from pipeline.promotion.checks import passes
from pipeline.promotion.decide import Decisions, decide
from pipeline.promotion.gates import BLOCKS
from pipeline.promotion.outcome import Outcome
from pipeline.promotion.residue import Residue, residue_finder
from pipeline.promotion.suite import Suite, assemble_suite
from pipeline.promotion.suite_file import SuiteFileError, parse_suite
from pipeline.promotion.trials.case_format import Case, CaseError, read_case
from pipeline.promotion.trials.replay import Answer, Replay, World, replay
from pipeline.promotion.trials.self_check import SelfCheck, self_check

__all__ = [
    "BLOCKS",
    "Answer",
    "Case",
    "CaseError",
    "Check",
    "Decisions",
    "Outcome",
    "Replay",
    "Residue",
    "SelfCheck",
    "Suite",
    "SuiteFileError",
    "World",
    "assemble_suite",
    "decide",
    "parse_suite",
    "passes",
    "read_case",
    "read_checks",
    "replay",
    "residue_finder",
    "self_check",
]
