"""The redactor: finds what is personal in records, puts surrogates in its place, checks itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal

from pipeline.redaction.audit import find_residue
from pipeline.redaction.detecting import Detectors
from pipeline.redaction.fields import TRACE_FIELDS, FieldPolicy
from pipeline.redaction.json_text import JsonValue, Node, close_json, leaves, open_json
from pipeline.redaction.keys import SurrogateKey
from pipeline.redaction.known import KnownValue, find_known_values, find_public_names
from pipeline.redaction.masking import RecordMask
from pipeline.redaction.matching import KnownMatcher, PublicNames
from pipeline.redaction.policy import PiiPolicy
from pipeline.redaction.rampart import RAMPART_VERSION
from pipeline.redaction.recognizers import PRESIDIO_VERSION, DetectorTimeout
from pipeline.redaction.surrogates import Surrogates

if TYPE_CHECKING:
    from presidio_analyzer import EntityRecognizer

__all__ = ["Failure", "Redaction", "Redactor"]

Failure = Literal["exception", "timeout", "oversize", "residual"]
_RULES_VERSION: Final = "caselaw-redaction/2"


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
        self.policy = policy
        self.key_id = key.key_id
        self._names = Surrogates(key)
        self.detectors = Detectors(policy, fields, recognizers, threads)
        self.detector_versions: tuple[str, ...] = tuple(
            sorted({_RULES_VERSION, PRESIDIO_VERSION, RAMPART_VERSION})
        )

    def redact_many(self, records: Sequence[JsonValue]) -> list[Redaction]:
        """Redact each record by itself; none depends on its neighbours.

        Args:
            records: JSON-like values, one per trace.

        Returns:
            As many redactions, in the same order.
        """
        opened = [self._open(record) for record in records]
        self.detectors.read_ahead(record.node for record in opened if record.failed is None)
        return [record.failed or self._redact(record) for record in opened]

    def _open(self, value: JsonValue) -> _Record:
        try:
            node = open_json(value)
            total = 0
            for leaf in leaves(node):
                if isinstance(leaf.value, str):
                    size = len(leaf.value.encode())  # a lone surrogate raises here
                    total += size
                    if size > self.policy.max_string_chars or total > self.policy.max_record_chars:
                        raise _Oversize
            return _Record(node, find_known_values(node, self.policy))
        except Exception as error:
            return _Record(failed=_failed(error))

    def _redact(self, record: _Record) -> Redaction:
        try:
            counts: Counter[str] = Counter()
            public = PublicNames(find_public_names(record.node, self.policy), record.known)
            known = {*record.known, *self.detectors.learn(record.node, public)}
            matcher = KnownMatcher(sorted(known), self.policy)
            detect = self.detectors.spans
            mask = RecordMask(self.policy, self._names, matcher, public, detect, counts)
            node = mask.apply(record.node)
            # sorted without twins: a trace repeats its history, the audit need not
            texts = sorted({str(leaf.value) for leaf in leaves(node)})
            residue = find_residue(texts, record.known, self.policy)
            if residue:
                return Redaction(None, failure="residual", detail=", ".join(sorted(residue)))
            return Redaction(close_json(node), dict(sorted(counts.items())))
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
