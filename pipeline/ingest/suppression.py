"""Who was erased, as keyed digests alone: what keeps them out of everything read afterwards.

`privacy/suppressed.jsonl` holds one JSON object a line, for a user, a session or a trace its
digest, for a case of the suite its id (itself a keyed digest). Nothing ever cleans it. A digest is
HMAC-SHA256 under a subkey of the content key, of the id as `raw_traces` shows it: so both what
lands and what was published can be compared with the list, and nobody can read an id out of it.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import orjson

from pipeline.datadir import DataDir
from pipeline.files import make_directory, replace_file
from pipeline.ids import keyed_digest
from pipeline.ingest.id_words import words_of
from pipeline.ingest.safety import folded, safe_id

__all__ = [
    "Kind",
    "Suppression",
    "SuppressionBroken",
    "add_entries",
    "erased_cases",
    "read_suppression",
]

Kind = Literal["user", "session", "trace"]


class SuppressionBroken(RuntimeError):
    """The list of who was erased cannot be trusted; nothing is read without it."""


@dataclass(frozen=True)
class Suppression:
    """The list, with the keys that compare ids with it; an empty one is false.

    Attributes:
        key: of the digests, the content key's subkey `suppression`.
        id_key: of ids in `raw_traces`, the content key's subkey `user`.
        names: "kind:digest" of everyone on the list.
        spoken: ids as the application writes them, where they are known: to an erasure alone.
    """

    key: bytes = field(repr=False)
    id_key: bytes = field(repr=False)
    names: frozenset[str] = frozenset()
    spoken: frozenset[str] = field(default=frozenset(), repr=False)

    def __bool__(self) -> bool:
        return bool(self.names)

    def plus(self, names: Iterable[str], spoken: Iterable[str] = ()) -> Suppression:
        """The list with more names on it, in memory."""
        return replace(
            self, names=self.names | frozenset(names), spoken=self.spoken | frozenset(spoken)
        )

    def form(self, kind: Kind, value: str) -> str:
        """An id as `raw_traces` shows it, given as the application writes it."""
        if kind == "user":
            return keyed_digest(self.id_key, "user", value)
        return str(safe_id(folded(value) if kind == "trace" else value, self.id_key))

    def name(self, kind: Kind, form: str) -> str:
        """What stands on the list for an id that has the form of `raw_traces`."""
        return _name(self.key, kind, form)

    def covers(self, kind: Kind, form: str | None) -> bool:
        """Whether an id that has the form of `raw_traces` is on the list."""
        return form is not None and self.name(kind, form) in self.names

    def found_in(
        self, traces: Iterable[str], sessions: Iterable[str | None], users: Iterable[str | None]
    ) -> frozenset[str]:
        """The names of those of a conversation's ids, as they landed, that are on the list."""
        given: list[tuple[Kind, str | None]] = [("trace", one) for one in traces]
        given += [("session", one) for one in sessions]
        given += [("user", one) for one in users]
        named = (self.name(kind, self.form(kind, value)) for kind, value in given if value)
        return self.names.intersection(named)

    def found_in_text(self, payload: bytes) -> frozenset[str]:
        """The names of those whose id stands somewhere in a text, such as a broken record.

        An id counts where it is a word, or all that stands between two quotes; one that is spoken
        counts wherever it stands by itself.
        """
        if not self:
            return frozenset()
        words = words_of(payload.decode("utf-8", "replace"), self.spoken)
        return self.found_in(words, words, words)

    def found_in_name(self, name: str) -> bool:
        """Whether the name of a file tells of somebody on the list."""
        parts = re.split(r"[/.\s]+|--+", name)
        return bool(self.found_in_text(" ".join((*parts, name)).encode()))


@lru_cache(maxsize=1 << 16)
def _name(key: bytes, kind: Kind, form: str) -> str:
    return f"{kind}:{hmac.digest(key, f'{kind}/{form}'.encode(), 'sha256').hex()}"


def read_suppression(place: DataDir, key: bytes, id_key: bytes) -> Suppression:
    """Read the list; where there is none, nobody was erased.

    Raises:
        SuppressionBroken: a line cannot be read, or was written under another content key.
    """
    mine = _key_id(key)
    names = set()
    for number, entry in enumerate(_entries(place), 1):
        if entry["kind"] == "case":
            continue
        if entry["key_id"] != mine:
            raise SuppressionBroken(
                f"{_path(place)}: line {number} was written under another content key, so that "
                "nobody on the list would be recognised; nothing was read. Put back "
                "keys/content.key (or CASELAW_CONTENT_KEY) as it was, then run the same again"
            )
        names.add(f"{entry['kind']}:{entry['digest']}")
    return Suppression(key, id_key, frozenset(names))


def erased_cases(place: DataDir) -> frozenset[str]:
    """The ids of cases that went with somebody: the suite never uses them again.

    Raises:
        SuppressionBroken: a line cannot be read.
    """
    return frozenset(entry["id"] for entry in _entries(place) if entry["kind"] == "case")


def add_entries(
    place: DataDir, listed: Suppression, names: Iterable[str], cases: Iterable[str], receipt: str,
    on: str,
) -> None:  # fmt: skip
    """Put names and case ids on the list, all of them or none; what stands there stays.

    Args:
        place: the data directory.
        listed: the list as it was read.
        names: "kind:digest" each.
        cases: ids of cases.
        receipt: the id of the erasure's receipt.
        on: its date.
    """
    more: list[dict[str, Any]] = []
    common = {"reason": "erased", "receipt": receipt, "on": on}
    for kind, _, digest in (name.partition(":") for name in sorted(set(names) - listed.names)):
        more.append({"kind": kind, "digest": digest, "key_id": _key_id(listed.key)} | common)
    more += [{"kind": "case", "id": c} | common for c in sorted(set(cases) - erased_cases(place))]
    if not more:
        return
    path = _path(place)
    make_directory(path.parent, private=True)
    before = path.read_bytes() if path.exists() else b""
    with replace_file(path, 0o600) as temporary:
        temporary.write_bytes(before + b"".join(orjson.dumps(e) + b"\n" for e in more))


def _entries(place: DataDir) -> list[Mapping[str, Any]]:
    try:
        lines = _path(place).read_bytes().splitlines()
    except FileNotFoundError:
        return []
    found = []
    for number, line in enumerate(lines, 1):
        try:
            entry = orjson.loads(line)
            wanted = ("id",) if entry["kind"] == "case" else ("digest", "key_id")
            sound = all(isinstance(entry[name], str) for name in ("kind", *wanted))
        except (orjson.JSONDecodeError, KeyError, TypeError):
            sound = False
        if not sound:
            raise SuppressionBroken(
                f"{_path(place)}: line {number} cannot be read, so that it is not known who was "
                "erased; nothing was read. Put the file back from a backup, or take the line out "
                "and erase again whom it was for"
            )
        found.append(entry)
    return found


def _path(place: DataDir) -> Path:
    return place.privacy / "suppressed.jsonl"


def _key_id(key: bytes) -> str:
    return hmac.digest(key, b"key-id", "sha256").hex()[:12]
