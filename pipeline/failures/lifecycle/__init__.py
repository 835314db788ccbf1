"""The life of a failure mode: rates by release, states, and whether a fix holds."""

from pipeline.failures.lifecycle.history import HISTORY_WEEKS
from pipeline.failures.lifecycle.membership import failures_of_modes
from pipeline.failures.lifecycle.rates import Rates, measure_rates
from pipeline.failures.lifecycle.states import States, advance_states

__all__ = [
    "HISTORY_WEEKS",
    "Rates",
    "States",
    "advance_states",
    "failures_of_modes",
    "measure_rates",
]
