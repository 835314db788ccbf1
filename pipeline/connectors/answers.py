"""Addresses that keys may go to, and what servers answer beside records."""

from __future__ import annotations

import ipaddress
import json
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import httpx
import orjson

__all__ = ["checked_url", "is_loopback", "parse_json", "reason_of", "retry_after_of"]


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
    """Seconds that the server asks to wait, given as a number or as a date."""
    given = answer.headers.get("retry-after", "").strip()
    if not given:
        return None
    try:
        return max(float(given), 0)
    except ValueError:
        pass
    try:
        until = parsedate_to_datetime(given)
    except ValueError:
        return None
    until = until if until.tzinfo else until.replace(tzinfo=UTC)
    return max((until - datetime.now(UTC)).total_seconds(), 0)


def reason_of(body: bytes) -> str:
    """What a 4xx says of the request, printable and short."""
    try:
        said = orjson.loads(body)
        text = next(said[n] for n in ("message", "detail", "error") if isinstance(said.get(n), str))
    except (ValueError, AttributeError, StopIteration, KeyError):
        return ""
    return ": " + "".join(c for c in text[:200] if c.isprintable())
