"""Names for modes that no person has named yet, from the terms that tell them apart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from pipeline.clustering import distinctive_terms
from pipeline.failures.signatures import Signature, words
from pipeline.registry import UNKNOWN

__all__ = ["name_modes"]

_SHARE = 0.5  # of a mode's failures that a term must be true of, to stand in its name


def name_modes(members: Mapping[str, Mapping[Signature, int]]) -> dict[str, str]:
    """Name each mode by what went wrong and where: "wrong tool: track_parcel, get_order".

    Args:
        members: for every mode id, its signatures and how many failures each had.

    What went wrong is the error class most failures share, else the check. It is followed by
    the most distinctive intents and subjects that hold for half of the failures, or by how
    many intents it spans. Two modes of one name are told apart by the end of their ids.
    """
    terms = {
        mode: Counter(
            term for found, n in counts.items() for term in _places(found) for _ in range(n)
        )
        for mode, counts in members.items()
    }
    ranked = distinctive_terms(terms)
    names = {
        mode: _name(counts, [term for term, _ in ranked[mode]])
        for mode, counts in sorted(members.items())
    }
    often = Counter(names.values())
    return {
        mode: name if often[name] == 1 else f"{name} ({mode[-4:]})" for mode, name in names.items()
    }


def _name(counts: Mapping[Signature, int], ranked: Sequence[str]) -> str:
    total = sum(counts.values())
    what = _most_common(Counter(_what(found) for found, n in counts.items() for _ in range(n)))
    covered: Counter[str] = Counter()
    for found, n in counts.items():
        for term in _places(found):
            covered[term] += n
    where = [term for term in ranked if covered[term] >= _SHARE * total][:2]
    # intent before subject, whatever their weights: "track_parcel, get_order"
    where.sort(key=lambda term: (not term.startswith("intent "), term))
    spans = len({found.intent for found in counts})
    if not any(term.startswith("intent ") for term in where) and spans > 1:
        where.insert(0, f"in {spans} intents")
    shown = [term.partition(" ")[2] if not term.startswith("in ") else term for term in where]
    return f"{what}: {', '.join(shown)}" if shown else what


def _what(signature: Signature) -> str:
    check, error = words(signature.check), words(signature.error_class)
    if not error or error == check:
        return check
    return error if set(check.split()) & set(error.split()) else f"{check}, {error}"


def _places(signature: Signature) -> list[str]:
    unplanned = signature.intent == UNKNOWN
    intent = "intent requests nobody planned for" if unplanned else f"intent {signature.intent}"
    return [intent, f"subject {signature.subject}"] if signature.subject else [intent]


def _most_common(counts: Counter[str]) -> str:
    return min(counts, key=lambda term: (-counts[term], term))
