"""The two keys of redaction: one names surrogates, one (never rotated) names raw content."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import os
import secrets
import stat
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from pipeline.files import make_directory, sync_directory
from pipeline.ids import canonical_json

__all__ = [
    "CONTENT_KEY_VARIABLE",
    "SURROGATE_KEY_VARIABLE",
    "KeyRefused",
    "SurrogateKey",
    "load_key",
    "replace_key",
]

SURROGATE_KEY_VARIABLE: Final = "CASELAW_SURROGATE_KEY"
CONTENT_KEY_VARIABLE: Final = "CASELAW_CONTENT_KEY"
_MIN_BYTES: Final = 32
_MIN_DISTINCT: Final = 8
_DOMAIN: Final = b"caselaw/redaction/v1/"


class KeyRefused(ValueError):
    """A key is missing, too short, or readable by others; the message says how to mend it."""


@dataclass(frozen=True)
class SurrogateKey:
    """A secret of at least 32 bytes, used only through subkeys for separate purposes.

    Attributes:
        secret: the key's bytes; kept out of `repr`.
    """

    secret: bytes = field(repr=False)

    def __post_init__(self) -> None:
        """Refuse a secret too short, or too regular, to be a key."""
        if len(self.secret) < _MIN_BYTES:
            raise KeyRefused(f"a key has {len(self.secret)} bytes; {_MIN_BYTES} are the least")
        if len(set(self.secret)) < _MIN_DISTINCT:
            raise KeyRefused("a key repeats few bytes; make one with `openssl rand -hex 32`")

    def subkey(self, purpose: str) -> bytes:
        """Derive the 32-byte key of one purpose (HMAC-SHA256): no two purposes share one."""
        return hmac.digest(self.secret, _DOMAIN + purpose.encode(), "sha256")

    @property
    def key_id(self) -> str:
        """Twelve hexadecimal characters that name the key and reveal nothing about it."""
        return self.subkey("key-id").hex()[:12]

    def content_digest(self, value: object) -> str:
        """Digest raw content under the `content` subkey: the same input, the same 32 characters.

        Args:
            value: anything `canonical_json` takes.
        """
        raw = canonical_json(value)
        return hashlib.blake2b(raw, key=self.subkey("content"), digest_size=16).hexdigest()


def load_key(
    path: Path,
    env: Mapping[str, str],
    *,
    create: bool,
    variable: str = SURROGATE_KEY_VARIABLE,
) -> SurrogateKey:
    """Load a key from the environment, else from its 0600 file, else make that file.

    Args:
        path: the key file: 64 or more hexadecimal characters, or text of 32 bytes or more.
        env: the environment; `variable` in it wins over the file.
        create: make the file when it is missing. Two processes that create at once get one key.
        variable: the name of the environment variable.

    Raises:
        KeyRefused: no key, a short one, or a file that group or others may read.
    """
    given = env.get(variable)
    if given:
        try:
            return SurrogateKey(_parse(given))
        except KeyRefused as refused:
            raise KeyRefused(f"environment variable {variable!r}: {refused}") from None
    if create and not path.exists():
        _create(path)
    return _read(path, variable)


def replace_key(path: Path) -> Path:
    """Put a fresh key in the place of the one at `path`; return where the old one lies now.

    There is a key at `path` at every moment.

    Raises:
        KeyRefused: there is no key to replace, or it is open to others.
    """
    old = _read(path, SURROGATE_KEY_VARIABLE)
    retired = path.with_name(f"{path.stem}-{old.key_id}.retired")
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(4)}.new")
    _create(fresh)
    with contextlib.suppress(FileExistsError):
        os.link(path, retired)
    os.replace(fresh, path)
    sync_directory(path.parent)
    return retired


def _parse(text: str) -> bytes:
    text = text.strip()
    if len(text) >= 2 * _MIN_BYTES:
        with contextlib.suppress(ValueError):
            return bytes.fromhex(text)
    return text.encode()


def _read(path: Path, variable: str) -> SurrogateKey:
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0))
    except FileNotFoundError:
        raise KeyRefused(
            f"no key file {str(path)!r}; set {variable} or let the pipeline make it"
        ) from None
    except OSError as error:
        raise KeyRefused(f"key file {str(path)!r} cannot be opened ({error.strerror})") from None
    with os.fdopen(descriptor, "rb") as file:
        mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
        if mode & 0o077:
            raise KeyRefused(
                f"key file {str(path)!r} has mode {mode:04o}: others may read it; "
                f"run `chmod 600 {path}`, and if they may have read it, rotate the key"
            )
        raw = file.read()
    try:
        return SurrogateKey(_parse(raw.decode()))
    except UnicodeDecodeError:
        raise KeyRefused(f"key file {str(path)!r} is not text; write it as hexadecimal") from None
    except KeyRefused as refused:
        raise KeyRefused(f"key file {str(path)!r}: {refused}") from None


def _create(path: Path) -> None:
    """Write a fresh key aside, then link it into place: the first of several writers wins."""
    make_directory(path.parent, private=True)
    descriptor, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)  # mode 0600
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(secrets.token_bytes(32).hex() + "\n")
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(temporary, path)
        sync_directory(path.parent)  # what is made with the key must not outlive it
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from None
    finally:
        os.unlink(temporary)
