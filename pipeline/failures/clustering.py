"""Groups of like vectors: average linkage with a floor, no noise points, no randomness."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from pipeline.failures.signatures import Signature
from pipeline.failures.vectors import Matrix
from pipeline.registry import UNKNOWN

__all__ = ["group_signatures", "group_vectors"]

_LARGEST = 5000  # rows in one distance matrix: 200 MB


def group_vectors(vectors: Matrix, similarity: float) -> list[int]:
    """Label rows so that groups whose mean pairwise cosine reaches `similarity` are one.

    The rows' order settles ties, so callers sort them by something of their own. Similarities
    are rounded to 6 decimals: the BLAS and its threads cannot tip one over the floor.
    """
    if len(vectors) < 2:
        return [0] * len(vectors)
    from sklearn.cluster import AgglomerativeClustering

    distances = np.round(1.0 - np.clip(vectors @ vectors.T, -1.0, 1.0), 6)
    np.fill_diagonal(distances, 0.0)
    model = AgglomerativeClustering(
        n_clusters=None,
        metric="precomputed",
        linkage="average",
        distance_threshold=round(1.0 - similarity, 6) + 1e-9,
    )
    return [int(label) for label in model.fit_predict(distances)]


def group_signatures(
    signatures: Sequence[Signature], vectors: Matrix, similarity: float
) -> list[list[int]]:
    """Group row numbers of like signatures; the rows must be sorted by signature key.

    Traffic of unknown intent never shares a group with planned traffic: what nobody planned for
    must not vanish in the failures of what was. More signatures than fit a distance matrix are
    first divided by check and error class, then by intent, which hardly ever share a group.
    """
    known = [n for n, found in enumerate(signatures) if found.intent != UNKNOWN]
    unknown = [n for n, found in enumerate(signatures) if found.intent == UNKNOWN]
    groups: list[list[int]] = []
    for rows in (known, unknown):
        for part in _parts(rows, signatures):
            labels = group_vectors(vectors[part], similarity)
            found: dict[int, list[int]] = {}
            for row, label in zip(part, labels, strict=True):
                found.setdefault(label, []).append(row)
            groups += found.values()
    return sorted(groups)


def _parts(rows: list[int], signatures: Sequence[Signature]) -> Iterable[list[int]]:
    if len(rows) <= _LARGEST:
        yield rows
        return
    for by in (("check", "error_class"), ("check", "error_class", "intent")):
        parts: dict[tuple[str, ...], list[int]] = {}
        for row in rows:
            key = tuple(getattr(signatures[row], field) for field in by)
            parts.setdefault(key, []).append(row)
        if max(map(len, parts.values())) <= _LARGEST:
            break
    for key in sorted(parts):
        part = parts[key]
        yield from (part[n : n + _LARGEST] for n in range(0, len(part), _LARGEST))
