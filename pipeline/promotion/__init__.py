"""Promotion: which failures of a day become test cases, with reasons."""

from pipeline.promotion.check_kinds import Check, read_checks
from pipeline.promotion.checks import CheckBroken, is_broken, passes, run_check
from pipeline.promotion.decide import Decisions, decide
from pipeline.promotion.gates import BLOCKS
from pipeline.promotion.outcome import Outcome
from pipeline.promotion.residue import Residue, residue_finder
from pipeline.promotion.trials.case_format import Case, CaseError, read_case
from pipeline.promotion.trials.replay import Answer, Replay, World, replay
from pipeline.promotion.trials.self_check import SelfCheck, self_check

__all__ = [
    "BLOCKS",
    "Answer",
    "Case",
    "CaseError",
    "Check",
    "CheckBroken",
    "Decisions",
    "Outcome",
    "Replay",
    "Residue",
    "SelfCheck",
    "World",
    "decide",
    "is_broken",
    "passes",
    "read_case",
    "read_checks",
    "replay",
    "residue_finder",
    "run_check",
    "self_check",
]
