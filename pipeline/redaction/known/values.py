"""What a trace itself knows: values under telling JSON keys, to be masked everywhere in it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from pipeline.redaction.notation.json_text import JsonText, Node, Passage
from pipeline.redaction.policy.model import PiiPolicy, squeeze
from pipeline.redaction.spans import Span

__all__ = [
    "KnownValue",
    "entity_at",
    "find_known_values",
    "find_public_names",
    "learn",
    "names_inside",
    "siblings_of",
]

_PAIR: Final = re.compile(
    r"""["']?(?P<key>[A-Za-z][A-Za-z0-9_]{2,30})["']?\s{0,3}[:=]\s{0,3}
        (?:"(?P<a>[^"\n]{1,120})"|'(?P<b>[^'\n]{1,120})')""",
    re.VERBOSE,
)
_PERSON_LIKE: Final = re.compile(r"[^\W\d_](?:[^\d_@#/\\{}<>:;]{0,60})")
_NAME_IN_ID: Final = re.compile(r"([a-z]{2,})[_.\-]([a-z]{2,})[_.\-]?\d{2,}", re.IGNORECASE)
_NAME_IN_EMAIL: Final = re.compile(r"([a-z]{2,})[._\-]([a-z]{2,})\d*", re.IGNORECASE)
_PARTS: Final = frozenset(
    {"firstname", "givenname", "forename", "lastname", "surname", "familyname"}
)
_BESIDE: Final = frozenset({"email", "dob", "dateofbirth", "phone", "phonenumber", "lastname"})
_CERTAIN: Final = 0.9
_PLACEHOLDERS: Final = frozenset(
    {"", "null", "none", "nil", "n/a", "na", "unknown", "true", "false", "string", "undefined", "-"}
)


@dataclass(frozen=True, slots=True, order=True)
class KnownValue:
    """A personal value that a trace states under a telling key.

    Attributes:
        entity: its type.
        value: the value as written.
        sure: False for a name guessed from an id or an e-mail address.
    """

    entity: str
    value: str
    sure: bool = True


def entity_at(policy: PiiPolicy, path: tuple[str, ...], siblings: Iterable[str]) -> str | None:
    """Say which entity the value at `path` is, by its key and surroundings; None if unknown.

    Args:
        policy: names the keys.
        path: keys down to the value; `*` stands for a list index and is passed over.
        siblings: the squeezed keys beside the value.
    """
    rule = policy.field_rule(path)
    if rule is not None and rule.action in ("keep", "mask"):
        return rule.entity if rule.action == "mask" else None
    keys = [squeeze(key) for key in path if key != "*"]
    if not keys:
        return None
    key, parent = keys[-1], keys[-2] if len(keys) > 1 else ""
    if key == "id":
        grandparent = keys[-3] if len(keys) > 2 else ""
        found = policy.entity_of_map.get(grandparent) or policy.entity_of_map.get(parent)
        return found or policy.entity_of_key.get(f"{parent}id")
    if key in ("name", "displayname") and (
        parent in policy.person_parent_set or not _BESIDE.isdisjoint(siblings)
    ):
        return "PERSON"
    return policy.entity_of_key.get(key)


def find_known_values(node: Node, policy: PiiPolicy) -> list[KnownValue]:
    """Collect the personal values that a record states under its keys, sorted and without twins.

    Args:
        node: a record with its JSON strings opened.
        policy: names the keys.
    """
    found = set(_walk(node, policy, ()))
    found |= {name for known in found for name in names_inside(known, policy)}
    return sorted(found)


def siblings_of(passage: Passage) -> list[str]:
    """The squeezed names that the query strings of a passage give to values."""
    return [squeeze(part.key) for part in passage.parts if part.key]


def find_public_names(node: Node, policy: PiiPolicy, path: tuple[str, ...] = ()) -> set[str]:
    """Collect the names of things (products, brands) that a record states under their keys."""
    found: set[str] = set()
    if isinstance(node, JsonText):
        return find_public_names(node.value, policy, path)
    if isinstance(node, Passage):
        return found.union(*(find_public_names(part.value, policy, path) for part in node.parts))
    if isinstance(node, list):
        return found.union(*(find_public_names(item, policy, (*path, "*")) for item in node))
    if isinstance(node, Mapping):
        squeezed = {squeeze(key): key for key in node}
        public = policy.public_keys & squeezed.keys()
        for short, key in squeezed.items():
            item = node[key]
            named = short in public or (public and short in ("name", "displayname"))
            if (
                isinstance(item, str)
                and named
                and entity_at(policy, (*path, key), squeezed) is None
            ):
                found.add(item.strip())
            found |= find_public_names(item, policy, (*path, key))
    return {name for name in found if 3 < len(name) <= 80}


