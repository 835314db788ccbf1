"""A platform's API on loopback: a real HTTP server, its documented answers and its quirks."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import orjson


@dataclass(frozen=True)
class Asked:
    """A request as it came."""

    path: str
    params: Mapping[str, list[str]]
    body: Any
    headers: Mapping[str, str]

    def one(self, name: str, default: str = "") -> str:
        """The first value of a parameter."""
        return self.params.get(name, [default])[0]


@dataclass(frozen=True)
class Answer:
    """What the server answers; `value` as JSON, bytes as they are, None: it hangs up."""

    value: Any
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


Route = Callable[[Asked], Answer]


@dataclass
class Server:
    """The routes of an API, every request it got, and faults that come before right answers."""

    url: str = ""
    routes: dict[str, Route] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    faults: list[Answer] = field(default_factory=list)
    before: Callable[[Asked], None] = lambda _asked: None

    def answer(self, asked: Asked) -> Answer:
        """A fault if one waits, else what the route says."""
        self.asked.append(asked)
        self.before(asked)
        if self.faults:
            return self.faults.pop(0)
        route = self.routes.get(asked.path)
        return route(asked) if route else Answer({"message": "not found"}, 404)

    def paths(self, of: str) -> list[Asked]:
        """The requests for one path."""
        return [asked for asked in self.asked if asked.path == of]


class _Http(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, _request: Any, _address: Any) -> None:
        """Clients that hang up early are part of the tests."""


@contextmanager
def serving() -> Iterator[Server]:
    """A server without routes yet."""
    found = Server()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # one packet an answer
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            length = int(self.headers.get("content-length") or 0)
            body = orjson.loads(self.rfile.read(length)) if length else None
            params = parse_qs(parts.query, keep_blank_values=True)
            answer = found.answer(Asked(parts.path, params, body, dict(self.headers)))
            if answer.value is None:
                self.close_connection = True
                self.connection.close()
                return
            value = answer.value
            content = gzip.compress(value if isinstance(value, bytes) else orjson.dumps(value))
            self.send_response(answer.status)
            headers = {"Content-Encoding": "gzip", "Content-Length": str(len(content))}
            for name, text in {**headers, **answer.headers}.items():
                self.send_header(name, text)
            self.end_headers()
            self.wfile.write(content)

        do_POST = do_GET

        def log_message(self, *_arguments: Any) -> None:
            pass

    http = _Http(("127.0.0.1", 0), Handler)
    found.url = f"http://127.0.0.1:{http.server_address[1]}"
    thread = threading.Thread(target=http.serve_forever, args=(0.01,))
    thread.start()
    yield found
    http.shutdown()
    thread.join()
    http.server_close()
