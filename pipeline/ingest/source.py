"""A landing file to read: plain, gzip or zstd, never more of it than the caps allow."""

from __future__ import annotations

import io
import sys
import zlib
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, BinaryIO, cast

import zstandard

__all__ = ["Source", "Unreadable"]

_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
_CHUNK = 1 << 20
_LARGEST_CONTENT = 64 * 2**30
_LARGEST_RATIO = 200
# A small file may compress well without being a bomb: the ratio counts from here on.
_RATIO_FROM = 64 * 2**20
_LARGEST_WINDOW = 128 * 2**20  # zstd's own default for decoders


class Unreadable(Exception):
    """A file, or the rest of it, cannot be read; `reason` is the quarantine's code."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


@dataclass(frozen=True)
class Source:
    """A landing file; `day` is the UTC day given for records without a time.

    `start` and `stop` bound the bytes of a plain file that are read, on line borders: one of
    several processes reads its share, and a growing file is read to its last whole line.
    """

    path: Path
    day: date | None = None
    largest_record: int = 64 * 2**20
    start: int = 0
    stop: int | None = None

    @property
    def compression(self) -> str | None:
        """Told by the first bytes: gzip, zstd, or None."""
        with self.path.open("rb") as handle:
            magic = handle.read(4)
        if magic[:2] == _GZIP:
            return "gzip"
        return "zstd" if magic == _ZSTD else None

    def open(self) -> BinaryIO:
        """Open the content, decompressed as it is read.

        Reading raises Unreadable: too_large or bomb above the caps, bad_compression where it is
        damaged (what came before was read).
        """
        kind = self.compression
        if kind is None:
            handle = self.path.open("rb")
            handle.seek(self.start)
            if self.stop is None:
                return handle
            return cast(BinaryIO, io.BufferedReader(_Share(handle, self.stop - self.start)))
        return cast(BinaryIO, _Sound(_Decompressed(self.path, kind), _CHUNK))

    def read(self, most: int | None = None) -> bytes:
        """The whole content, for a format that is one document.

        Args:
            most: bytes; above them it is Unreadable (default: sixteen records of the largest size).

        Raises:
            Unreadable: it is larger, or damaged.
        """
        content, error = self.salvage(most)
        if error is not None:
            raise error
        return content

    def salvage(self, most: int | None = None) -> tuple[bytes, Unreadable | None]:
        """The whole content as `read` gives it, or what came before the damage, and what that is.

        Raises:
            Unreadable: it is larger than `most`.
        """
        most = 16 * self.largest_record if most is None else most
        error = None
        with self.open() as handle:
            content = handle.read(most + 1)
            if len(content) > most:
                detail = f"one document of more than {most >> 20} MB"
                raise Unreadable("too_large", detail)
            try:
                handle.read(1)
            except Unreadable as damage:
                error = damage
        return content, error


class _Sound(io.BufferedReader):
    """A buffered reader that hands out what came before an error, and raises it at the next call.

    The buffered reader of the standard library loses what it has gathered for one call.
    """

    def read(self, size: int | None = -1) -> bytes:
        left = size if size is not None and size >= 0 else sys.maxsize
        parts: list[bytes] = []
        while left > 0:
            try:
                chunk = self.read1(min(left, _CHUNK))
            except Unreadable:
                if not parts:
                    raise
                break
            if not chunk:
                break
            parts.append(chunk)
            left -= len(chunk)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def readinto(self, buffer: Any) -> int:
        chunk = self.read1(len(buffer))
        buffer[: len(chunk)] = chunk
        return len(chunk)


class _Share(io.RawIOBase):
    """The next `left` bytes of a file."""

    def __init__(self, handle: io.BufferedReader, left: int) -> None:
        self._handle, self._left = handle, left

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        count = self._handle.readinto(buffer[: self._left])
        self._left -= count
        return count

    def close(self) -> None:
        self._handle.close()
        super().close()


class _Decompressed(io.RawIOBase):
    """A gzip or zstd file, of one or many members, under caps on size, ratio and window."""

    def __init__(self, path: Path, kind: str) -> None:
        self._kind = kind
        self._handle = path.open("rb")
        self._read = self._written = 0
        self._waiting = memoryview(b"")  # compressed, not yet decoded
        self._decoded = memoryview(b"")
        self._decoder: Any = self._member()
        self._begun = False
        self._error: Unreadable | None = None

    def _member(self) -> Any:
        if self._kind == "gzip":
            return zlib.decompressobj(wbits=31)
        return zstandard.ZstdDecompressor(max_window_size=_LARGEST_WINDOW).decompressobj()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        if self._error is not None:
            raise self._error
        while not self._decoded:
            try:
                chunk = self._next()
                if chunk is None:
                    return 0
                self._written += len(chunk)
                self._check()
            except Unreadable as error:
                self._error = error
                raise
            self._decoded = memoryview(chunk)
        taken = min(len(buffer), len(self._decoded))
        buffer[:taken] = self._decoded[:taken]
        self._decoded = self._decoded[taken:]
        return taken

    def _next(self) -> bytes | None:
        """The next decoded bytes (maybe none yet); None at the end."""
        if self._decoder.eof:
            self._waiting = memoryview(bytes(self._decoder.unused_data or b"") + self._waiting)
            self._decoder, self._begun = self._member(), False
        if not self._waiting and not self._fill():
            if self._begun:
                raise Unreadable("bad_compression", f"{self._kind} data that ends too early")
            return None
        if not self._begun and not bytes(self._waiting).strip(b"\0"):  # padding after a member
            self._waiting = memoryview(b"")
            return b""
        try:
            return self._decode()
        except (zlib.error, zstandard.ZstdError) as error:
            detail = f"damaged {self._kind} data after {self._written} bytes of content"
            raise Unreadable("bad_compression", detail) from error

    def _decode(self) -> bytes:
        self._begun = True
        if self._kind == "zstd":
            # No bound on what one call returns: 512 bytes hold at most 128 blocks of 128 KiB.
            bite, self._waiting = self._waiting[:512], self._waiting[512:]
            return bytes(self._decoder.decompress(bite))
        decoded = bytes(self._decoder.decompress(self._waiting, _CHUNK))
        self._waiting = memoryview(self._decoder.unconsumed_tail)
        return decoded

    def _fill(self) -> bool:
        self._waiting = memoryview(self._handle.read(1 << 16))
        self._read += len(self._waiting)
        return bool(self._waiting)

    def _check(self) -> None:
        if self._written > _LARGEST_CONTENT:
            detail = f"more than {_LARGEST_CONTENT >> 30} GB of content"
            raise Unreadable("too_large", detail)
        ratio = self._written / max(self._read - len(self._waiting), 1)
        if self._written > _RATIO_FROM and ratio > _LARGEST_RATIO:
            detail = (
                f"{self._read} bytes hold more than {self._written}: {ratio:.0f} times as many, "
                f"where {_LARGEST_RATIO} are read"
            )
            raise Unreadable("bomb", detail)

    def close(self) -> None:
        self._handle.close()
        super().close()
