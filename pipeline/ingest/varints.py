"""Protobuf's numbers of varying length: seven bits a byte, the lowest first."""

from __future__ import annotations

__all__ = ["Broken", "read_varint", "write_varint"]


class Broken(ValueError):
    """Bytes that are no protobuf."""


def read_varint(data: bytes, at: int, end: int) -> tuple[int, int]:
    """A number and where it ends; -1 for the end where the bytes stop before.

    Raises:
        Broken: no number of protobuf's stands there.
    """
    value = shift = 0
    while at < end:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
        if shift > 63:
            raise Broken("a number of more than 64 bits")
    return 0, -1


def write_varint(number: int) -> bytes:
    """The bytes of a number that is not negative."""
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])
