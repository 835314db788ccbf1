"""LangSmith's API: runs by `/api/v1/runs/query` or, where that is gone, `/api/v2`; feedback.

Source: the SDK langsmith 0.14 and the page "Migrate run queries to SmithDB". The second version
is still called alpha and is not behind every region; the first is to go after January 2027.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from pipeline.connectors.http import Api, NotOffered, Request
from pipeline.connectors.landed import Landed, Row
from pipeline.connectors.paging import Field, Page, Part, Stream, batches, days, id_of, numbered
from pipeline.connectors.pulling import Plan, Stage, Window
from pipeline.connectors.report import filled

__all__ = ["LangSmithFilters", "plan", "root_of"]

_RUN_SIZES = (100, 50, 20, 5, 1)
_IDS_A_REQUEST = 50
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


def _is_model(row: Row) -> bool:
    return str(row.get("run_type", "")).lower() == "llm"


def _is_root(row: Row) -> bool:
    return not (row.get("parent_run_id") or row.get("parent_run_ids"))


def _in_metadata(*names: str) -> Callable[[Row], bool]:
    found: Callable[[Row], bool] = filled(
        *(f"{at}.{name}" for name in names for at in ("extra.metadata", "metadata"))
    )
    return found


_FIELDS = (
    Field("input", filled("inputs"), _is_model, "the user's words may be missing"),
    Field("output", filled("outputs"), _is_model, "answers cannot be graded"),
    Field("model", _in_metadata("ls_model_name"), _is_model),
    Field("tokens", filled("total_tokens"), _is_model, "tokens are unknown"),
    Field("cost", filled("total_cost"), _is_model,
          "cost is priced from tokens where the model is known"),
    Field("session", _in_metadata("session_id", "thread_id", "conversation_id"), _is_root,
          "turns of one conversation cannot be joined; set thread_id in the runs' metadata"),
    Field("user", _in_metadata("user_id"), _is_root, "people cannot be told apart"),
)  # fmt: skip


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


def root_of(endpoint: str) -> str:
    """The server of an endpoint: LANGSMITH_ENDPOINT may end in /api or /api/v1."""
    for suffix in ("/api/v1", "/api"):
        if endpoint.rstrip("/").endswith(suffix):
            return endpoint.rstrip("/").removesuffix(suffix)
    return endpoint


def plan(filters: LangSmithFilters) -> Plan:
    """Runs of the project, then the feedback of those that have any."""

    def stages(api: Api, window: Window) -> Sequence[Stage]:
        project = _project(api, filters.project)
        current = filters.api == "current" or (
            filters.api == "auto" and not _has_first_version(api, project, window)
        )
        return [
            lambda _: _runs(filters, project, window, current),
            lambda landed: _feedback(window, landed),
        ]

    return stages


def _project(api: Api, name: str) -> str:
    try:
        return str(UUID(name))
    except ValueError:
        pass
    request = Request("/api/v1/sessions", (("name", name), ("limit", "1")))
    found = api.fetch(request)
    try:
        return str(found[0]["id"])
    except (IndexError, KeyError, TypeError):
        raise NotOffered(f"{api.host}: no project {name!r} that this key can see") from None


def _has_first_version(api: Api, project: str, window: Window) -> bool:
    body = {"session": [project], "limit": 1, "select": ["id"],
            "start_time": _iso(window.start)}  # fmt: skip
    try:
        api.fetch(Request("/api/v1/runs/query", body=body))
    except NotOffered:
        return False
    return True


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat()


def _runs(filters: LangSmithFilters, project: str, window: Window, current: bool) -> Stream:
    def ask(part: Part, cursor: str | None, size: int) -> Request:
        body = _second(filters, project, part, size) if current else _first(
            filters, project, part, size
        )  # fmt: skip
        body = {name: value for name, value in body.items() if value is not None}
        if cursor:
            body["cursor"] = cursor
        return Request(f"/api/{'v2' if current else 'v1'}/runs/query", body=body)

    return Stream(
        name="runs",
        parts=days(window.start, window.end),
        sizes=_RUN_SIZES,
        request=ask,
        read=_read_second if current else _read_first,
        identity=id_of,
        fields=_FIELDS,
    )


def _first(filters: LangSmithFilters, project: str, part: Part, size: int) -> dict[str, Any]:
    bounds = [f'gte(start_time, "{_iso(part.start)}")', f'lt(start_time, "{_iso(part.end)}")']
    return {
        "session": [project],
        "select": _SELECT,
        "limit": size,
        "order": "asc",
        "start_time": _iso(part.start),
        "filter": _all([*bounds, filters.filter]),
        "trace_filter": _trace_filter(filters),
        "run_type": filters.run_type.lower() if filters.run_type else None,
        "is_root": True if filters.roots_only else None,
    }


def _second(filters: LangSmithFilters, project: str, part: Part, size: int) -> dict[str, Any]:
    return {
        "project_ids": [project],
        "selects": _SELECTS,
        "page_size": size,
        "min_start_time": _iso(part.start),
        "max_start_time": _iso(part.end),
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


def _read_first(document: Any, _cursor: str | None, _size: int) -> Page:
    return Page(_list(document["runs"]), (document.get("cursors") or {}).get("next") or None)


def _read_second(document: Any, _cursor: str | None, _size: int) -> Page:
    return Page(_list(document["items"]), document.get("next_cursor") or None)


def _list(value: Any) -> list[Row]:
    if not isinstance(value, list):
        raise TypeError("not a list")
    return value


def _feedback(window: Window, landed: Landed) -> Stream:
    def ask(part: Part, cursor: str | None, size: int) -> Request:
        runs = tuple(("run", run) for run in part.ids)
        return Request("/api/v1/feedback", (*runs, ("limit", str(size)), ("offset", cursor or "0")))

    runs = landed.collect("runs", lambda row: id_of(row) if row.get("feedback_stats") else None)
    return Stream(
        name="feedback",
        parts=batches(runs, _IDS_A_REQUEST, window.start, window.end),
        sizes=(100, 50, 25, 5, 1),
        request=ask,
        read=numbered(None, lambda _document: None),
        identity=id_of,
        fields=(Field("score", filled("score")), Field("comment", filled("comment"))),
        optional=True,
    )
