"""Groups of like signatures: average linkage, no noise points, no randomness.

How like two failures must be to share a mode is not set by hand: among floors of the mean cosine
between the pairs that people keep together and those they keep apart (vectors.py), the one under
which resamples of the signatures fall into the same groups is taken. Few signatures tell nothing
of stability; they are grouped at `cluster_similarity`.
"""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.clustering import Cut, choose_cut, grow_tree, to_centres
from pipeline.failures.signatures import Signature
from pipeline.failures.vectors import Matrix
from pipeline.registry import UNKNOWN

__all__ = ["group_signatures", "group_vectors"]

_LARGEST = 1500  # rows in one tree, 18 MB; more are first stood for by as many centres
_CANDIDATES = tuple(Cut(similarity=percent / 100) for percent in range(60, 82, 2))
_FEWEST = 12  # signatures; of fewer, a draw of four fifths shows nothing
_FEWEST_GROUPS = 2


def group_vectors(vectors: Matrix, similarity: float, keys: Sequence[str] = ()) -> list[int]:
    """Label rows so that groups whose mean pairwise cosine reaches a floor are one.

    The rows' order settles ties, so callers sort them by something of their own.

    Args:
        vectors: unit vectors, a row each.
        similarity: the floor where no stable one can be found.
        keys: the rows' own content, to draw resamples by; without it the floor is `similarity`.
    """
    centres, of = to_centres(vectors, _LARGEST)
    cut = Cut(similarity=similarity)
    if keys and len(centres) >= _FEWEST:
        first: dict[int, str] = {}
        for key, centre in zip(keys, of, strict=True):
            first.setdefault(centre, key)
        named = [first[n] for n in range(len(centres))]
        cut = choose_cut(centres, named, _CANDIDATES, "average", cut, _FEWEST_GROUPS).cut
    labels = grow_tree(centres, "average").cut(cut)
    return [labels[centre] for centre in of]


def group_signatures(
    signatures: Sequence[Signature], vectors: Matrix, similarity: float
) -> list[list[int]]:
    """Group row numbers of like signatures; the rows must be sorted by signature key.

    Traffic of unknown intent never shares a group with planned traffic: what nobody planned for
    must not vanish in the failures of what was.
    """
    known = [n for n, found in enumerate(signatures) if found.intent != UNKNOWN]
    unknown = [n for n, found in enumerate(signatures) if found.intent == UNKNOWN]
    groups: list[list[int]] = []
    for rows in (known, unknown):
        keys = [signatures[row].key for row in rows]
        labels = group_vectors(vectors[rows], similarity, keys)
        found: dict[int, list[int]] = {}
        for row, label in zip(rows, labels, strict=True):
            found.setdefault(label, []).append(row)
        groups += found.values()
    return sorted(groups)