def _walk(node: Node, policy: PiiPolicy, path: tuple[str, ...]) -> Iterator[KnownValue]:
    if isinstance(node, JsonText):
        yield from _walk(node.value, policy, path)
    elif isinstance(node, list):
        for item in node:
            yield from _walk(item, policy, (*path, "*"))
    elif isinstance(node, Mapping):
        squeezed = {squeeze(key): key for key in node}
        yield from _full_name(node, squeezed)
        map_entity = policy.entity_of_map.get(squeeze(path[-1])) if path else None
        for key, item in node.items():
            if map_entity and isinstance(item, Mapping | JsonText):
                yield from _value(map_entity, key)
            entity = entity_at(policy, (*path, key), squeezed)
            for one in item if isinstance(item, list) else (item,):
                yield from _stated(entity, one)
            yield from _walk(item, policy, (*path, key))
    elif isinstance(node, Passage):
        yield from _pairs(node.prose, policy)
        siblings = siblings_of(node)
        for part in node.parts:
            below = (*path, part.key) if part.key else path
            yield from _stated(entity_at(policy, below, siblings) if part.key else None, part.value)
            yield from _walk(part.value, policy, below)
    elif isinstance(node, str):
        yield from _pairs(node, policy)


def _pairs(text: str, policy: PiiPolicy) -> Iterator[KnownValue]:
    for pair in _PAIR.finditer(text):
        entity = policy.entity_of_key.get(squeeze(pair["key"]))
        if entity:
            yield from _value(entity, pair["a"] or pair["b"])


def _stated(entity: str | None, item: Node) -> Iterator[KnownValue]:
    """The value under a telling key, where it is a text or a whole number."""
    if entity and isinstance(item, Passage):
        item = item.text
    if entity and isinstance(item, str | int) and not isinstance(item, bool):
        yield from _value(entity, str(item))


def _full_name(node: Mapping[str, Node], squeezed: Mapping[str, str]) -> Iterator[KnownValue]:
    """First and last name of one object make one person."""
    parts = [node[key] for short, key in squeezed.items() if short in _PARTS]
    if len(parts) > 1 and all(isinstance(part, str) and part.strip() for part in parts):
        yield KnownValue("PERSON", " ".join(str(part).strip() for part in parts))


def _value(entity: str, value: str) -> Iterator[KnownValue]:
    value = value.strip()
    if value.casefold() in _PLACEHOLDERS or len(value) > 200:
        return
    if entity == "PERSON" and not _PERSON_LIKE.fullmatch(value):
        return
    yield KnownValue(entity, value)


def learn(text: str, spans: Sequence[Span]) -> Iterator[KnownValue]:
    """Yield the full names and streets that a detector is sure of, to be masked elsewhere too."""
    for index, span in enumerate(spans):
        value = text[span.start : span.end]
        if span.score < _CERTAIN:
            continue
        if span.entity == "PERSON":
            after = spans[index + 1] if index + 1 < len(spans) else None
            if after and after.entity == "PERSON" and text[span.end : after.start] == " ":
                value = text[span.start : after.end]
            words = value.split()
            if 2 <= len(words) <= 4 and all(w[:1].isupper() and w[1:2].islower() for w in words):
                yield KnownValue("PERSON", value, sure=False)
        elif span.entity == "ADDRESS" and " " in value and any(c.isdigit() for c in value):
            yield KnownValue("ADDRESS", value, sure=False)


def names_inside(known: KnownValue, policy: PiiPolicy) -> Iterator[KnownValue]:
    """`mia_li_3668` and `mia.li38@example.com` say that someone may be called Mia Li."""
    if known.entity == "USER_ID":
        match = _NAME_IN_ID.fullmatch(known.value)
    elif known.entity == "EMAIL_ADDRESS":
        match = _NAME_IN_EMAIL.fullmatch(known.value.partition("@")[0])
    else:
        return
    if match and not {part.casefold() for part in match.groups()} & policy.allowed:
        yield KnownValue("PERSON", f"{match[1]} {match[2]}", sure=False)
