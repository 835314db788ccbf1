"""The expected value of a look: what a person's minute on a waiting case is worth, 0 to 1.

    value = sum(weight_i * part_i) / sum(weight_i)

    risk         mean of stakes and severity (low 0.2, medium 0.6, high 1): what a miss would cost
    uncertainty  how little the graders know, the largest of: 1 where a judge says unknown, where a
                 rule and a judge contradict each other on one axis, or where people are divided;
                 0.5 where only an untrusted judge speaks; 1 - |2 score - 1| of a judge's score
    frequency    log(1 + w) / log(1 + w_max), w being the traffic (sum of weights) that failures of
                 its mode stood for in the last 28 days: what a verdict would be a verdict on
    scarcity     1 - min(1, labels / needed): verdicts on the mode against `labels_per_mode`, on a
                 judge's axis labels against `calibration.labels`; the larger of the two
    anomaly      the anomaly score of the trace

The weights are settings (`review`). Every part is cut to 0..1 and told with the item, so that an
order can be argued with. The parts are those that uncertainty sampling and query by committee
(Settles, Active Learning Literature Survey, 2009, ch. 3) and density weighting (ch. 5) use.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property

import polars as pl

from pipeline.registry.settings import Review
from pipeline.review.annotations import axis_labels
from pipeline.review.queue.material import Material
from pipeline.review.queue.waiting import WaitingCase

__all__ = ["Values"]

_DAYS = 28
_DISTRUSTED = 0.5


@dataclass(frozen=True)
class Values:
    """What the parts are looked up in.

    Attributes:
        traffic: by mode (or check): the traffic its failures stood for in the last 28 days.
        doubts: by trace: how unsure its graders are.
        anomalies: by trace.
        labels: by axis: people's labels so far.
        verdicts: by mode (or check): people's verdicts on its traces so far.
    """

    traffic: Mapping[str, float]
    doubts: Mapping[str, float]
    anomalies: Mapping[str, float]
    labels: Mapping[str, int]
    verdicts: Mapping[str, int]
    labels_needed: int
    review: Review

    @cached_property
    def most(self) -> float:
        """The traffic of the mode that takes most."""
        return max(self.traffic.values(), default=0.0)

    @classmethod
    def of(cls, material: Material) -> Values:
        """Look everything up once."""
        settings = material.registry.settings
        lessons = _lessons(material)
        verdicts: Counter[str] = Counter()
        for trace in material.annotations.frame["trace_id"]:
            verdicts.update(lessons.get(trace, ()))
        return cls(
            traffic=_traffic(material),
            doubts=_doubts(material.grades),
            anomalies={
                trace: score or 0.0
                for trace, score in material.traces.select("trace_id", "anomaly_score").iter_rows()
            },
            labels=Counter(axis_labels(material.annotations.frame)["axis"]),
            verdicts=verdicts,
            labels_needed=settings.calibration.labels,
            review=settings.review,
        )

    def parts(self, cases: Iterable[WaitingCase]) -> dict[str, float]:
        """The parts of an item: the largest over the cases of its trace."""
        found = [self._parts(case) for case in cases]
        return {name: max(parts[name] for parts in found) for name in found[0]}

    def value(self, parts: Mapping[str, float]) -> float:
        """The weighted mean of the parts; without any weight, 0."""
        weights = {name: getattr(self.review, f"{name}_weight") for name in parts}
        total = sum(weights.values())
        return sum(weights[n] * parts[n] for n in parts) / total if total else 0.0

    def _parts(self, case: WaitingCase) -> dict[str, float]:
        traffic = self.traffic.get(case.lesson, 0.0)
        few = _lack(self.verdicts.get(case.lesson, 0), self.review.labels_per_mode)
        if case.layer == "judge":
            few = max(few, _lack(self.labels.get(case.check, 0), self.labels_needed))
        doubt = self.doubts.get(case.trace_id, 0.0)
        if case.category == "disagreement":
            doubt = 1.0
        elif case.category == "untrusted_judge":
            doubt = max(doubt, _DISTRUSTED)
        return {
            "risk": min(max(case.risk, 0.0), 1.0),
            "uncertainty": doubt,
            "frequency": math.log1p(traffic) / math.log1p(self.most) if self.most > 0 else 0.0,
            "scarcity": few,
            "anomaly": min(max(self.anomalies.get(case.trace_id, 0.0), 0.0), 1.0),
        }


def _lack(there: int, needed: int) -> float:
    return 1 - min(1.0, there / needed)


def _lessons(material: Material) -> dict[str, set[str]]:
    """The modes (or checks) of the candidates of each trace."""
    found: dict[str, set[str]] = defaultdict(set)
    columns = material.candidates.select("trace_id", "failure_mode_id", "check")
    for trace, mode, check in columns.iter_rows():
        found[trace].add(material.merged.get(mode, mode) or check)
    return found


def _traffic(material: Material) -> dict[str, float]:
    days = material.candidates["day"]
    if days.is_empty():
        return {}
    last = material.candidates.filter(pl.col("day") > days.max() - timedelta(days=_DAYS))  # type: ignore[operator]
    found: dict[str, float] = defaultdict(float)
    rows = last.sort("day", "case_id", "trace_id")
    for mode, check, weight in rows.select("failure_mode_id", "check", "weight").iter_rows():
        found[material.merged.get(mode, mode) or check] += 1.0 if weight is None else weight
    return dict(found)


def _doubts(grades: pl.DataFrame) -> dict[str, float]:
    found: dict[str, float] = defaultdict(float)
    ruled: dict[tuple[str, str], set[str]] = defaultdict(set)
    columns = ("trace_id", "layer", "axis", "check", "verdict", "score")
    for trace, layer, axis, check, verdict, _ in grades.select(columns).iter_rows():
        if verdict in ("pass", "fail") and layer == "rule":
            ruled[trace, axis or check].add(verdict)
    for trace, layer, axis, check, verdict, score in grades.select(columns).iter_rows():
        if layer != "judge":
            continue
        if verdict == "unknown" or (verdict == "pass" and "fail" in ruled[trace, axis or check]):
            found[trace] = 1.0
        elif verdict in ("pass", "fail") and score is not None:
            found[trace] = max(found[trace], 1 - abs(2 * min(max(score, 0.0), 1.0) - 1))
    return dict(found)
