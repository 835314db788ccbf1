"""The terms that tell one group of texts from the others."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping

__all__ = ["distinctive_terms"]


def distinctive_terms(classes: Mapping[str, Counter[str]]) -> dict[str, list[tuple[str, float]]]:
    """Rank each class's terms by class-based TF-IDF, best first, ties by the alphabet.

    weight(t, c) = share of t in c * ln(1 + A / f(t)), with f(t) the count of t in all classes
    and A the mean number of terms in a class (Grootendorst 2022, arXiv 2203.05794).
    """
    overall: Counter[str] = Counter()
    for counts in classes.values():
        overall.update(counts)
    average = sum(overall.values()) / max(len(classes), 1)
    ranked = {}
    for name, counts in classes.items():
        total = sum(counts.values())
        weighted = [
            (term, round(n / total * math.log(1 + average / overall[term]), 9))
            for term, n in counts.items()
        ]
        ranked[name] = sorted(weighted, key=lambda item: (-item[1], item[0]))
    return ranked
