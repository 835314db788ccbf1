"""One request after another to a platform's API: patient, polite, and never to another host."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx

from pipeline.connectors.answers import parse_json, reason_of, redirect_of, retry_after_of
from pipeline.connectors.watch import Watch

__all__ = ["Api", "ApiError", "Limits", "NotOffered", "Request", "SmallerPages"]

_SMALLER = {413, 422, 504, 524}
_LATER = {408, 425, 429}


class ApiError(Exception):
    """The API cannot be pulled from any further; the text is for people and holds no payload."""


class NotOffered(ApiError):
    """This server has no such endpoint, or no such project."""


class SmallerPages(Exception):
    """The page was too large for the server, for its gateway, or for here."""


@dataclass(frozen=True)
class Request:
    """One request: GET with `params`, or POST where there is a `body`."""

    path: str
    params: tuple[tuple[str, str], ...] = ()
    body: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Limits:
    """How polite and how patient to be; times in seconds."""

    interval: float = 0.25
    """Between the starts of two requests."""
    attempts: int = 8
    first_wait: float = 1
    longest_wait: float = 60
    timeout: float = 60
    """For the next bytes."""
    longest_answer: float = 300
    """For one whole answer, however steadily it drips in."""
    largest_answer: int = 64 * 2**20
    deadline: float = 2 * 3600
    """For all requests together."""


class Api:
    """An API under one base URL.

    Args:
        base: such as https://cloud.langfuse.com, as `checked_url` returns it.
        headers: the key among them; they are never printed, and go to no other host.
        key_names: the environment variables of the key, for messages.
        limits: politeness and patience.
        sleep: waits so many seconds.
        say: prints a line.
    """

    def __init__(
        self,
        base: str,
        headers: Mapping[str, str],
        key_names: str,
        limits: Limits,
        *,
        sleep: Callable[[float], None] = time.sleep,
        say: Callable[[str], None] = lambda _line: None,
    ) -> None:
        self.base = base
        self.host = urlsplit(base).netloc
        self.received = 0  # bytes of the last answer
        self._key_names = key_names
        self._limits = limits
        self._sleep = sleep
        self._say = say
        self._ends = time.monotonic() + limits.deadline
        self._next = 0.0
        self._reached = False
        self._watch = Watch()
        self._client = httpx.Client(
            headers={**headers, "Accept": "application/json"},
            timeout=httpx.Timeout(limits.timeout, connect=min(limits.timeout, 15)),
            follow_redirects=False,
        )

    def fetch(self, request: Request, *, shrinkable: bool = False) -> Any:
        """The JSON document that answers; 429, 5xx, resets and torn answers are tried again.

        Args:
            request: what to ask for.
            shrinkable: whether a smaller page could be asked for instead of trying again.

        Raises:
            SmallerPages: `shrinkable`, and the answer is too large or takes too long.
            NotOffered: 404, 405, 410 or 501.
            ApiError: anything else that trying again does not mend, or the time is up.
        """
        attempt = 0
        while True:
            attempt += 1
            retry_after = None
            try:
                answer, body = self._send(request)
            except httpx.TimeoutException as error:
                self._check_time(request)
                if shrinkable and not isinstance(error, httpx.ConnectTimeout):
                    raise SmallerPages from None
                trouble = "no answer in time"
            except httpx.RequestError as error:
                trouble = type(error).__name__
            except _TooLarge:
                if shrinkable:
                    raise SmallerPages from None
                size = self._limits.largest_answer >> 20
                raise self._error(request, f"the smallest page is larger than {size} MB") from None
            else:
                self._reached = True
                if answer.status_code in _SMALLER and shrinkable:
                    raise SmallerPages
                if answer.status_code == 200:
                    try:
                        return parse_json(body)
                    except (ValueError, RecursionError):
                        trouble = "an answer that is no JSON"
                else:
                    trouble = self._judge(request, answer, body)
                    retry_after = retry_after_of(answer)
            tries = self._limits.attempts if self._reached else min(3, self._limits.attempts)
            if attempt >= tries:
                raise self._error(request, f"{trouble}, {attempt} times in a row")
            self._wait(request, attempt, trouble, retry_after)

    def unreadable(self, request: Request, kind: str) -> ApiError:
        """For an answer that is JSON, but not what this endpoint is documented to give."""
        return self._error(request, f"an answer of another shape than documented ({kind})")

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _send(self, request: Request) -> tuple[httpx.Response, bytes]:
        now = self._check_time(request)
        if self._next > now:
            self._sleep(self._next - now)
        now = time.monotonic()
        self._next = now + self._limits.interval
        body = bytearray()
        with (
            self._watch.within(min(self._limits.longest_answer, self._ends - now)),
            self._client.stream(
                "GET" if request.body is None else "POST",
                self.base + request.path,
                params=list(request.params),
                json=request.body,
                extensions={"trace": self._watch.trace},
            ) as answer,
        ):
            for chunk in answer.iter_bytes():
                body += chunk
                if len(body) > self._limits.largest_answer:
                    raise _TooLarge
        self.received = len(body)
        return answer, bytes(body)

    def _check_time(self, request: Request) -> float:
        now = time.monotonic()
        if now > self._ends:
            raise self._error(request, f"the {self._limits.deadline / 60:.0f} minutes are up")
        return now

    def _judge(self, request: Request, answer: httpx.Response, body: bytes) -> str:
        """What to try again for, in words; raises where trying again is of no use."""
        status = answer.status_code
        if status in (401, 403):
            raise self._error(
                request, f"{self.host} does not accept the key of {self._key_names} ({status})"
            )
        if status in (404, 405, 410, 501):
            raise NotOffered(f"{self.host}{request.path}: not there (HTTP {status})")
        if answer.has_redirect_location or 300 <= status < 400:
            to = redirect_of(answer, self.host)
            raise self._error(
                request,
                f"redirects to {to}, and the key is not sent there; "
                "if that is your server, name it with --host",
            )
        if status in _LATER or status >= 500:
            return f"HTTP {status}"
        raise self._error(request, f"HTTP {status}{reason_of(status, body)}")

    def _wait(self, request: Request, attempt: int, trouble: str, asked: float | None) -> None:
        longest = min(self._limits.first_wait * 2 ** (attempt - 1), self._limits.longest_wait)
        wait = random.uniform(0.5, 1) * longest
        if asked is not None:
            wait = asked + random.uniform(0, 0.1) * longest
        left = self._ends - time.monotonic()
        if wait > left:
            raise self._error(
                request, f"{trouble}; asked to wait {wait:.0f} s where {max(left, 0):.0f} are left"
            )
        if wait > 5:
            self._say(f"{self.host}: {trouble}, waiting {wait:.0f} s")
        self._sleep(wait)

    def _error(self, request: Request, why: str) -> ApiError:
        return ApiError(f"{self.host}{request.path}: {why}")


class _TooLarge(Exception):
    pass
