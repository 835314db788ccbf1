"""The redactor: finds what is personal in records, puts surrogates in its place, checks itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal

from pipeline.redaction.audit import find_residue, texts_of
from pipeline.redaction.detection.detectors import Detectors
from pipeline.redaction.detection.rampart import RAMPART_VERSION
from pipeline.redaction.detection.recognizers import PRESIDIO_VERSION, DetectorTimeout
from pipeline.redaction.known.matching import KnownMatcher, PublicNames
from pipeline.redaction.known.shapes import find_alike
from pipeline.redaction.known.values import (
    KnownValue,
    find_known_values,
    find_public_names,
    names_inside,
)
from pipeline.redaction.masking import RecordMask
from pipeline.redaction.notation.json_text import (
    JsonValue,
    Leaf,
    Node,
    close_json,
    leaves,
    open_json,
)
from pipeline.redaction.policy.fields import TRACE_FIELDS, FieldPolicy
from pipeline.redaction.policy.model import PiiPolicy, PolicyRefused
from pipeline.redaction.replacement.keys import SurrogateKey
from pipeline.redaction.replacement.schemes import make_names, scheme_of

if TYPE_CHECKING:
    from presidio_analyzer import EntityRecognizer

__all__ = ["Failure", "Redaction", "Redactor"]

Failure = Literal["exception", "timeout", "oversize", "residual"]
_RULES_VERSION: Final = "caselaw-redaction/3"


@dataclass(frozen=True)
class Redaction:
    """One record redacted, or the reason why it may not pass.

    Attributes:
        value: the record with surrogates; None whenever `failure` is set.
        entity_counts: values masked, by entity, sorted by name.
        failure: reason code, or None.
        detail: which entities or checks failed, in our own words; never text of the record.
    """

    value: JsonValue
    entity_counts: dict[str, int] = field(default_factory=dict)
    failure: Failure | None = None
    detail: str = ""


@dataclass
class _Record:
    """A record on its way: opened, with what it knows; or failed."""

    node: Node = None
    leaves: list[Leaf] = field(default_factory=list)
    known: list[KnownValue] = field(default_factory=list)
    failed: Redaction | None = None


class _Oversize(ValueError):
    """A string or record is beyond the policy's limits."""


class Redactor:
    """Redacts JSON-like records; a record that cannot be redacted for certain fails closed.

    Args:
        policy: what is personal and how it is found.
        key: the key the surrogates are made with.
        fields: fields that pass as they are.
        recognizers: further Presidio recognizers, run last.
        threads: threads for the name detector; the result does not depend on it.

    Attributes:
        detectors: what finds, without masking.
    """

    def __init__(
        self,
        policy: PiiPolicy,
        key: SurrogateKey,
        *,
        fields: FieldPolicy = TRACE_FIELDS,
        recognizers: Sequence[EntityRecognizer] = (),
        threads: int = 2,
    ) -> None:
        for rule in policy.fields:
            if rule.breaks(fields.verbatim):
                raise PolicyRefused(
                    f"PII policy: fields: {rule.path!r} cannot be {rule.action}ed: it holds roles, "
                    "tool names or ids, which make a conversation. Name the fields inside it"
                )
        self.policy = policy
        self.key_id = scheme_of(policy.surrogates, key)
        self._key = key
        self.detectors = Detectors(policy, fields, recognizers, threads)
        self.detector_versions: tuple[str, ...] = tuple(
            sorted({_RULES_VERSION, PRESIDIO_VERSION, RAMPART_VERSION})
        )

    def redact_many(
        self, records: Sequence[JsonValue], scopes: Sequence[str] | None = None
    ) -> list[Redaction]:
        """Redact each record by itself; none depends on its neighbours.

        Args:
            records: JSON-like values, one per trace.
            scopes: the id of each record's trace; what surrogates of scope `trace` hang on.

        Raises:
            ValueError: surrogates are made per trace, and no ids are given.

        Returns:
            As many redactions, in the same order.
        """
        if scopes is None and self.policy.surrogates.scope == "trace":
            raise ValueError("surrogates of scope 'trace' need the ids of the traces")
        opened = [self._open(record) for record in records]
        self.detectors.read_ahead(leaf for record in opened for leaf in record.leaves)
        return [
            record.failed or self._redact(record, scope)
            for record, scope in zip(opened, scopes or [""] * len(opened), strict=True)
        ]

    def _open(self, value: JsonValue) -> _Record:
        try:
            node = open_json(value)
            total, listed = 0, list(leaves(node))
            for leaf in listed:
                if isinstance(leaf.value, str):
                    size = len(leaf.value.encode())  # a lone surrogate raises here
                    total += size
                    if size > self.policy.max_string_chars or total > self.policy.max_record_chars:
                        raise _Oversize
            known = find_known_values(node, self.policy)
            alike = find_alike(listed, known, self.policy)
            guessed = {name for one in alike for name in names_inside(one, self.policy)}
            return _Record(node, listed, sorted({*known, *alike, *guessed}))
        except Exception as error:
            return _Record(failed=_failed(error))

    def _redact(self, record: _Record, scope: str) -> Redaction:
        try:
            counts: Counter[str] = Counter()
            public = PublicNames(find_public_names(record.node, self.policy), record.known)
            known = {*record.known, *self.detectors.learn(record.leaves, public)}
            matcher = KnownMatcher(sorted(known), self.policy)
            names = make_names(self.policy.surrogates, self._key, scope)
            detect = self.detectors.spans
            mask = RecordMask(self.policy, names, matcher, public, detect, counts)
            value = close_json(mask.apply(record.node))
            # opened anew: what is audited is what will be written, whatever notation it is in;
            # sorted without twins: a trace repeats its history, the audit need not
            texts = sorted(set(texts_of(value, self.policy)))
            residue = find_residue(texts, record.known, self.policy, names)
            if residue:
                return Redaction(None, failure="residual", detail=", ".join(sorted(residue)))
            return Redaction(value, dict(sorted(counts.items())))
        except Exception as error:
            return _failed(error)


def _failed(error: Exception) -> Redaction:
    """Name what went wrong by its class alone: its message may quote the record."""
    if isinstance(error, _Oversize):
        return Redaction(None, failure="oversize", detail="a string or the record is too long")
    reason: Failure = (
        "timeout" if isinstance(error, DetectorTimeout | TimeoutError) else "exception"
    )
    return Redaction(None, failure=reason, detail=type(error).__name__)
