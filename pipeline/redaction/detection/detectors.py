"""The detectors of one policy: what they find in a text, however long, and remember."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Final

from pipeline.redaction.detection.gates import gate
from pipeline.redaction.detection.rampart import load_rampart
from pipeline.redaction.detection.recognizers import as_presidio, build_recognizers, run_recognizer
from pipeline.redaction.detection.segments import chunks
from pipeline.redaction.known.matching import KnownMatcher, PublicNames
from pipeline.redaction.known.values import KnownValue, find_known_values, learn
from pipeline.redaction.notation.json_text import Leaf
from pipeline.redaction.policy.fields import FieldPolicy
from pipeline.redaction.policy.model import PiiPolicy, squeeze
from pipeline.redaction.spans import Span, merge

if TYPE_CHECKING:
    from presidio_analyzer import EntityRecognizer

__all__ = ["Detectors", "in_chunks"]

_REMEMBERED: Final = 300_000  # texts; beyond it the memory starts anew
_WORDS: Final = re.compile(r"[^\W\d_]{2}.*\s.*[^\W\d_]{2}", re.DOTALL)
_REMEMBERED_CHARS: Final = 20_000  # a longer text hardly comes twice


class Detectors:
    """Pattern recognizers and the name detector, gated by the policy.

    Args:
        policy: what is personal and how it is found.
        fields: fields that pass as they are.
        recognizers: further Presidio recognizers, run last.
        threads: threads for the name detector; the result does not depend on it.
    """

    def __init__(
        self,
        policy: PiiPolicy,
        fields: FieldPolicy,
        recognizers: Sequence[EntityRecognizer] = (),
        threads: int = 2,
    ) -> None:
        self._policy = policy
        self._fields = fields
        self._rampart = load_rampart(threads)
        self._patterns = [*build_recognizers(policy), *recognizers]
        self._ner = as_presidio(self._rampart, policy)
        # what stands under a telling key is masked as a whole: no need to guess at it. Of a
        # payment's id the kind stays, so there is.
        self._unread = policy.quiet_keys | {
            key
            for key, entity in policy.entity_of_key.items()
            if policy.rule(entity).enabled and entity != "PAYMENT_ID"
        }
        self._memo: dict[tuple[str, bool], tuple[Span, ...]] = {}

    def read_ahead(self, found: Iterable[Leaf]) -> None:
        """Let the name detector begin with all new texts: same spans, both cores."""
        if len(self._memo) > _REMEMBERED:
            self._memo.clear()
        texts = (
            leaf.value
            for leaf in found
            if isinstance(leaf.value, str)
            and self._is_prose(leaf)
            and (leaf.value, True) not in self._memo
        )
        try:
            self._rampart.read(texts)
        except Exception:  # the text at fault fails its own record when it is read alone
            return

    def learn(self, found: Iterable[Leaf], public: PublicNames) -> Iterator[KnownValue]:
        """Yield full names and streets seen for certain in one place: they count everywhere."""
        for leaf in found:
            if isinstance(leaf.value, str) and self._is_prose(leaf):
                yield from learn(leaf.value, public.drop(leaf.value, self.spans(leaf)))

    def spans(self, leaf: Leaf) -> Sequence[Span]:
        """Return the spans in a leaf by everything but the known values.

        Raises:
            DetectorTimeout: a pattern took too long.
        """
        rule = self._policy.field_rule(leaf.path)
        kept = rule is not None and rule.action == "keep"
        if (kept or self._fields.is_verbatim(leaf.path)) and not leaf.is_key:
            return ()
        text, prose = str(leaf.value), self._is_prose(leaf)
        found = self._memo.get((text, prose))
        if found is None:
            found = tuple(in_chunks(text, lambda part: self._detect(part, prose)))
            if len(text) <= _REMEMBERED_CHARS:
                self._memo[text, prose] = found
        return found

    def find(self, text: str) -> list[Span]:
        """Return what would be masked in a text that stands alone, read as prose."""
        known = find_known_values(text, self._policy)
        public = PublicNames((), known)
        learned = self.learn([Leaf((), text)], public)
        matcher = KnownMatcher(sorted({*known, *learned}), self._policy)
        seen = public.drop(text, self.spans(Leaf((), text)))
        return merge([*in_chunks(text, matcher.spans), *seen])

    def _detect(self, text: str, prose: bool) -> list[Span]:
        spans = [
            span
            for recognizer in (*self._patterns, *((self._ner,) if prose else ()))
            for span in run_recognizer(recognizer, text, self._policy.regex_timeout_seconds)
        ]
        return gate(text, spans, self._policy)

    def _is_prose(self, leaf: Leaf) -> bool:
        if leaf.is_key:  # `Ada Lovelace` may be a name, `first_name` is a word of the agent's
            return bool(_WORDS.search(str(leaf.value)))
        return not (
            self._policy.field_rule(leaf.path) is not None
            or self._fields.is_verbatim(leaf.path)
            or self._fields.is_exact(leaf.path)
            or (leaf.path and squeeze(leaf.path[-1]) in self._unread)
        )


def in_chunks(text: str, find: Callable[[str], Iterable[Span]]) -> list[Span]:
    """Find spans in a text of any length, so that time grows with it and no faster.

    Chunks share more than an entity is long: what one cuts is whole in its neighbour, and the
    spans of both count.
    """
    parts = chunks(text)
    if len(parts) == 1:
        return list(find(text))
    found = {
        Span(s.start + base, s.end + base, s.entity, s.score, s.canonical)
        for base, part in parts
        for s in find(part)
    }
    return sorted(found, key=lambda s: (s.start, s.end, s.entity, s.score, s.canonical or ""))
