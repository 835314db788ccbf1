"""The P.R.O.M.O.T.E. scores: seven reasons to keep a failure as a test, each from 0 to 1.

P  patterned             0.5 * min(1, (traces - 1) / (recurrence - 1)), 1 for a recurrence of 1,
                         + 0.25 for a second user + 0.25 for a second day + 0.25 for a second
                         release: any two of the three are full marks
R  risk-bearing          mean of stakes and severity (low 0.2, medium 0.6, high 1)
O  operationally costly  (r - 1) / (costly_factor - 1), r being the largest of turns, tokens and
                         latency a turn over the intent's medians, of a slow failure also what it
                         took over what its intent took before; at least 0.75 where a person had
                         to take over, at least 0.5 where its failure mode creeps up
M  missed offline        1 for a mode never seen before, else 1 / (1 + weeks since first seen),
                         at least 0.25
O  observable            0.5 for a complete trace + 0.5 for evidence that points into it
T  teachable             1 if a check made from it fails on the recorded output and on no
                         correction of it, 0.5 if only a judge could run one, else 0
E  enduring              (days - 1) / (enduring_days - 1), days with failures of the mode

Everything is cut to 0..1. Traces, users, days and releases are those of the day and of
`failure_modes` of the week before. Which cases exist only `eval_suite` knows, so M asks whether
the weeks before knew the mode at all, and `pipeline.promotion.coverage` asks the rest there.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import date

from pipeline.registry.settings import Promotion

__all__ = ["ModeHistory", "Scores", "enduring", "patterned", "score"]

_LEVEL = {"low": 0.2, "medium": 0.6, "high": 1.0}
_HANDED_OVER = 0.75
_CREEPING = 0.5
_LEAST_MISSED = 0.25


@dataclass(frozen=True)
class ModeHistory:
    """What the day and the weeks before show of a candidate's mode, this trace included.

    `lesson` counts traces of the mode with the candidate's own intent.
    """

    traces: int
    users: int
    days: int
    lesson: int
    first_seen: date | None
    releases: int = 1


@dataclass(frozen=True)
class Scores:
    """The seven scores of one candidate."""

    patterned: float
    risk_bearing: float
    operationally_costly: float
    missed_offline: float
    observable: float
    teachable: float
    enduring: float

    @property
    def mean(self) -> float:
        """Their plain mean, 4 decimals: what the thresholds in the settings are about."""
        values: list[float] = [getattr(self, field.name) for field in fields(self)]
        return round(sum(values) / len(values), 4)

    @property
    def weakest(self) -> tuple[str, ...]:
        """The names of the two lowest scores."""
        ranked = sorted(fields(self), key=lambda field: (getattr(self, field.name), field.name))
        return tuple(field.name for field in ranked[:2])


def score(
    *,
    history: ModeHistory,
    stakes: str,
    severity: str,
    ratio: float,
    handed_over: bool,
    creeping: bool,
    complete: bool,
    evident: bool,
    teachable: float,
    today: date,
    settings: Promotion,
) -> Scores:
    """Score one candidate by the formulas above, 4 decimals."""
    costly = _within((ratio - 1) / (settings.costly_factor - 1))
    weeks = (today - history.first_seen).days // 7 if history.first_seen else None
    missed = 1.0 if weeks is None else max(_LEAST_MISSED, 1 / (1 + max(weeks, 1)))
    return Scores(
        patterned=patterned(history, settings),
        risk_bearing=round((_LEVEL.get(stakes, 0.2) + _LEVEL.get(severity, 0.2)) / 2, 4),
        operationally_costly=round(
            max(costly, _HANDED_OVER * handed_over, _CREEPING * creeping), 4
        ),
        missed_offline=round(missed, 4),
        observable=0.5 * complete + 0.5 * evident,
        teachable=teachable,
        enduring=enduring(history, settings),
    )


def patterned(history: ModeHistory, settings: Promotion) -> float:
    """How often the mode was seen, and how widely."""
    beyond = settings.recurrence - 1
    often = min(1.0, (history.traces - 1) / beyond) if beyond else 1.0
    spread = (history.users >= 2) + (history.days >= 2) + (history.releases >= 2)
    return round(0.5 * often + 0.25 * min(2, spread), 4)


def enduring(history: ModeHistory, settings: Promotion) -> float:
    """On how many days the mode was seen."""
    return round(_within((history.days - 1) / (settings.enduring_days - 1)), 4)


def _within(value: float) -> float:
    return min(1.0, max(0.0, value))
