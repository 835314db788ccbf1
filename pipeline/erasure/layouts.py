"""How files are laid out: the pieces of each, and what puts some of them together again."""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import zstandard

from pipeline.erasure.sifting import Join, Opened, json_pieces, open_json, open_line
from pipeline.ingest.index.shares import holds_lines
from pipeline.ingest.readers.head import read_head
from pipeline.ingest.readers.otlp_protobuf import framing_of
from pipeline.ingest.readers.otlp_wire import Broken, fields
from pipeline.ingest.source import Source
from pipeline.ingest.varints import read_varint, write_varint

__all__ = ["Layout", "layouts_of"]

Layout = tuple[Sequence[Any], Join, Callable[[Any], Opened | None]]
_BLOCK = 8 * 2**20
_ZSTD = b"\x28\xb5\x2f\xfd"


def layouts_of(source: Source, by_lines: bool = False) -> Iterator[Layout]:
    """The file's stretches in order, each with its pieces; none where it cannot be taken apart.

    Lines come in blocks of some MB, anything else is one stretch. `by_lines` says that it is known
    to be made of lines.

    Raises:
        Unreadable: it is damaged, or too large to be read at once.
        ValueError: it is not what it looks like.
    """
    head = read_head(source)
    if head.container == "parquet":
        yield _rows(pq.read_table(pa.BufferReader(source.read())))
    elif head.container == "csv":
        yield _cells(source.read())
    elif head.container == "zip":
        return
    elif framing := framing_of(head.raw):
        yield _messages(source.read(), framing)
    elif by_lines or holds_lines(source):
        yield from _lines(source)
    elif opened := json_pieces(orjson.loads(source.read())):
        pieces, again = opened
        yield pieces, lambda some: orjson.dumps(again(some)), open_json


def _lines(source: Source) -> Iterator[Layout]:
    with source.open() as handle:
        while block := handle.readlines(_BLOCK):
            yield block, b"".join, open_line


def _rows(table: pa.Table) -> Layout:
    def join(some: Sequence[int]) -> bytes:
        sink = pa.BufferOutputStream()
        pq.write_table(table.take(pa.array(some, pa.int64())), sink, compression="zstd")
        return bytes(sink.getvalue())

    return range(table.num_rows), join, lambda _row: None


def _cells(content: bytes) -> Layout:
    csv.field_size_limit(sys.maxsize)
    rows = csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""))
    head = list(islice(rows, 1))

    def join(some: Sequence[list[str]]) -> bytes:
        text = io.StringIO(newline="")
        csv.writer(text).writerows([*head, *some])
        return text.getvalue().encode()

    return list(rows), join, lambda _row: None


def _messages(content: bytes, framing: str) -> Layout:
    if framing == "one":
        return _fields_of(content), b"".join, _open_field
    frames: list[bytes] = []
    at = 0
    while at < len(content):
        if framing == "fixed":
            size, at = int.from_bytes(content[at : at + 4], "big"), at + 4
        else:
            size, at = read_varint(content, at, len(content))
            if at < 0:
                raise Broken("a length that is cut short")
        frames.append(content[at : at + size])
        at += size

    def join(some: Sequence[bytes]) -> bytes:
        sized = (len(one).to_bytes(4, "big") if framing == "fixed" else write_varint(len(one))
                 for one in some)  # fmt: skip
        return b"".join(size + one for size, one in zip(sized, some, strict=True))

    return frames, join, _open_frame


class _Field(bytes):
    """One field of a message, its tag and length before it."""


def _open_frame(piece: Any) -> Opened | None:
    """Open a message; what was compressed on its own is put back as it is without."""
    if isinstance(piece, _Field) or not isinstance(piece, bytes):
        return _open_field(piece)
    if piece.startswith(_ZSTD):
        piece = zstandard.ZstdDecompressor().decompressobj().decompress(piece)
    if piece.lstrip().startswith(b"{") and framing_of(piece) is None:
        return open_line(piece)
    return list(_fields_of(piece)), b"".join


def _open_field(piece: Any) -> Opened | None:
    """Open a field that holds a message."""
    if not isinstance(piece, _Field):
        return open_json(piece)
    (field,) = fields(piece)
    if field.wire != 2:
        return None
    tag_ends = field.start - len(write_varint(field.stop - field.start))
    tag, inner = piece[:tag_ends], _fields_of(piece[field.start :])

    def again(some: Sequence[bytes]) -> _Field:
        body = b"".join(some)
        return _Field(tag + write_varint(len(body)) + body)

    return list(inner), again


def _fields_of(message: bytes) -> list[_Field]:
    found = list(fields(message))
    if not all(field.whole for field in found):
        raise Broken("a message that is cut short")
    return [_Field(message[field.tag : field.stop]) for field in found]
