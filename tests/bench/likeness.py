"""What tells two failures of one kind from two of two kinds: codes, meaning, or words in common?

Three sets of labelled pairs.

- **Eight weeks** (`make bench-weeks`): signatures, labelled by the kind that was planted in the
  conversation. Those kinds differ in their checks, so codes have it easy; the same is measured
  again as if every check, or every check and error class, had got a meaningless name in between.
- **One check**: signatures of those weeks, pairs within a check alone, of one kind where the error
  class is the same. The label is a code, so this does not show that codes tell kinds apart, but
  which floors keep the nearest neighbours apart.
- **Blamed**: what people wrote of the decisive mistake in 126 failed runs (Who&When), without any
  code; `BLAMED` are labels of our own, given by one reader before anything was measured.

Scores are compared at one rate of false merges: the floor of each is the lowest that joins at most
1 % of the pairs of two kinds. Planned and unplanned traffic is never joined and makes no pair.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pipeline.datadir import DataDir
from pipeline.embedding import Embedder, sentence_embedder, word_embedder
from pipeline.failures.signatures import Signature, collect_failures, mask, words
from pipeline.failures.vectors import centre, signature_vectors
from pipeline.lake import Lake
from pipeline.registry import UNKNOWN, Registry, Settings, load_registry
from pipeline.tables import GRADES
from tests.shared_corpora import SHARED

__all__ = ["compare_likeness"]

Matrix = NDArray[np.float64]

FALSE_MERGES = 0.01
_DRAWS, _SEED = 500, 7
_HALVINGS = 50
_FLOORS = (0.50, 0.60, 0.66, 0.72, 0.80)
_LEXICAL = 0.25  # weight of the words in common beside another score

BLAMED: Mapping[str, tuple[int, ...]] = {
    "broken code": (
        *(1, 5, 8, 11, 15, 23, 28, 32, 40, 44, 50, 52, 53, 57, 59, 60, 61, 65, 69, 71, 74, 76),
        *(79, 86, 88, 91, 96, 97, 98, 103, 114, 119, 121, 122, 124, 126),
    ),
    "made up": (2, 10, 13, 16, 25, 63, 75, 99, 112, 113, 116),
    "not checked": (
        *(3, 7, 12, 17, 18, 31, 39, 45, 48, 56, 67, 77, 81, 84, 89, 109, 118, 120, 125),
    ),
    "wrong fact": (4, 21, 29, 37, 38, 42, 54, 87, 93, 100, 101, 102, 106, 123),
    "wrong plan": (14, 19, 20, 22, 24, 51, 70, 92, 104, 117),
    "wrong reasoning": (9, 34, 41, 46, 47, 82),
    "misread": (26, 30, 36, 58, 62, 66, 68, 72, 73, 85, 95),
    "wrong tool": (6, 27, 33, 35, 43, 49, 90),
    "left undone": (55, 83, 94, 108, 115),
    "let it pass": (105, 111),
}


@dataclass(frozen=True)
class Failing:
    """One kind of failure in one place: its label, codes (if any) and reason."""

    kind: str
    signature: Signature
    said: str


@dataclass(frozen=True)
class Held:
    """A score at its floor: recall of pairs of one kind, with an interval over kinds."""

    name: str
    floor: float
    recall: float
    low: float
    high: float
    auc: float


def failures_of_weeks(place: DataDir) -> list[Failing]:
    """A row a signature of the weeks, with its commonest reason and planted kind."""
    from tests.bench.weeks import START, labelled_failures

    lake = Lake(place)
    truth = pl.read_parquet(place.simulated / "ground_truth.parquet")
    kinds = labelled_failures(lake, truth).filter(pl.col("kind") != "unplanned_intent")
    return _commonest(lake, load_registry(place.registry, START), kinds)


def failures_by_class(place: DataDir) -> list[Failing]:
    """A row a signature with an error class, labelled by its check and class."""
    from tests.bench.weeks import START

    lake = Lake(place)
    return [
        replace(one, kind=f"{one.signature.check}: {one.signature.error_class}")
        for one in _commonest(lake, load_registry(place.registry, START))
        if one.signature.error_class
    ]


def _commonest(lake: Lake, registry: Registry, kinds: pl.DataFrame | None = None) -> list[Failing]:
    grades = pl.concat(
        lake.read(GRADES, day).filter(pl.col("verdict") == "fail") for day in lake.windows(GRADES)
    )
    found = collect_failures(grades, registry)
    rows = found.rows.with_columns(kind=pl.lit(""))
    if kinds is not None:
        own = kinds.select("trace_id", "check", "kind")
        rows = rows.drop("kind").join(own, on=["trace_id", "check"])
    rows = (
        rows.group_by("signature", "kind", "reason")
        .len()
        .sort("signature", "len", "kind", "reason", descending=[False, True, False, False])
        .unique("signature", keep="first", maintain_order=True)
    )
    return [
        Failing(row["kind"], found.signatures[row["signature"]], mask(row["reason"] or ""))
        for row in rows.iter_rows(named=True)
    ]


def failures_blamed(shared: Path) -> list[Failing]:
    """The labelled runs of Who&When; the name of the agent to blame is taken out."""
    found = []
    for kind, numbers in BLAMED.items():
        for number in numbers:
            run = json.loads((shared / "who-and-when" / f"{number}.json").read_text("utf-8"))
            said = mask(run["mistake_reason"].replace(run["mistake_agent"], "agent"))
            found.append(Failing(kind, Signature("", "", "", ""), said))
    return found


def renamed(failures: Sequence[Failing], *codes: str) -> list[Failing]:
    """The same failures after some codes were given names that mean nothing."""
    names = {
        code: sorted({getattr(one.signature, code) for one in failures} - {""}) for code in codes
    }
    return [
        replace(
            one,
            signature=replace(
                one.signature,
                **{
                    code: f"{chr(97 + names[code].index(old) % 26)}x{code[0]}"
                    for code in codes
                    if (old := getattr(one.signature, code))
                },
            ),
        )
        for one in failures
    ]


def scores_of(left: Sequence[Failing], right: Sequence[Failing]) -> dict[str, Matrix]:
    """Every score of every pair, by name: arrays of shape (left, right)."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    one, other = ([f.said for f in side] for side in (left, right))
    counted = TfidfVectorizer(sublinear_tf=True).fit(one)
    found = {
        "words in common (TF-IDF)": (counted.transform(one) @ counted.transform(other).T).toarray(),
        "words in common (Jaccard)": np.array([[_jaccard(a, b) for b in other] for a in one]),
        "word vectors of the reason": _cosines(word_embedder(), one, other),
        "sentence vectors of the reason": _cosines(sentence_embedder(), one, other),
    }
    lexical = found["words in common (TF-IDF)"]
    vectors = found["word vectors of the reason"]
    found["word vectors + words in common"] = (vectors + lexical) / 2
    if left[0].signature.check:
        codes = [
            [" ".join(map(words, (f.signature.error_class, f.signature.check))) for f in side]
            for side in (left, right)
        ]
        found["word vectors of the codes"] = _cosines(word_embedder(), *codes)
        now = (
            signature_vectors([f.signature for f in left], word_embedder())
            @ signature_vectors([f.signature for f in right], word_embedder()).T
        )
        found["codes and their meaning (as matched)"] = now
        found["as matched + words in common"] = (1 - _LEXICAL) * now + _LEXICAL * lexical
    return found


