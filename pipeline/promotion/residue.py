"""A last look at the text of a case: what has the shape of personal data keeps it from the suite.

Cases are made from redacted traces alone. This looks all the same, since a case leaves the lake for
a file that goes into somebody's repository, and holds words that never went through redaction: a
mode's name as a person gave it, a rule's title.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from pipeline.redaction import Names, PiiPolicy
from pipeline.redaction.audit import find_residue

__all__ = ["Residue", "case_texts", "residue_finder"]

Residue = Callable[[Sequence[str]], frozenset[str]]
"""From texts to the entities that show in them."""


def residue_finder(policy: PiiPolicy | None = None, names: Names | None = None) -> Residue:
    """The audit of redacted records, by shape alone.

    Args:
        policy: what is personal; None: as the policy without a word in it says.
        names: tells surrogates that keep the form of a value; None: only typed ones are told.
    """
    own = policy or PiiPolicy()
    return lambda texts: find_residue(texts, (), own, names)


def case_texts(case: Mapping[str, Any]) -> list[str]:
    """Every text of a case but for the ids and digests in its provenance, sorted, once each."""
    provenance = case.get("provenance") or {}
    body = {name: value for name, value in case.items() if name not in ("id", "provenance")}
    spoken = [provenance.get("reason"), provenance.get("release")]
    return sorted({*_texts(body), *_texts(spoken)})


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for name, item in value.items():
            yield str(name)
            yield from _texts(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _texts(item)
