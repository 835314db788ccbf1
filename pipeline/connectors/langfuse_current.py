"""Langfuse Cloud and server v4: rows of observations that carry what belongs to their trace."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from pipeline.connectors.http import Request
from pipeline.connectors.landed import Landed, Row
from pipeline.connectors.langfuse_shared import (
    CONTENT,
    ROOT,
    SCORE,
    SIZES,
    WHO,
    LangfuseFilters,
    iso,
)
from pipeline.connectors.paging import Page, Part, Stream, days, id_of
from pipeline.connectors.pulling import Window

__all__ = ["ask_observations", "observations", "scores"]

_GROUPS = "core,basic,time,io,metadata,model,usage,prompt,metrics,trace_context"


def observations(filters: LangfuseFilters, window: Window) -> Stream:
    """Observations of `/v2/observations`, newest first, by cursor."""
    fields = (
        *CONTENT,
        *(replace(f, of=lambda row: not row.get("parentObservationId")) for f in WHO),
    )
    return Stream(
        name="observations",
        parts=days(window.start, window.end),
        sizes=SIZES,
        request=ask_observations(filters),
        read=_cursor,
        identity=lambda row: f"{row.get('traceId')}/{row['id']}" if row.get("id") else None,
        fields=fields,
    )


def ask_observations(filters: LangfuseFilters) -> Callable[[Part, str | None, int], Request]:
    """How a page of observations is asked for."""

    def ask(part: Part, cursor: str | None, size: int) -> Request:
        params = [("fields", _GROUPS), ("limit", str(size)),
                  ("fromStartTime", iso(part.start)), ("toStartTime", iso(part.end))]  # fmt: skip
        if filters.metadata_keys:
            params.append(("expandMetadata", ",".join(filters.metadata_keys)))
        if cursor:
            params.append(("cursor", cursor))
        conditions = _conditions(filters)
        if conditions:
            # `filter` takes the place of the plain parameters, the times among them.
            bounds = ((">=", part.start), ("<", part.end))
            conditions += [_is("datetime", "startTime", how, iso(time)) for how, time in bounds]
            params.append(("filter", json.dumps(conditions)))
        return Request(f"{ROOT}/v2/observations", tuple(params))

    return ask


def _conditions(filters: LangfuseFilters) -> list[dict[str, Any]]:
    found = []
    if filters.environments:
        values = list(filters.environments)
        found.append(_is("stringOptions", "environment", "any of", values))
    if filters.tags:
        found.append(_is("arrayOptions", "tags", "all of", list(filters.tags)))
    for column, value in (
        ("userId", filters.user), ("sessionId", filters.session), ("traceName", filters.name)
    ):  # fmt: skip
        if value:
            found.append(_is("string", column, "=", value))
    return found


def _is(kind: str, column: str, operator: str, value: Any) -> dict[str, Any]:
    return {"type": kind, "column": column, "operator": operator, "value": value}


def scores(filters: LangfuseFilters, window: Window, landed: Landed) -> Stream:
    """Scores of `/v3/scores`; those of the observations pulled, if these were chosen."""

    def ask(part: Part, cursor: str | None, size: int) -> Request:
        params = [("fields", "details,subject,annotation"), ("limit", str(size)),
                  ("fromTimestamp", iso(part.start)), ("toTimestamp", iso(part.end))]  # fmt: skip
        if filters.environments:
            params.append(("environment", ",".join(filters.environments)))
        if cursor:
            params.append(("cursor", cursor))
        return Request(f"{ROOT}/v3/scores", tuple(params))

    chosen = (
        set(landed.collect("observations", lambda row: row.get("traceId")))
        if filters.by_trace
        else set()
    )

    def keep(row: Row) -> bool:
        subject = row.get("subject") or {}
        kind, trace = subject.get("kind"), subject.get("traceId") or subject.get("id")
        if kind == "session":
            return subject.get("id") == filters.session
        return trace in chosen

    return Stream(
        name="scores",
        parts=days(window.start, window.end),
        sizes=SIZES,
        request=ask,
        read=_cursor,
        identity=id_of,
        keep=keep if filters.by_trace else lambda _row: True,
        fields=SCORE,
        optional=True,
    )


def _cursor(document: Any, _cursor: str | None, _size: int) -> Page:
    rows = document["data"]
    if not isinstance(rows, list):
        raise TypeError("not a list")
    return Page(rows, document["meta"].get("cursor") or None)
