"""How LangSmith is asked for runs, in the first version of its query and in the second.

Source: the SDK langsmith 0.14 and the page "Migrate run queries to SmithDB". The second version
is still called alpha and is not behind every region; the first is to go after January 2027.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pipeline.connectors.landed import Row
from pipeline.connectors.paging import Page, Part

__all__ = [
    "FIRST",
    "SECOND",
    "LangSmithFilters",
    "iso",
    "query_first",
    "query_second",
    "read_first",
    "read_second",
]

FIRST, SECOND = "/api/v1/runs/query", "/api/v2/runs/query"

# A field that the server does not know is refused: these are what the SDKs ask for.
_SELECT = [
    "id", "name", "run_type", "status", "start_time", "end_time", "inputs", "outputs", "error",
    "parent_run_id", "parent_run_ids", "session_id", "trace_id", "dotted_order", "tags", "extra",
    "events", "feedback_stats", "first_token_time", "app_path", "reference_example_id",
    "prompt_tokens", "completion_tokens", "total_tokens", "prompt_token_details",
    "completion_token_details", "prompt_cost", "completion_cost", "total_cost",
]  # fmt: skip
_SELECTS = [
    "ID", "NAME", "RUN_TYPE", "STATUS", "START_TIME", "END_TIME", "INPUTS", "OUTPUTS", "ERROR",
    "PARENT_RUN_IDS", "PROJECT_ID", "TRACE_ID", "THREAD_ID", "DOTTED_ORDER", "IS_ROOT", "TAGS",
    "EXTRA", "METADATA", "EVENTS", "FEEDBACK_STATS", "FIRST_TOKEN_TIME", "APP_PATH",
    "REFERENCE_EXAMPLE_ID", "PROMPT_TOKENS", "COMPLETION_TOKENS", "TOTAL_TOKENS",
    "PROMPT_TOKEN_DETAILS", "COMPLETION_TOKEN_DETAILS", "PROMPT_COST", "COMPLETION_COST",
    "TOTAL_COST", "PROMPT_COST_DETAILS", "COMPLETION_COST_DETAILS",
]  # fmt: skip


@dataclass(frozen=True)
class LangSmithFilters:
    """What to pull of a project (its name or id).

    Name, tags and session are those of the root run, so that whole traces come; `filter` and
    `trace_filter` are expressions of LangSmith's own, on every run and on the root.
    """

    project: str
    name: str | None = None
    tags: tuple[str, ...] = ()
    session: str | None = None
    run_type: str | None = None
    roots_only: bool = False
    filter: str | None = None
    trace_filter: str | None = None
    api: str = "auto"


def iso(moment: datetime) -> str:
    """A time in UTC as both versions take it."""
    return moment.astimezone(UTC).isoformat()


def query_first(filters: LangSmithFilters, project: str, part: Part, size: int) -> dict[str, Any]:
    """The body of a query of the first version; null says nothing."""
    bounds = [f'gte(start_time, "{iso(part.start)}")', f'lt(start_time, "{iso(part.end)}")']
    return {
        "session": [project],
        "select": _SELECT,
        "limit": size,
        "order": "asc",
        "start_time": iso(part.start),
        "filter": _all([*bounds, filters.filter]),
        "trace_filter": _trace_filter(filters),
        "run_type": filters.run_type.lower() if filters.run_type else None,
        "is_root": True if filters.roots_only else None,
    }


def query_second(filters: LangSmithFilters, project: str, part: Part, size: int) -> dict[str, Any]:
    """The body of a query of the second version; null says nothing."""
    return {
        "project_ids": [project],
        "selects": _SELECTS,
        "page_size": size,
        "min_start_time": iso(part.start),
        "max_start_time": iso(part.end),
        "filter": filters.filter,
        "trace_filter": _trace_filter(filters),
        "run_type": filters.run_type.upper() if filters.run_type else None,
        "is_root": True if filters.roots_only else None,
    }


def _trace_filter(filters: LangSmithFilters) -> str | None:
    terms = [f"has(tags, {json.dumps(tag)})" for tag in filters.tags]
    if filters.name:
        terms.append(f"eq(name, {json.dumps(filters.name)})")
    if filters.session:
        keys = '["session_id", "conversation_id", "thread_id"]'
        terms.append(f"in(metadata_key, {keys})")
        terms.append(f"eq(metadata_value, {json.dumps(filters.session)})")
    return _all([*terms, filters.trace_filter])


def _all(terms: Sequence[str | None]) -> str | None:
    given = [term for term in terms if term]
    return f"and({', '.join(given)})" if len(given) > 1 else next(iter(given), None)


def read_first(document: Any, _cursor: str | None, _size: int) -> Page:
    """A page of the first version."""
    return Page(_list(document["runs"]), (document.get("cursors") or {}).get("next") or None)


def read_second(document: Any, _cursor: str | None, _size: int) -> Page:
    """A page of the second version."""
    return Page(_list(document["items"]), document.get("next_cursor") or None)


def _list(value: Any) -> list[Row]:
    if not isinstance(value, list):
        raise TypeError("not a list")
    return value