def hold(name: str, scores: Matrix, kinds: Sequence[str], pairs: NDArray[np.bool_]) -> Held:
    """Measure one score on the chosen pairs; the interval draws whole kinds with replacement."""
    from sklearn.metrics import roc_auc_score

    labels = np.array(kinds)
    same = labels[:, None] == labels[None, :]
    values = np.round(scores, 6)
    floor = floor_of(values[pairs & ~same])
    joined = {kind: values[pairs & same & (labels == kind)[:, None]] >= floor for kind in kinds}
    some = [kind for kind in sorted(joined) if joined[kind].size]
    draws = np.random.default_rng(_SEED).integers(0, len(some), (_DRAWS, len(some)))
    drawn = [np.concatenate([joined[some[n]] for n in draw]).mean() for draw in draws]
    low, high = np.percentile(drawn, [2.5, 97.5])
    recall = float(np.concatenate([joined[kind] for kind in some]).mean())
    auc = float(roc_auc_score(same[pairs], values[pairs]))
    return Held(name, floor, recall, float(low), float(high), auc)


def floor_of(others: Matrix) -> float:
    """The lowest score that joins at most 1 % of the pairs of two kinds."""
    ranked = np.unique(others)[::-1]
    shares = np.array([(others >= value).mean() for value in ranked])
    within = ranked[shares <= FALSE_MERGES]
    above = ranked[shares > FALSE_MERGES]
    return float(np.nextafter(above[0], 2)) if len(above) else float(within[-1])


