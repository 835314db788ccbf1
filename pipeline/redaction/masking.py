"""Mask one record: values under telling keys as a whole, all other text span by span."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from pipeline.redaction.detecting import in_chunks
from pipeline.redaction.json_text import JsonText, Leaf, Node
from pipeline.redaction.known import entity_at
from pipeline.redaction.matching import KnownMatcher, PublicNames
from pipeline.redaction.policy import PiiPolicy, squeeze
from pipeline.redaction.recognizers import luhn
from pipeline.redaction.spans import Span, merge, replace
from pipeline.redaction.surrogates import Surrogates, fold

__all__ = ["RecordMask"]

_TAIL: Final = re.compile(r"(?<![A-Za-z0-9])\d{5,}$")


class RecordMask:
    """Rewrites one record; knows its known values and counts what it masks."""

    def __init__(
        self,
        policy: PiiPolicy,
        names: Surrogates,
        matcher: KnownMatcher,
        public: PublicNames,
        detect: Callable[[Leaf], Sequence[Span]],
        counts: Counter[str],
    ) -> None:
        self._policy = policy
        self._names = names
        self._matcher = matcher
        self._public = public
        self._detect = detect
        self._counts = counts

    def apply(self, node: Node, path: tuple[str, ...] = (), entity: str | None = None) -> Node:
        """Return a copy of `node` with surrogates; shape, order and JSON types stay.

        Args:
            node: an opened record, or a part of one.
            path: the keys down to it.
            entity: what the key above says the value is.
        """
        if isinstance(node, JsonText):
            value = self.apply(node.value, path)
            unchanged = value == node.value
            return node if unchanged else JsonText(value, "", node.separators, node.ascii_only)
        if isinstance(node, Mapping):
            return self._mapping(node, path)
        if isinstance(node, list):
            return [self.apply(item, (*path, "*"), entity) for item in node]
        if isinstance(node, str):
            return (
                self._under_key(node, entity) if entity and node else self._text(Leaf(path, node))
            )
        if isinstance(node, int | float) and not isinstance(node, bool):
            return self._number(node, entity)
        return node

    def _mapping(self, node: Mapping[str, Node], path: tuple[str, ...]) -> dict[str, Node]:
        siblings = [squeeze(key) for key in node]
        keyed = self._policy.entity_of_map.get(squeeze(path[-1])) if path else None
        masked: dict[str, Node] = {}
        for key, item in node.items():
            below = (*path, key)
            if keyed and isinstance(item, Mapping | JsonText):
                new_key = self._under_key(key, keyed)
            else:
                new_key = self._text(Leaf(below, key, is_key=True))
            count = 2
            while new_key in masked:  # keys that differ by case alone share a surrogate
                new_key, count = f"{new_key.rpartition('#')[0] or new_key}#{count}", count + 1
            found = entity_at(self._policy, below, siblings)
            if found and not self._policy.rule(found).enabled:
                found = None
            masked[new_key] = self.apply(item, below, found)
        return masked

    def _under_key(self, value: str, entity: str) -> str:
        """Mask a value whose key says what it is, whatever it looks like."""
        if not any(c.isalnum() for c in value):
            return value
        if entity == "PAYMENT_ID" and (tail := _TAIL.search(value)):
            spans = [Span(tail.start(), tail.end(), entity)]
        else:
            start = len(value) - len(value.lstrip())
            canonical = fold(value.strip()) if entity == "DATE_OF_BIRTH" else None
            spans = [Span(start, len(value.rstrip()), entity, 1.0, canonical)]
        return replace(value, spans, self._names, self._counts, self._policy.allowed)

    def _text(self, leaf: Leaf) -> str:
        text = str(leaf.value)
        if not text or text.isspace():
            return text
        known = in_chunks(text, self._matcher.spans)
        spans = merge([*known, *self._public.drop(text, self._detect(leaf))])
        return replace(text, spans, self._names, self._counts, self._policy.allowed)

    def _number(self, number: int | float, entity: str | None) -> int | float:
        text = str(abs(number))
        known = self._matcher.spans(text) if isinstance(number, int) else []
        whole = [span for span in known if (span.start, span.end) == (0, len(text))]
        if whole:
            entity = whole[0].entity
        elif entity is None and len(text) in (15, 16) and text[0] in "3456" and luhn(text):
            entity = "CREDIT_CARD"
        if entity is None:
            return number
        self._counts[entity] += 1
        masked = self._names.number(entity, int(number))
        return float(masked) if isinstance(number, float) else masked
