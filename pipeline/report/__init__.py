"""The run summary: one page a day that a team lead reads at standup, and named queries."""

from pipeline.report.day import DayTables, read_day
from pipeline.report.page import render_html, render_markdown, write_pages
from pipeline.report.paid import Paid, read_paid
from pipeline.report.queries import (
    UnknownVariable,
    list_queries,
    notes_of,
    run_query,
    variables_of,
)
from pipeline.report.summary import Summary, summarise

__all__ = [
    "DayTables",
    "Paid",
    "Summary",
    "UnknownVariable",
    "list_queries",
    "notes_of",
    "read_day",
    "read_paid",
    "render_html",
    "render_markdown",
    "run_query",
    "summarise",
    "variables_of",
    "write_pages",
]