def compare_likeness(place: DataDir) -> None:
    """Print recall at equal false merges for every score and set at hand."""
    weeks = failures_of_weeks(place)
    planned = np.array([one.signature.intent != UNKNOWN for one in weeks])
    alike = planned[:, None] == planned[None, :]
    every = (
        ("codes as they are", weeks, alike & np.tri(len(weeks), k=-1, dtype=bool)),
        ("checks renamed", renamed(weeks, "check"), alike),
        ("checks and error classes renamed", renamed(weeks, "check", "error_class"), alike),
    )
    for told, right, pairs in every:
        _print(f"eight weeks, {told}", weeks, right, pairs)
    near = failures_by_class(place)
    checks = np.array([one.signature.check for one in near])
    planned = np.array([one.signature.intent != UNKNOWN for one in near])
    within = (checks[:, None] == checks) & (planned[:, None] == planned)
    _print("one check", near, near, within & np.tri(len(near), k=-1, dtype=bool))
    _print_halves(near)
    if not (SHARED / "who-and-when").is_dir():
        print(f"\n== blamed: no who-and-when at {SHARED}; set CASELAW_SHARED to its folder ==")
        return
    blamed = failures_blamed(SHARED)
    _print("blamed by people, no codes", blamed, blamed, np.tri(len(blamed), k=-1, dtype=bool))


def _print(
    title: str, left: Sequence[Failing], right: Sequence[Failing], pairs: NDArray[np.bool_]
) -> None:
    kinds = [one.kind for one in left]
    same = np.array(kinds)[:, None] == np.array(kinds)[None, :]
    print(f"\n== {title}: {int((pairs & same).sum())} pairs of one kind, "
          f"{int((pairs & ~same).sum())} of two, {len(set(kinds))} kinds ==")  # fmt: skip
    for name, scores in scores_of(left, right).items():
        held = hold(name, scores, kinds, pairs)
        print(f"  {name:38} floor {held.floor:.2f}  recall {held.recall:.2f} "
              f"[{held.low:.2f}, {held.high:.2f}]  AUC {held.auc:.3f}")  # fmt: skip
        if name.startswith("codes"):
            for floor in _FLOORS:
                at = np.round(scores, 6) >= floor
                print(f"    at {floor:.2f}: false merges {at[pairs & ~same].mean():.4f}, "
                      f"recall {at[pairs & same].mean():.2f}")  # fmt: skip


def _print_halves(failures: Sequence[Failing]) -> None:
    """How alike the centroids of two halves of a kind are, and those of two kinds."""
    planned = [one for one in failures if one.signature.intent != UNKNOWN]
    vectors = signature_vectors([one.signature for one in planned], word_embedder())
    rows: dict[str, list[int]] = {}
    for n, one in enumerate(planned):
        rows.setdefault(one.kind, []).append(n)
    draw = np.random.default_rng(_SEED)
    halves, kinds = [], []
    for _ in range(_HALVINGS):
        parts = []
        for own in (own for own in rows.values() if len(own) > 1):
            mixed = draw.permutation(own)
            cut = len(own) // 2
            parts.append((centre(vectors[mixed[:cut]]), centre(vectors[mixed[cut:]])))
        halves += [float(one @ other) for one, other in parts]
        kinds += [float(a @ b) for n, (a, _) in enumerate(parts) for _, b in parts[:n]]
    floor = Settings().failures.merge_similarity
    ends = np.percentile(halves, [5, 50, 95])
    print(f"\n== centroids: {len(halves)} pairs of halves of one kind, {len(kinds)} of two ==")
    print(f"  halves: 5, 50 and 95 %: {ends[0]:.2f}, {ends[1]:.2f}, {ends[2]:.2f}; two kinds: at "
          f"most {max(kinds):.2f}")  # fmt: skip
    print(f"  at merge_similarity {floor}: {np.mean(np.array(halves) >= floor):.2f} of the halves, "
          f"{np.mean(np.array(kinds) >= floor):.4f} of two kinds")  # fmt: skip


def _jaccard(one: str, other: str) -> float:
    left, right = set(one.lower().split()), set(other.lower().split())
    return len(left & right) / max(len(left | right), 1)


def _cosines(embedder: Embedder, one: Sequence[str], other: Sequence[str]) -> Matrix:
    left, right = (embedder.embed(side).astype(np.float64) for side in (one, other))
    cosines: Matrix = left @ right.T
    return cosines


if __name__ == "__main__":
    compare_likeness(DataDir(Path(sys.argv[1])))
