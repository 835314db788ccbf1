"""Names for groups of requests: terms that several of their users said, and few others."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from itertools import pairwise

from pipeline.clustering import distinctive_terms
from pipeline.grading.lexicons import LANGUAGES, words
from pipeline.unknown_intents.requests import Request

__all__ = ["terms_of"]

_WORD = re.compile(r"[^\W\d_]{3,24}")
_MOST = 5
_LIFT = 3.0  # without it, "the" and "order" name a group


def terms_of(
    groups: Mapping[str, Sequence[Request]], others: Iterable[Request], fewest_users: int
) -> dict[str, tuple[str, ...]]:
    """The most distinctive terms of each group, best first, five at most.

    One word or two in a row, no function words, counted once a request, weighed by class-based
    TF-IDF against the other groups and the planned intents, and three times as frequent as among
    these. A term that fewer than `fewest_users` of the group's users said is never shown, so
    nothing that one person wrote can be read off a name.
    """
    others = list(others)
    usual, many = _counts(others), max(len(others), 1)
    classes = {name: _counts(requests) for name, requests in groups.items()}
    planned: dict[str, list[Request]] = defaultdict(list)
    for request in others:
        planned[f"planned {request.intent}"].append(request)
    ranked = distinctive_terms(
        classes | {name: _counts(requests) for name, requests in planned.items()}
    )
    return {
        name: tuple(
            _pick(
                [
                    term
                    for term, _ in ranked[name]
                    if classes[name][term] / len(requests) >= _LIFT * usual[term] / many
                ],
                requests,
                fewest_users,
            )
        )
        for name, requests in groups.items()
    }


def _counts(requests: Iterable[Request]) -> Counter[str]:
    return Counter(term for request in requests for term in _terms(request.text))


def _terms(text: str) -> set[str]:
    said = _WORD.findall(text.lower())
    pairs = (f"{one} {two}" for one, two in pairwise(said) if not {one, two} & _silent())
    return {*(word for word in said if word not in _silent()), *pairs}


@cache
def _silent() -> frozenset[str]:
    """Words that say nothing of a subject, in the five languages."""
    return frozenset().union(*(words(code, "function_words") for code in LANGUAGES))


def _pick(ranked: Sequence[str], requests: Sequence[Request], fewest: int) -> Iterator[str]:
    users: dict[str, set[str]] = defaultdict(set)
    for request in requests:
        for term in _terms(request.text):
            users[term].add(request.user)
    taken: set[str] = set()
    left = _MOST
    for term in ranked:
        words = set(term.split())
        if left and len(users[term]) >= fewest and not words & taken:
            taken |= words
            left -= 1
            yield term
