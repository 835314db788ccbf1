"""A self-hosted Langfuse v3: traces, observations and scores by numbered pages."""

from __future__ import annotations

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
from pipeline.connectors.paging import Field, Part, Stream, days, id_of, numbered
from pipeline.connectors.pulling import Window
from pipeline.connectors.report import filled

__all__ = ["observations", "scores", "traces"]


def _page_of(cursor: str | None, size: int) -> tuple[tuple[str, str], tuple[str, str]]:
    return ("page", str(int(cursor or 0) // size + 1)), ("limit", str(size))


def traces(filters: LangfuseFilters, window: Window) -> Stream:
    """Traces of `/traces`, oldest first."""

    def ask(part: Part, cursor: str | None, size: int) -> Request:
        params = [*_page_of(cursor, size), ("orderBy", "timestamp.asc"),
                  ("fromTimestamp", iso(part.start)), ("toTimestamp", iso(part.end))]  # fmt: skip
        params += [("environment", name) for name in filters.environments]
        params += [("tags", tag) for tag in filters.tags]
        for name, value in (
            ("userId", filters.user), ("sessionId", filters.session), ("name", filters.name)
        ):  # fmt: skip
            if value:
                params.append((name, value))
        return Request(f"{ROOT}/traces", tuple(params))

    own = (Field("input", filled("input")), Field("output", filled("output")))
    return Stream(
        name="traces",
        parts=days(window.start, window.end),
        sizes=SIZES,
        request=ask,
        read=numbered("data", _total),
        identity=id_of,
        fields=(*own, *WHO),
    )


def observations(filters: LangfuseFilters, window: Window, landed: Landed) -> Stream:
    """Observations of `/observations`; those of the traces pulled, if these were chosen."""

    def ask(part: Part, cursor: str | None, size: int) -> Request:
        params = [*_page_of(cursor, size),
                  ("fromStartTime", iso(part.start)), ("toStartTime", iso(part.end))]  # fmt: skip
        params += [("environment", name) for name in filters.environments]
        if filters.user:
            params.append(("userId", filters.user))
        return Request(f"{ROOT}/observations", tuple(params))

    # This endpoint knows neither tags, nor sessions, nor the names of traces.
    chosen = set(landed.collect("traces", id_of)) if filters.by_trace else set()
    return Stream(
        name="observations",
        parts=days(window.start, window.end),
        sizes=SIZES,
        request=ask,
        read=numbered("data", _total),
        identity=id_of,
        keep=(lambda row: row.get("traceId") in chosen) if filters.by_trace else lambda _row: True,
        fields=CONTENT,
    )


def scores(filters: LangfuseFilters, window: Window, landed: Landed) -> Stream:
    """Scores of `/v2/scores`; those of the traces pulled, if these were chosen."""

    def ask(part: Part, cursor: str | None, size: int) -> Request:
        params = [*_page_of(cursor, size),
                  ("fromTimestamp", iso(part.start)), ("toTimestamp", iso(part.end))]  # fmt: skip
        params += [("environment", name) for name in filters.environments]
        return Request(f"{ROOT}/v2/scores", tuple(params))

    chosen = set(landed.collect("traces", id_of)) if filters.by_trace else set()

    def keep(row: Row) -> bool:
        session = row.get("sessionId")
        return row.get("traceId") in chosen or bool(session and session == filters.session)

    return Stream(
        name="scores",
        parts=days(window.start, window.end),
        sizes=SIZES,
        request=ask,
        read=numbered("data", _total),
        identity=id_of,
        keep=keep if filters.by_trace else lambda _row: True,
        fields=SCORE,
        optional=True,
    )


def _total(document: Any) -> int | None:
    found = document["meta"].get("totalItems")
    return int(found) if found is not None else None
