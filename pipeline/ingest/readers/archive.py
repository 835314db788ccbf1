"""The members of a zip archive, one by one in memory, under caps: nothing is unpacked to disk."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from types import TracebackType
from typing import BinaryIO

import zstandard

from pipeline.ingest.source import Source, Unreadable

__all__ = ["ARCHIVES", "Archive", "Unpacked"]

_MOST_MEMBERS = 200_000
_LARGEST_CONTENT = 8 * 2**30
_LARGEST_RATIO = 200
_RATIO_FROM = 64 * 2**20
_ZSTANDARD = 93  # written by current evaluation tools; zipfile reads it from Python 3.14 on
_LARGEST_WINDOW = 128 * 2**20
_LOCAL_HEADER = struct.Struct("<4s22xHH")
ARCHIVES = (b"PK\x03\x04", b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"7z\xbc\xaf", b"BZh", b"\xfd7zXZ")
"""How archives and compressed files begin."""


class Unpacked(Exception):
    """One member cannot be read; `reason` is the quarantine's code."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


class Archive:
    """A zip file opened for reading; names are keys, never paths.

    Raises:
        Unreadable: bad_zip where it is damaged or cut off, bomb or too_large above the caps (on
            the sizes it declares; a member that holds more than it declares is damaged).
    """

    def __init__(self, source: Source) -> None:
        self._largest = 16 * source.largest_record
        plain = source.compression is None
        self._handle: BinaryIO = source.path.open("rb") if plain else io.BytesIO(source.read())
        try:
            self._zip = zipfile.ZipFile(self._handle)
        except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError) as error:
            self._handle.close()
            detail = f"no whole zip archive ({type(error).__name__}): cut off, or still written"
            raise Unreadable("bad_zip", detail) from error
        # Of members with one name the last counts, as for every reader of zip files.
        self._members = {info.filename: info for info in self._zip.infolist()}
        self.names = tuple(self._members)
        try:
            self._check()
        except Unreadable:
            self.close()
            raise

    def _check(self) -> None:
        size = self._handle.seek(0, io.SEEK_END)
        # Members may share bytes: what counts is what reading them all would give.
        content = sum(info.file_size for info in self._zip.infolist())
        if len(self._zip.infolist()) > _MOST_MEMBERS or content > _LARGEST_CONTENT:
            detail = f"{len(self.names)} members of {content} bytes together"
            raise Unreadable("too_large", detail)
        if content > _RATIO_FROM and content > _LARGEST_RATIO * size:
            detail = (
                f"{size} bytes hold {content}: {content // max(size, 1)} times as many, where "
                f"{_LARGEST_RATIO} are read"
            )
            raise Unreadable("bomb", detail)

    def read(self, name: str) -> bytes:
        """One member's content.

        Raises:
            Unpacked: it is encrypted, an archive itself, too large, or damaged.
        """
        info = self._members[name]
        if info.flag_bits & 0x1:
            raise Unpacked("encrypted", "a member of the archive is encrypted")
        if info.file_size > self._largest:
            detail = f"a member of {info.file_size} bytes, more than {self._largest >> 20} MB"
            raise Unpacked("too_large", detail)
        try:
            if info.compress_type == _ZSTANDARD:
                content = self._zstandard(info)
            else:
                with self._zip.open(info) as member:
                    content = member.read()
        except (
            zipfile.BadZipFile, zlib.error, zstandard.ZstdError, struct.error, EOFError, OSError,
            NotImplementedError, ValueError, RuntimeError,
        ) as error:  # fmt: skip
            detail = f"a damaged member of the archive ({type(error).__name__})"
            raise Unpacked("bad_zip", detail) from error
        if content.startswith(ARCHIVES):
            raise Unpacked("nested_archive", "a member of the archive is an archive itself")
        return content

    def _zstandard(self, info: zipfile.ZipInfo) -> bytes:
        """A member of one or many zstd frames, never more of it than it declares."""
        self._handle.seek(info.header_offset)
        magic, name, extra = _LOCAL_HEADER.unpack(self._handle.read(_LOCAL_HEADER.size))
        if magic != b"PK\x03\x04":
            raise zipfile.BadZipFile("no local header")
        self._handle.seek(name + extra, io.SEEK_CUR)
        packed = io.BytesIO(self._handle.read(info.compress_size))
        decoder = zstandard.ZstdDecompressor(max_window_size=_LARGEST_WINDOW)
        with decoder.stream_reader(packed, read_across_frames=True) as stream:
            content = stream.read(info.file_size + 1)
        if len(content) != info.file_size or zlib.crc32(content) != info.CRC:
            raise zipfile.BadZipFile("content of another size or checksum")
        return content

    def close(self) -> None:
        """Close the file."""
        self._zip.close()
        self._handle.close()

    def __enter__(self) -> Archive:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
