"""A real OpenAI-compatible server on loopback that misbehaves as it is told."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

AXES = ("helpfulness", "faithfulness", "completeness", "tone")


@dataclass
class Request:
    """One request as it came in."""

    body: dict[str, Any]
    at: float

    @property
    def text(self) -> str:
        return "\n".join(message["content"] for message in self.body["messages"])

    @property
    def marker(self) -> str:
        return re.findall(r"DATA-[0-9a-f]{16}", self.text)[0]


@dataclass
class Answer:
    """What the server sends back."""

    status: int = 200
    content: str | None = ""
    finish_reason: str = "stop"
    headers: dict[str, str] = field(default_factory=dict)
    delay: float = 0.0
    refusal: str | None = None
    usage: tuple[int, int] | None = (1000, 100)
    model: str = "judge-2026-11-01"
    fingerprint: str | None = "fp_1"
    raw: bytes | None = None  # sent as it is, whatever else is said
    drip: float = 0.0  # seconds between two chunks of the body
    body: dict[str, Any] = field(default_factory=dict)  # laid over what would be sent


Script = Callable[[int, Request], Answer]


def verdicts(request: Request, **changes: Any) -> str:
    """A well-formed reply: every axis passes, but for what `changes` says of an axis."""
    entries = []
    for axis in changes.get("axes", AXES):
        entry = {
            "axis": axis,
            "reasoning": "It was looked at.",
            "evidence": ["message:0"],
            "verdict": "pass",
            "score": 0.9,
            "code": "none",
        }
        entries.append(entry | changes.get(axis, {}))
    return json.dumps({"marker": changes.get("marker", request.marker), "verdicts": entries})


@dataclass
class Server:
    """A running server; `requests` are all that came, in order."""

    url: str
    requests: list[Request]


@contextmanager
def serve(script: Script) -> Iterator[Server]:
    """Run a server whose n-th request (from 0) is answered by `script(n, request)`."""
    requests: list[Request] = []
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            request = Request(body, time.monotonic())
            with lock:
                number = len(requests)
                requests.append(request)
            answer = script(number, request)
            time.sleep(answer.delay)
            raw = answer.raw
            if raw is None:
                raw = json.dumps(_body(answer) | answer.body).encode()
            try:
                self.send_response(answer.status)
                self.send_header("Content-Type", "application/json")
                if answer.drip:
                    self.send_header("Transfer-Encoding", "chunked")
                else:
                    self.send_header("Content-Length", str(len(raw)))
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self._send(raw, answer.drip)
            except (BrokenPipeError, ConnectionResetError):
                pass  # the client had lost patience, as it should

        def _send(self, raw: bytes, drip: float) -> None:
            if not drip:
                self.wfile.write(raw)
                return
            for place in range(len(raw)):
                self.wfile.write(b"1\r\n" + raw[place : place + 1] + b"\r\n")
                self.wfile.flush()
                time.sleep(drip)
            self.wfile.write(b"0\r\n\r\n")

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield Server(f"http://127.0.0.1:{server.server_port}/v1", requests)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _body(answer: Answer) -> dict[str, Any]:
    if answer.status != 200:
        return {"error": {"message": "no", "type": "test", "code": str(answer.status)}}
    message = {"role": "assistant", "content": answer.content, "refusal": answer.refusal}
    body: dict[str, Any] = {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": answer.model,
        "system_fingerprint": answer.fingerprint,
        "choices": [{"index": 0, "finish_reason": answer.finish_reason, "message": message}],
    }
    if answer.usage:
        prompt, completion = answer.usage
        body["usage"] = {
            "prompt_tokens": prompt,
            "completion_tokens": completion,
            "total_tokens": prompt + completion,
        }
    return body
