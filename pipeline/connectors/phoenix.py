"""Phoenix's REST API: spans of a project, and the annotations on spans, traces and sessions.

Source: the server arize-phoenix 20.26, against which `make test-phoenix` runs this.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC
from typing import Any
from urllib.parse import quote

from pipeline.connectors.http import Api, Request
from pipeline.connectors.landed import Landed, Row
from pipeline.connectors.paging import Field, Page, Part, Stream, batches, days, id_of
from pipeline.connectors.pulling import Plan, Stage, Window
from pipeline.connectors.report import filled

__all__ = ["PhoenixFilters", "authorization", "plan"]

_SIZES = (500, 100, 25, 5, 1)
_IDS_A_REQUEST = 100


@dataclass(frozen=True)
class PhoenixFilters:
    """What to pull of a project (its name or id).

    All but the project choose single spans, not whole traces. `attributes` are `key:value`, as
    Phoenix writes them.
    """

    project: str = "default"
    names: tuple[str, ...] = ()
    span_kinds: tuple[str, ...] = ()
    attributes: tuple[str, ...] = ()
    roots_only: bool = False


def authorization(key: str | None) -> dict[str, str]:
    """The bearer token; a server without authentication needs none."""
    return {"Authorization": f"Bearer {key}"} if key else {}


def plan(filters: PhoenixFilters) -> Plan:
    """Spans of the project, then what was said of them."""
    root = f"/v1/projects/{quote(filters.project, safe='')}"

    def stages(_api: Api, window: Window) -> Sequence[Stage]:
        return [
            lambda _: _spans(filters, root, window),
            lambda landed: _annotations(root, "span", window, landed, _span_id),
            lambda landed: _annotations(root, "trace", window, landed, _trace_id),
            lambda landed: _annotations(root, "session", window, landed, _session_id),
        ]

    return stages


def _spans(filters: PhoenixFilters, root: str, window: Window) -> Stream:
    def ask(part: Part, cursor: str | None, size: int) -> Request:
        params = [("limit", str(size)), ("start_time", part.start.astimezone(UTC).isoformat()),
                  ("end_time", part.end.astimezone(UTC).isoformat())]  # fmt: skip
        params += [("name", name) for name in filters.names]
        params += [("span_kind", kind.upper()) for kind in filters.span_kinds]
        params += [("attribute", attribute) for attribute in filters.attributes]
        if filters.roots_only:
            params.append(("parent_id", "null"))
        if cursor:
            params.append(("cursor", cursor))
        return Request(f"{root}/spans", tuple(params))

    return Stream(
        name="spans",
        parts=days(window.start, window.end),
        sizes=_SIZES,
        request=ask,
        read=_read,
        identity=lambda row: id_of(row) or _span_id(row),
        fields=_FIELDS,
    )


def _annotations(
    root: str, of: str, window: Window, landed: Landed, pick: Callable[[Row], str | None]
) -> Stream:
    def ask(part: Part, cursor: str | None, size: int) -> Request:
        params = [*((f"{of}_ids", found) for found in part.ids), ("limit", str(size))]
        if cursor:
            params.append(("cursor", cursor))
        return Request(f"{root}/{of}_annotations", tuple(params))

    return Stream(
        name=f"{of}_annotations",
        parts=batches(landed.collect("spans", pick), _IDS_A_REQUEST, window.start, window.end),
        sizes=_SIZES,
        request=ask,
        read=_read,
        identity=id_of,
        fields=(
            Field("score or label", filled("result.score", "result.label")),
            Field("explanation", filled("result.explanation")),
        ),
        optional=True,
    )


def _read(document: Any, _cursor: str | None, _size: int) -> Page:
    rows = document["data"]
    if not isinstance(rows, list):
        raise TypeError("not a list")
    return Page(rows, document["next_cursor"] or None)


def _span_id(row: Row) -> str | None:
    return (row.get("context") or {}).get("span_id")


def _trace_id(row: Row) -> str | None:
    return (row.get("context") or {}).get("trace_id")


def _session_id(row: Row) -> str | None:
    found = (row.get("attributes") or {}).get("session.id")
    return str(found) if found else None


def _has(*names: str) -> Callable[[Row], bool]:
    """Whether an attribute of the span is one of `names`, or lies below it."""

    def has(row: Row) -> bool:
        attributes = row.get("attributes") or {}
        return any(key in names or key.startswith(_below(names)) for key in attributes)

    return has


def _below(names: Sequence[str]) -> tuple[str, ...]:
    return tuple(f"{name}." for name in names)


def _is_model(row: Row) -> bool:
    return row.get("span_kind") == "LLM"


def _is_root(row: Row) -> bool:
    return not row.get("parent_id")


_FIELDS = (
    Field("input", _has("input.value", "llm.input_messages"), _is_model,
          "the user's words may be missing"),
    Field("output", _has("output.value", "llm.output_messages"), _is_model,
          "answers cannot be graded"),
    Field("model", _has("llm.model_name"), _is_model),
    Field("tokens", _has("llm.token_count"), _is_model, "tokens are unknown"),
    Field("cost", _has("llm.cost"), _is_model,
          "cost is priced from tokens where the model is known"),
    Field("session", _has("session.id"), _is_root,
          "turns of one conversation cannot be joined; set session.id on the spans"),
    Field("user", _has("user.id"), _is_root, "people cannot be told apart"),
)  # fmt: skip
