"""Slow failure: what creeps up week by week without any headline failure."""

from pipeline.failures.slow.creeping import SlowFailures, find_slow_failures, what_creeps
from pipeline.failures.slow.measures import METRICS, measure_traces

__all__ = ["METRICS", "SlowFailures", "find_slow_failures", "measure_traces", "what_creeps"]
