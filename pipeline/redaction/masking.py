"""Mask one record: values under telling keys as a whole, all other text span by span."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

from pipeline.redaction.detection.detectors import in_chunks
from pipeline.redaction.detection.recognizers import luhn
from pipeline.redaction.known.matching import KnownMatcher, PublicNames
from pipeline.redaction.known.values import entity_at, siblings_of
from pipeline.redaction.notation.json_text import JsonText, Leaf, Node, Part, Passage, close_json
from pipeline.redaction.policy.model import PiiPolicy, squeeze
from pipeline.redaction.replacement.surrogates import Names, fold
from pipeline.redaction.spans import Span, merge, replace

__all__ = ["RecordMask"]

_TAIL: Final = re.compile(r"(?<![A-Za-z0-9])\d{5,}$")
_AT: Final = re.compile(r"@|%40")


class RecordMask:
    """Rewrites one record; knows its known values and counts what it masks."""

    def __init__(
        self,
        policy: PiiPolicy,
        names: Names,
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
        rule = self._policy.field_rule(path)
        if rule and rule.action == "drop":
            return None
        if rule and rule.action == "mask":
            return self._whole(node, rule.entity)
        if isinstance(node, JsonText):
            value = self.apply(node.value, path)
            return node if value == node.value else JsonText(value, node.text, changed=True)
        if isinstance(node, Mapping):
            return self._mapping(node, path)
        if isinstance(node, list):
            return [self.apply(item, (*path, "*"), entity) for item in node]
        if isinstance(node, Passage):
            return self._under_key(node.text, entity) if entity else self._passage(node, path)
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
            masked[new_key] = self.apply(item, below, self._entity(below, siblings))
        return masked

    def _entity(self, path: tuple[str, ...], siblings: Sequence[str]) -> str | None:
        found = entity_at(self._policy, path, siblings)
        return found if found and self._policy.rule(found).enabled else None

    def _whole(self, node: Node, entity: str) -> Node:
        """Mask every value below, whatever it is; keys, shape and types stay."""
        if isinstance(node, JsonText):
            return JsonText(self._whole(node.value, entity), node.text, changed=True)
        if isinstance(node, Mapping):
            return {key: self._whole(item, entity) for key, item in node.items()}
        if isinstance(node, list):
            return [self._whole(item, entity) for item in node]
        if isinstance(node, Passage):
            return self._under_key(node.text, entity)
        if isinstance(node, str):
            return self._under_key(node, entity)
        if isinstance(node, int | float) and not isinstance(node, bool):
            return self._number(node, entity)
        return node

    def _passage(self, passage: Passage, path: tuple[str, ...]) -> str | Passage:
        """Mask the prose, and what stands in it in other notations; a span of both is cut."""
        siblings = siblings_of(passage)
        # twice where it holds blobs: secrets need what stands before one, names are read without
        readings = dict.fromkeys((passage.prose, passage.words))
        spans = merge(s for text in readings for s in self._spans(text, Leaf(path, text)))
        out, position = [], 0
        for part in passage.parts:
            if any(_is_secret_around(span, part) for span in spans):
                continue  # a token is masked as a whole, whatever it says inside
            written = self._part(part, path, siblings)
            if written is not None:
                spans = list(_outside(passage.text, spans, part))
                out += [self._cut(passage, position, part.start, spans), written]
                position = part.end
        out.append(self._cut(passage, position, len(passage.text), spans))
        masked = "".join(out)
        return passage if masked == passage.text else masked

    def _part(self, part: Part, path: tuple[str, ...], siblings: Sequence[str]) -> str | None:
        """Return a part masked and written as it was; None if nothing in it is personal."""
        below = (*path, part.key) if part.key else path
        entity = self._entity(below, siblings) if part.key else None
        value = self.apply(part.value, below, entity)
        same = value is part.value or value == part.value
        return None if same else part.write(close_json(value))

    def _cut(self, passage: Passage, start: int, end: int, spans: Sequence[Span]) -> str:
        inside = [
            Span(s.start - start, s.end - start, s.entity, s.score, s.canonical)
            for s in spans
            if start <= s.start and s.end <= end
        ]
        text = passage.text[start:end]
        return replace(text, inside, self._names, self._counts, self._policy.allowed)

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
        spans = self._spans(text, leaf)
        return replace(text, spans, self._names, self._counts, self._policy.allowed)

    def _spans(self, text: str, leaf: Leaf) -> list[Span]:
        known = in_chunks(text, self._matcher.spans)
        return merge([*known, *self._public.drop(text, self._detect(leaf))])

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


def _is_secret_around(span: Span, part: Part) -> bool:
    return span.entity == "SECRET" and span.start <= part.start and part.end <= span.end


def _outside(text: str, spans: Sequence[Span], part: Part) -> Iterator[Span]:
    """Cut `spans` to what lies outside a part that was rewritten.

    An e-mail pattern that found its @ inside the part takes the rest of a URL with it; the part
    holds the whole address, so nothing of that span is left to mask.
    """
    for span in spans:
        if span.end <= part.start or part.end <= span.start:
            yield span
            continue
        if span.entity == "EMAIL_ADDRESS" and _AT.search(text, part.start, part.end):
            continue
        if span.start < part.start:
            yield Span(span.start, part.start, span.entity, span.score)
        if part.end < span.end:
            yield Span(part.end, span.end, span.entity, span.score)
