"""The suite: the cases of all days, people's verdicts and edits, in one file that people share."""

from pipeline.suite.assembly import Suite, assemble_suite
from pipeline.suite.file import SuiteFileError, parse_suite, read_tombstones, render_suite
from pipeline.suite.proposal import EVER, Proposal, propose, propose_next
from pipeline.suite.store import SuiteEdited, read_cases, read_text, replace_cases, replace_text

__all__ = [
    "EVER",
    "Proposal",
    "Suite",
    "SuiteEdited",
    "SuiteFileError",
    "assemble_suite",
    "parse_suite",
    "propose",
    "propose_next",
    "read_cases",
    "read_text",
    "read_tombstones",
    "render_suite",
    "replace_cases",
    "replace_text",
]
