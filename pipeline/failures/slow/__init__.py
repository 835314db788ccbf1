"""Slow failure: what creeps up week by week without any headline failure."""

from pipeline.failures.slow.creeping import SlowFailures, find_slow_failures, what_creeps
from pipeline.failures.slow.measures import (
    METRICS,
    SYMPTOMS,
    mark_passed,
    measure_traces,
    retries_among,
)
from pipeline.failures.slow.modes import slow_mode_id, slow_mode_name, slow_modes

__all__ = [
    "METRICS",
    "SYMPTOMS",
    "SlowFailures",
    "find_slow_failures",
    "mark_passed",
    "measure_traces",
    "retries_among",
    "slow_mode_id",
    "slow_mode_name",
    "slow_modes",
    "what_creeps",
]
