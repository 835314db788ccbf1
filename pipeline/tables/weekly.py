"""Weekly tables, and the suite, which is a function of all days."""

from __future__ import annotations

import polars as pl

from pipeline.tables.daily import PROMOTED_CASES
from pipeline.tables.schema import Column, Table

__all__ = ["EVAL_SUITE", "FAILURE_MODES", "JUDGE_CALIBRATION_REPORTS", "UNKNOWN_INTENTS"]

FAILURE_MODES = Table(
    "failure_modes",
    "week",
    ("failure_mode_id",),
    {
        "failure_mode_id": Column(pl.String, "stable id: digest of the founding signature"),
        "name": Column(pl.String, "a person's name for it, else its distinctive terms"),
        "named_by": Column(pl.String, "person, model or terms"),
        "check": Column(pl.String, "the check most of its failures failed"),
        "intent": Column(pl.String, "the intent most of its failures had"),
        "signatures": Column(pl.List(pl.String), "signatures that match it, sorted"),
        "centroid": Column(pl.List(pl.Float64), "mean vector of descriptions, 4 decimals"),
        "exemplars": Column(pl.List(pl.String), "trace ids nearest to the centroid"),
        "size_week": Column(pl.Int64, "failures of this week"),
        "size_total": Column(pl.Int64, "failures since first seen"),
        "weighted_week": Column(pl.Float64, "estimated failures of this week in all traffic"),
        "days_seen": Column(pl.Int64, "days with at least one failure since first seen"),
        "users_seen": Column(pl.Int64, "distinct users this week, where known"),
        "releases": Column(pl.List(pl.String), "releases affected, sorted"),
        "first_seen": Column(pl.Date, "first day"),
        "last_seen": Column(pl.Date, "last day"),
        "state": Column(
            pl.String,
            "new, ongoing or quiet; ignored or archived; see mode_states",
        ),
        "severity": Column(pl.String, "highest severity seen"),
        "merged_from": Column(pl.List(pl.String), "ids folded into it, sorted"),
        "split_from": Column(pl.String, "the mode from which it, or one folded into it, parted"),
    },
)

JUDGE_CALIBRATION_REPORTS = Table(
    "judge_calibration_reports",
    "week",
    ("judge_id", "axis"),
    {
        "judge_id": Column(pl.String, "judge identity"),
        "axis": Column(pl.String, "rubric axis"),
        "n": Column(pl.Int64, "traces of four weeks with a verdict of both the judge and people"),
        "n_positive": Column(pl.Int64, "of those, failed according to people"),
        "n_abstained": Column(pl.Int64, "labelled traces on which the judge said unknown"),
        **{
            f"{name}{end}": Column(pl.Float64, f"{meaning}{tail}")
            for name, meaning in {
                "agreement": "share of equal verdicts",
                "kappa": "Cohen's kappa",
                "mcc": "Matthews correlation coefficient",
                "tpr": "share of people's fails that the judge fails",
                "tnr": "share of people's passes that the judge passes",
                "failure_rate": "failure rate of the week's judged traffic, corrected",
            }.items()
            for end, tail in {"": "", "_low": ", 95 % low", "_high": ", 95 % high"}.items()
        },
        "human_agreement": Column(pl.Float64, "share of equal verdicts between two people"),
        "n_human_pairs": Column(pl.Int64, "traces that two people labelled"),
        "n_attacks": Column(pl.Int64, "injected orders in known failures that tell of the judge"),
        "n_attack_errors": Column(pl.Int64, "of those tried, ended in an error of the judge"),
        "attack_success": Column(pl.Float64, "share that made the judge pass a known failure"),
        "attack_success_low": Column(pl.Float64, "of attack_success, 95 % low"),
        "attack_success_high": Column(pl.Float64, "of attack_success, 95 % high"),
        "attack_success_unflagged": Column(pl.Float64, "share that did, and was not suspected"),
        "trusted": Column(pl.Boolean, "agreement and number of labels reach the thresholds"),
        "reason": Column(pl.String, "why it is trusted or not"),
        "estimator": Column(pl.String, "estimators and weights of the row"),
    },
)

UNKNOWN_INTENTS = Table(
    "unknown_intents",
    "week",
    ("unknown_intent_id",),
    {
        "unknown_intent_id": Column(pl.String, "stable id of a group, or all"),
        "kind": Column(pl.String, "all, unplanned, wording (planned, in unusual words) or mixed"),
        "name": Column(pl.String, "terms that set it apart and several users said"),
        "terms": Column(pl.List(pl.String), "those terms, most distinctive first, five at most"),
        "n": Column(pl.Int64, "conversations of it that were looked at this week"),
        "n_users": Column(pl.Int64, "distinct users (else sessions) among them"),
        "n_all": Column(pl.Int64, "conversations of the week that were looked at"),
        "share": Column(pl.Float64, "of all traffic of the week"),
        "share_low": Column(pl.Float64, "95 % low; for a group, of its far core alone"),
        "share_high": Column(pl.Float64, "95 % high; for a group, over the share found"),
        "estimator": Column(pl.String, "estimator and weights of the share"),
        "share_before": Column(pl.Float64, "share of the week before, null if it is new"),
        "trend": Column(pl.String, "new, rising, steady, falling or quiet"),
        "first_seen": Column(pl.Date, "first day"),
        "last_seen": Column(pl.Date, "last day"),
        "nearest_intent": Column(pl.String, "planned intent that most of it got, else the nearest"),
        "exemplars": Column(pl.List(pl.String), "trace ids nearest to its middle"),
        "centroid": Column(pl.List(pl.Float64), "mean vector of its requests, 4 decimals"),
        "threshold": Column(pl.Float64, "novelty above which a request is far; null: no exemplars"),
        "false_alarm_rate": Column(pl.Float64, "share of held-out exemplars above it"),
        "false_alarm_low": Column(pl.Float64, "of false_alarm_rate, 95 % low"),
        "false_alarm_high": Column(pl.Float64, "of false_alarm_rate, 95 % high"),
        "n_calibration": Column(pl.Int64, "exemplars held out to calibrate the threshold"),
        "stability": Column(pl.Float64, "adjusted Rand index of the groups over resamples"),
    },
)

EVAL_SUITE = Table(
    "eval_suite",
    None,
    ("case_id",),
    {
        name: PROMOTED_CASES.columns[name]
        for name in (
            "case_id", "check", "failure_mode_id", "intent", "stakes", "category", "severity",
            "split", "duplicate_group",
        )
    }
    | {
        "session": PROMOTED_CASES.columns["session"],
        "status": Column(pl.String, "active or retired"),
        "retired_because": Column(pl.String, "mode_closed, mode_quiet or person"),
        "expired": Column(pl.String, "why it is to be read again: its policy is gone"),
        "self_check": PROMOTED_CASES.columns["self_check"],
        "mutations_caught": PROMOTED_CASES.columns["mutations_caught"],
        "mutations_tried": PROMOTED_CASES.columns["mutations_tried"],
        "edited": Column(pl.Boolean, "a person changed it"),
        "conflicts": Column(pl.List(pl.String), "fields changed by a person and by the pipeline"),
        "first_day": Column(pl.Date, "day of its first occurrence"),
        "last_day": Column(pl.Date, "day of its latest occurrence"),
        "added_on": Column(pl.Date, "latest day there was when it came into the suite"),
        "retired_on": Column(pl.Date, "latest day there was when it was retired; null: active"),
        "occurrences": Column(pl.Int64, "traces folded into it"),
    },
)  # fmt: skip
