"""What each table of the lake says in one sentence: the comment that its view carries."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["TABLE_MEANINGS"]

TABLE_MEANINGS: Mapping[str, str] = {
    "stratified_samples": "The traces that were drawn, and with which probability",
    "redacted_traces": "The drawn conversations, personal data replaced by surrogates",
    "grades": "Every verdict of every rule and judge on a drawn trace",
    "failure_mode_clusters": "Each failure and the failure mode it belongs to, as of its day",
    "promoted_cases": "What was decided on each failure of a day, and why",
    "run_summaries": "The figures of the daily page, one row a figure",
    "failure_modes": "The failure modes as each week left them",
    "mode_rates": "How often each failure mode struck each release in a week, weighted",
    "mode_states": "Where each failure mode stood at the end of a week, and whether a fix held",
    "slow_failures": "Turns, tokens, cost, retries and complaints by week, and which creep up",
    "judge_calibration_reports": "How well each judge agreed with people, week by week",
    "unknown_intents": "What users came for that nobody planned, week by week",
    "eval_suite": "The cases of the suite as last assembled",
}
"""By table name; a test asserts that no table of the lake is missing."""
