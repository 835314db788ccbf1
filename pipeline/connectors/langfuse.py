"""Langfuse's public API: the current one (observations v2, scores v3), or that of server v3.

Langfuse Cloud and server v4 have closed `/traces`, `/observations` and `/v2/scores`; a self-hosted
v3 has only those. Source: the SDKs langfuse 5.0 and 3.15, and the page "Migration of deprecated
APIs".
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from datetime import datetime, timedelta

from pipeline.connectors import langfuse_current as current
from pipeline.connectors import langfuse_legacy as legacy
from pipeline.connectors.http import Api, ApiError, NotOffered, Request
from pipeline.connectors.langfuse_shared import ROOT, LangfuseFilters
from pipeline.connectors.paging import Part
from pipeline.connectors.pulling import Plan, Stage, Window

__all__ = ["LangfuseFilters", "authorization", "plan"]


def authorization(public: str, secret: str) -> dict[str, str]:
    """Basic authentication by the key pair."""
    return {"Authorization": "Basic " + base64.b64encode(f"{public}:{secret}".encode()).decode()}


def plan(filters: LangfuseFilters, now: datetime) -> Plan:
    """What to pull from the server, depending on which API it has."""

    def stages(api: Api, window: Window) -> Sequence[Stage]:
        later = min(window.end + timedelta(days=filters.score_days), max(now, window.end))
        scored = Window(window.start, later)
        if filters.api != "legacy" and _is_current(api, filters, window):
            return [
                lambda _: current.observations(filters, window),
                lambda landed: current.scores(filters, scored, landed),
            ]
        return [
            lambda _: legacy.traces(filters, window),
            lambda landed: legacy.observations(filters, window, landed),
            lambda landed: legacy.scores(filters, scored, landed),
        ]

    return stages


def _is_current(api: Api, filters: LangfuseFilters, window: Window) -> bool:
    part = Part("probe", window.start, min(window.end, window.start + timedelta(minutes=1)))
    try:
        api.fetch(current.ask_observations(filters)(part, None, 1))
    except NotOffered:
        if filters.api == "current":
            raise
        return False
    except ApiError:
        # Some v3 servers know the path, and answer that it is not for them.
        if filters.api == "current" or not _is_legacy(api):
            raise
        return False
    return True


def _is_legacy(api: Api) -> bool:
    try:
        api.fetch(Request(f"{ROOT}/traces", (("page", "1"), ("limit", "1"))))
    except ApiError:
        return False
    return True
