"""The suite: the cases of all days, people's verdicts and edits, in one file that people share."""

from pipeline.suite.assembly import Suite, assemble_suite
from pipeline.suite.file import SuiteFileError, parse_suite, read_tombstones, render_suite

__all__ = [
    "Suite",
    "SuiteFileError",
    "assemble_suite",
    "parse_suite",
    "read_tombstones",
    "render_suite",
]
