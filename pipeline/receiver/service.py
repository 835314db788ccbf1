"""The web service: who may send, what is taken, and what it is told."""

from __future__ import annotations

import asyncio
import hmac
from collections import Counter
from dataclasses import dataclass, field

import anyio
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from pipeline.receiver.bodies import LARGEST_BODY, Refusal, answer, inflate, read_body, refuse
from pipeline.receiver.journal import Journal, NotKept
from pipeline.receiver.otlp import JSON, METRICS, PROTOBUF, SIGNALS, BadRequest, read_export

__all__ = ["Access", "Service"]

_LARGEST_TOGETHER = 4 * LARGEST_BODY


@dataclass(frozen=True)
class Access:
    """Who may send: `hosts` are the names that requests must call this server by (None: any)."""

    hosts: frozenset[str] | None
    token: str | None = None

    def check(self, request: Request) -> None:
        """Refuse browsers, names that are not ours, and a wrong token.

        A web page can make a browser post to loopback, or point a name of its own there. Browsers
        say where a request comes from; OpenTelemetry's exporters do not.
        """
        headers = request.headers
        if len(headers.getlist("host")) > 1:
            raise Refusal(400, "more than one Host header")
        if "origin" in headers or "sec-fetch-site" in headers:
            raise Refusal(403, "requests of browsers are not taken")
        host = headers.get("host", "").rpartition(":")[0] or headers.get("host", "")
        if self.hosts is not None and host.lower() not in self.hosts:
            raise Refusal(403, "the Host header names another server")
        given = headers.get("authorization", "")
        if self.token and not hmac.compare_digest(given.encode(), f"Bearer {self.token}".encode()):
            headers_of_answer = {"WWW-Authenticate": "Bearer"}
            raise Refusal(401, "CASELAW_RECEIVE_TOKEN of the receiver is asked for",
                          headers_of_answer)  # fmt: skip


@dataclass
class Service:
    """Takes export requests into a journal; `counts` tell what was taken and refused."""

    journal: Journal
    access: Access
    counts: Counter[str] = field(default_factory=Counter)
    _in_memory: int = 0

    def application(self) -> Starlette:
        """The ASGI application."""
        self._threads = anyio.CapacityLimiter(2)  # of large requests, so many are read at a time
        routes = [Route(path, self._receive, methods=["POST"]) for path in SIGNALS]
        return Starlette(routes=routes)

    async def _receive(self, request: Request) -> Response:
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        try:
            self.access.check(request)
            if kind not in (PROTOBUF, JSON):
                raise Refusal(415, f"Content-Type is {PROTOBUF} or {JSON}")
            return await self._take(request, kind)
        except Refusal as refusal:
            self.counts["refused"] += 1
            self.counts[f"answered {refusal.status}"] += 1
            return refuse(refusal, kind)
        except ClientDisconnect:
            return Response(status_code=400)  # nobody reads it
        except Exception as error:  # its text may hold the payload: only its kind is told
            self.counts["refused"] += 1
            return refuse(Refusal(500, f"{type(error).__name__} in the receiver"), kind)

    async def _take(self, request: Request, kind: str) -> Response:
        held = 0

        def hold(size: int) -> None:
            # What came, not what was announced: a promise takes no memory.
            nonlocal held
            if self._in_memory + size > _LARGEST_TOGETHER:
                raise Refusal(503, "too many requests at once", {"Retry-After": "1"})
            self._in_memory += size
            held += size

        try:
            body = await read_body(request, hold)
            signal = SIGNALS[request.url.path]
            encoding = request.headers.get("content-encoding", "").strip().lower()
            export = await anyio.to_thread.run_sync(
                lambda: read_export(signal, kind, inflate(body, encoding)), limiter=self._threads
            )
            if signal is METRICS:
                why = "metrics are not kept: this receiver reads traces and logs"
                return answer(signal, kind, export.items, why if export.items else "")
            if export.lines:
                await asyncio.wrap_future(self.journal.append(export.lines))
        except BadRequest as error:
            raise Refusal(400, str(error)) from None
        except NotKept as error:
            why = f"not kept: {error}"
            raise Refusal(503, why, {"Retry-After": "30"}) from None
        finally:
            self._in_memory -= held
        self.counts[signal.items] += export.items
        self.counts["requests"] += 1
        self.counts["bytes"] += len(export.lines)
        return answer(signal, kind)
