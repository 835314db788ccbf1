"""LangSmith's API: runs by the first version of its query or, where that is gone, the second.

Then the feedback of those runs that have any.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from uuid import UUID

from pipeline.connectors.http import Api, NotOffered, Request
from pipeline.connectors.landed import Landed, Row
from pipeline.connectors.langsmith_runs import (
    FIRST,
    SECOND,
    LangSmithFilters,
    iso,
    query_first,
    query_second,
    read_first,
    read_second,
)
from pipeline.connectors.paging import Field, Part, Stream, batches, days, id_of, numbered
from pipeline.connectors.pulling import Plan, Stage, Window
from pipeline.connectors.report import filled

__all__ = ["LangSmithFilters", "plan", "root_of"]

_RUN_SIZES = (100, 50, 20, 5, 1)
_IDS_A_REQUEST = 50


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
            "start_time": iso(window.start)}  # fmt: skip
    try:
        api.fetch(Request(FIRST, body=body))
    except NotOffered:
        return False
    return True


def _runs(filters: LangSmithFilters, project: str, window: Window, current: bool) -> Stream:
    def ask(part: Part, cursor: str | None, size: int) -> Request:
        body = (query_second if current else query_first)(filters, project, part, size)
        body = {name: value for name, value in body.items() if value is not None}
        if cursor:
            body["cursor"] = cursor
        return Request(SECOND if current else FIRST, body=body)

    return Stream(
        name="runs",
        parts=days(window.start, window.end),
        sizes=_RUN_SIZES,
        request=ask,
        read=read_second if current else read_first,
        identity=id_of,
        fields=_FIELDS,
    )


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
