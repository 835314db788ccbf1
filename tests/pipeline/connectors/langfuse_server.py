"""Langfuse's public API as documented, over records in memory."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.pipeline.connectors.platform_server import Answer, Asked, Server

START = datetime(2026, 11, 1, tzinfo=UTC)


def at(minutes: float) -> str:
    """A time so many minutes after 1 November 2026, as Langfuse writes it."""
    return f"{START + timedelta(minutes=minutes):%Y-%m-%dT%H:%M:%S.%f}"[:-3] + "Z"


def trace(number: int, minutes: float, **other: Any) -> dict[str, Any]:
    """A trace of server v3."""
    return {"id": f"trace-{number:04}", "timestamp": at(minutes), "name": "chat",
            "sessionId": f"session-{number % 3}", "userId": None, "tags": [], "input": "hello",
            "output": "hi", "environment": "production", "projectId": "p", "public": False,
            "bookmarked": False, "release": None, "version": None, "metadata": {},
            "createdAt": at(minutes), "updatedAt": at(minutes), "scores": [], "observations": [],
            "latency": -1, "totalCost": -1, **other}  # fmt: skip


def observation(number: int, minutes: float, **other: Any) -> dict[str, Any]:
    """A generation."""
    return {"id": f"obs-{number:04}", "traceId": f"trace-{number:04}", "type": "GENERATION",
            "startTime": at(minutes), "endTime": at(minutes + 0.1), "parentObservationId": None,
            "name": "llm", "input": '[{"role":"user","content":"hello"}]', "output": "hi",
            "usageDetails": {"input": 3, "output": 1}, "environment": "production",
            "projectId": "p", "level": "DEFAULT", "statusMessage": None, "metadata": {},
            **other}  # fmt: skip


def score(number: int, minutes: float, **other: Any) -> dict[str, Any]:
    """A score of server v3."""
    return {"id": f"score-{number:04}", "traceId": f"trace-{number:04}", "name": "thumbs",
            "value": 1, "source": "API", "dataType": "NUMERIC", "timestamp": at(minutes),
            "environment": "production", "observationId": None, "comment": None,
            "configId": None, "metadata": {}, "projectId": "p", **other}  # fmt: skip


@dataclass
class Langfuse:
    """What a project holds; tests change it while it is paged through."""

    traces: list[dict[str, Any]] = field(default_factory=list)
    observations: list[dict[str, Any]] = field(default_factory=list)
    scores: list[dict[str, Any]] = field(default_factory=list)
    key: str = "Basic " + base64.b64encode(b"pk-1:sk-1").decode()

    def legacy(self, server: Server) -> None:
        """Serve what server v3 serves."""
        server.routes["/api/public/traces"] = self._numbered("traces", "timestamp", "Timestamp")
        server.routes["/api/public/observations"] = self._numbered(
            "observations", "startTime", "StartTime"
        )
        server.routes["/api/public/v2/scores"] = self._numbered("scores", "timestamp", "Timestamp")

    def current(self, server: Server) -> None:
        """Serve what Langfuse Cloud serves."""
        server.routes["/api/public/v2/observations"] = self._cursored(
            "observations", "startTime", "StartTime", 1000
        )
        server.routes["/api/public/v3/scores"] = self._cursored(
            "scores", "timestamp", "Timestamp", 100
        )

    def _found(self, asked: Asked, kind: str, time: str, bounds: str) -> list[dict[str, Any]]:
        low, high = asked.one(f"from{bounds}"), asked.one(f"to{bounds}", "9")
        rows = [row for row in getattr(self, kind) if low <= row[time] < high]
        for name, column in (("environment", "environment"), ("sessionId", "sessionId")):
            if name in asked.params:
                rows = [row for row in rows if row.get(column) in asked.params[name]]
        if "tags" in asked.params:
            rows = [row for row in rows if set(asked.params["tags"]) <= set(row["tags"])]
        return rows

    def _numbered(self, kind: str, time: str, bounds: str):
        def route(asked: Asked) -> Answer:
            if asked.headers.get("Authorization") != self.key:
                return Answer({"message": "Invalid credentials"}, 401)
            page, limit = int(asked.one("page", "1")), int(asked.one("limit", "50"))
            rows = sorted(self._found(asked, kind, time, bounds), key=lambda row: row[time])
            if kind == "observations":
                rows = rows[::-1]
            total = len(rows)
            meta = {"page": page, "limit": limit, "totalItems": total,
                    "totalPages": -(-total // limit)}  # fmt: skip
            return Answer({"data": rows[(page - 1) * limit : page * limit], "meta": meta})

        return route

    def _cursored(self, kind: str, time: str, bounds: str, most: int):
        def route(asked: Asked) -> Answer:
            if asked.headers.get("Authorization") != self.key:
                return Answer({"message": "Invalid credentials"}, 401)
            limit = int(asked.one("limit", "50"))
            if limit > most:
                return Answer({"message": "limit"}, 400)
            rows = self._found(asked, kind, time, bounds)
            rows.sort(key=lambda row: (row[time], row["id"]), reverse=True)
            if cursor := asked.one("cursor"):
                last = tuple(json.loads(base64.b64decode(cursor)))
                rows = [row for row in rows if (row[time], row["id"]) < last]
            page = rows[:limit]
            meta: dict[str, Any] = {"limit": limit}
            if len(rows) > limit:
                after = json.dumps([page[-1][time], page[-1]["id"]])
                meta["cursor"] = base64.b64encode(after.encode()).decode()
            return Answer({"data": page, "meta": meta})

        return route
