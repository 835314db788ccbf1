"""Request bodies under caps, and answers in the encoding of the request."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Callable
from typing import Any

import orjson
from google.protobuf.json_format import MessageToDict
from starlette.requests import Request
from starlette.responses import Response

from pipeline.ingest.varints import write_varint
from pipeline.receiver.otlp import JSON, PROTOBUF, Signal

__all__ = ["LARGEST_BODY", "Refusal", "answer", "inflate", "read_body", "refuse"]

LARGEST_BODY = 64 * 2**20
"""Bytes, before and after decompression: the largest request that the SDKs send."""

_SECONDS_FOR_BODY = 30
# Clients send one member. A decoder hands back what follows a member as a copy, so that a body of
# nothing but empty members would cost the square of its size: they are few, and windows are small.
_MOST_MEMBERS = 1000
_WINDOW = 64 * 2**10
# google.rpc.Code, by the HTTP status that OTLP pairs it with.
_CODES = {400: 3, 401: 16, 403: 7, 408: 4, 413: 8, 415: 3, 500: 13, 503: 14}


class Refusal(Exception):
    """A request that is not taken; the text is for the client's log."""

    def __init__(self, status: int, message: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.headers = headers or {}


async def read_body(
    request: Request, hold: Callable[[int], None], most: int = LARGEST_BODY
) -> bytes:
    """The whole body, as it came.

    A refusal is answered at once. What the client still sends is read and forgotten by the web
    server, so that a client that writes to the end first finds the answer and no broken connection.

    Args:
        request: whose body.
        hold: told of every chunk's size before it is kept; may raise a refusal.
        most: bytes.

    Raises:
        Refusal: 413 where more than `most` bytes are announced or come, 408 for a client that
            dawdles.
    """
    too_large = Refusal(413, f"a body of more than {most >> 20} MB; send smaller batches")
    if int(request.headers.get("content-length") or 0) > most:
        raise too_large
    body = bytearray()
    try:
        async with asyncio.timeout(_SECONDS_FOR_BODY):
            async for chunk in request.stream():
                if len(body) + len(chunk) > most:
                    raise too_large
                hold(len(chunk))
                body += chunk
    except TimeoutError:
        raise Refusal(408, f"the body took longer than {_SECONDS_FOR_BODY} seconds") from None
    return bytes(body)


def inflate(body: bytes, encoding: str, most: int = LARGEST_BODY) -> bytes:
    """The body without its Content-Encoding, of which never more than one byte above is made.

    Raises:
        Refusal: 415 for an unknown compression, 400 for a body that is damaged or of more than
            1,000 members, 413 for one that inflates to more than `most` bytes.
    """
    if encoding in ("", "identity"):
        return body
    if encoding not in ("gzip", "deflate"):
        raise Refusal(415, "Content-Encoding is gzip, deflate or none")
    parts: list[bytes] = []
    room = most + 1
    view, at, members, decoder = memoryview(body), 0, 0, None
    while at < len(view):
        if decoder is None:
            decoder, members = zlib.decompressobj(wbits=47), members + 1
            if members > _MOST_MEMBERS:
                raise Refusal(400, f"a compressed body of more than {_MOST_MEMBERS} members")
        window = view[at : at + _WINDOW]
        try:
            parts.append(decoder.decompress(window, room))
        except zlib.error:
            raise Refusal(400, "the body is not compressed as Content-Encoding says") from None
        room -= len(parts[-1])
        if room == 0:
            raise Refusal(413, f"a body that inflates to more than {most >> 20} MB")
        at += len(window) - len(decoder.unused_data)
        if decoder.eof:
            decoder = None
    if decoder is not None:
        raise Refusal(400, "the compressed body ends too early")
    return b"".join(parts)


def answer(signal: Signal, kind: str, rejected: int = 0, why: str = "") -> Response:
    """200 with the signal's response; with `why`, a partial success that rejected `rejected`."""
    response: Any = signal.response()
    if why:
        partial = response.partial_success
        partial.error_message = why
        partial.rejected_data_points = rejected
    if kind == PROTOBUF:
        return Response(response.SerializeToString(), 200, media_type=PROTOBUF)
    return Response(orjson.dumps(MessageToDict(response)), 200, media_type=JSON)


def refuse(refusal: Refusal, kind: str) -> Response:
    """The refusal's status with a google.rpc.Status, in the encoding of the request."""
    code, message = _CODES[refusal.status], refusal.message
    if kind == PROTOBUF:
        text = message.encode()
        # Field 1 (code, varint), field 2 (message, bytes): not worth another package.
        body = bytes([0x08, code, 0x12]) + write_varint(len(text)) + text
    else:
        kind, body = JSON, orjson.dumps({"code": code, "message": message})
    return Response(body, refusal.status, refusal.headers, media_type=kind)
