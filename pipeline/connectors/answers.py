"""Addresses that keys may go to, and what servers answer beside records."""

from __future__ import annotations

import ipaddress
import json
import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

import httpx
import orjson

__all__ = [
    "checked_url",
    "is_loopback",
    "parse_json",
    "reason_of",
    "redirect_of",
    "retry_after_of",
]

_SECONDS = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9})?")
_HOST = re.compile(r"[A-Za-z0-9.:-]{1,100}")
# Two words or more, written as one: invalid_request, InvalidRequestError, INVALID-REQUEST.
_CODE = re.compile(
    r"[a-z]{2,16}([_-][a-z]{2,16}){1,4}"
    r"|[A-Z]{2,16}([_-][A-Z]{2,16}){1,4}"
    r"|[A-Z][a-z]{1,15}([A-Z][a-z]{1,15}){1,4}"
)


def checked_url(url: str) -> str:
    """A base URL without trailing slash; a bare host gets https.

    Raises:
        ValueError: it holds a user or a query, or is plain http to another machine.
    """
    parts = urlsplit(url if "://" in url else f"https://{url}")
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"{url!r} is no http(s) URL")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ValueError("the host is a plain URL: keys come from the environment")
    if parts.scheme == "http" and not is_loopback(url):
        raise ValueError(
            f"{parts.hostname} over plain http would show the key and the traces to the network; "
            "use https, or forward a port to 127.0.0.1"
        )
    return f"{parts.scheme}://{parts.netloc}{parts.path}".rstrip("/")


def is_loopback(url: str) -> bool:
    """Whether the URL is of this machine."""
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def parse_json(body: bytes) -> Any:
    """JSON; half an emoji in a text (JavaScript writes such) must not cost the page."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return json.loads(body)


def retry_after_of(answer: httpx.Response) -> float | None:
    """Seconds that the server asks to wait, given as a number or as a date; nonsense is none."""
    given = answer.headers.get("retry-after", "").strip()
    if _SECONDS.fullmatch(given):
        return float(given)
    try:
        until = parsedate_to_datetime(given)
    except (ValueError, OverflowError, TypeError, IndexError):
        return None
    until = until if until.tzinfo else until.replace(tzinfo=UTC)
    return max((until - datetime.now(UTC)).total_seconds(), 0)


def redirect_of(answer: httpx.Response, host: str) -> str:
    """The host that a redirect leads to, for messages; without the user that its URL may hold."""
    try:
        parts = urlsplit(answer.headers.get("location", ""))
        to, port = parts.hostname or (host if not parts.netloc else ""), parts.port
    except ValueError:
        return "an address that is none"
    name = to if port is None else f"{to}:{port}"
    return repr(name) if _HOST.fullmatch(name) else "an address that is none"


def reason_of(status: int, body: bytes) -> str:
    """What a 4xx says of the request: the standard's phrase, and the server's code for the error.

    Never the server's own sentences: they repeat what was sent, the key and people's data too.
    """
    try:
        phrase = f" ({HTTPStatus(status).phrase})"
    except ValueError:
        phrase = ""
    try:
        said = parse_json(body)
    except (ValueError, RecursionError):
        return phrase
    code = said.get("error") if isinstance(said, dict) else None
    return f"{phrase}: {code}" if isinstance(code, str) and _CODE.fullmatch(code) else phrase
