"""Asset checks: the findings, shown in Dagster beside what they are about.

One step a job runs them all, over the partitions of the run. Only the look for personal data at
rest is a step of its own: it stands between redaction and everything that reads its output.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Literal

import dagster as dg

from assets import findings, mode_findings, suite_findings
from assets.errors import clear_errors
from assets.findings import Finding
from pipeline.lake import Lake
from pipeline.tables import ALL, PROMOTED_CASES, REDACTED_TRACES, Table
from pipeline.windows import Window
from resources import LakeResource, RedactorResource, RegistryResource

__all__ = ["CHECKS"]

_OF_ONE_TABLE: dict[str, dict[str, Callable[..., Finding]]] = {
    "raw_traces": {"quarantine_is_small": findings.quarantine_is_small},
    "stratified_samples": {"probabilities_are_sound": findings.probabilities_are_sound},
    "redacted_traces": {"every_sample_is_redacted": findings.every_sample_is_redacted},
    "grades": {
        "every_trace_is_graded": findings.every_trace_is_graded,
        "graders_work": findings.graders_work,
    },
    "failure_mode_clusters": {"every_failure_has_a_mode": findings.every_failure_has_a_mode},
    "promoted_cases": {"every_failure_is_decided": findings.every_failure_is_decided},
    "run_summaries": {"page_exists": findings.page_exists},
    "failure_modes": {
        "week_is_whole": findings.week_is_whole,
        "modes_persist": mode_findings.modes_persist,
        "entries_reach_modes": mode_findings.entries_reach_modes,
    },
    "mode_rates": {"rates_cover_the_traffic": mode_findings.rates_cover_the_traffic},
    "mode_states": {
        "every_mode_has_a_state": mode_findings.every_mode_has_a_state,
        "claims_name_modes": mode_findings.claims_name_modes,
    },
    "slow_failures": {"trends_are_sound": mode_findings.trends_are_sound},
    "unknown_intents": {"unknown_intents_persist": mode_findings.unknown_intents_persist},
    "judge_calibration_reports": {"trust_is_earned": findings.trust_is_earned},
    "eval_suite": {
        "suite_holds_its_index": suite_findings.suite_holds_its_index,
        "cases_are_sound": suite_findings.cases_are_sound,
        "holdout_stays_apart": suite_findings.holdout_stays_apart,
    },
}
_OF_EVERY_TABLE = {
    "conserves_records": findings.conserves_records,
    "is_intact": findings.is_intact,
}
# What may be so for a good reason: a day off, a provider's outage, a chain that starts mid-week;
# and what one person wrote, which must not stop the others.
_WARNINGS = {
    *("week_is_whole", "graders_work", "cases_are_sound", "claims_name_modes"),
    "entries_reach_modes",
}


def _checks_of(
    unit: Literal["day", "week"] | None,
) -> dict[dg.AssetCheckKey, Callable[..., Finding]]:
    chosen: dict[dg.AssetCheckKey, Callable[..., Finding]] = {}
    for name, table in ALL.items():
        if table.unit == unit and name != "quarantined_records":
            key = partial(dg.AssetCheckKey, dg.AssetKey(name))
            chosen |= {key(check): partial(f, table) for check, f in _OF_EVERY_TABLE.items()}
            chosen |= {key(check): f for check, f in _OF_ONE_TABLE[name].items()}
    return chosen


def _meaning(function: Callable[..., Finding]) -> str:
    return (getattr(function, "func", function).__doc__ or "").strip()


def _check_all(name: str, unit: Literal["day", "week"] | None) -> dg.AssetChecksDefinition:
    """One step that runs every check of the tables cut by `unit`."""
    chosen = _checks_of(unit)
    specs = [
        dg.AssetCheckSpec(key.name, asset=key.asset_key, description=_meaning(function))
        for key, function in chosen.items()
    ]

    @dg.multi_asset_check(name=name, specs=specs, can_subset=True)
    def check(
        context: dg.AssetCheckExecutionContext, lake: LakeResource, registry: RegistryResource
    ) -> Iterator[dg.AssetCheckResult]:
        with clear_errors(lambda: name):
            opened = lake.open()
            for key in sorted(context.selected_asset_check_keys, key=str):
                table = ALL[key.asset_key.to_user_string()]
                windows = _windows(context, opened, table) if unit else [None]
                yield _run(key, chosen[key], opened, registry, windows)

    return check


def _windows(
    context: dg.AssetCheckExecutionContext, lake: Lake, table: Table
) -> Sequence[Window | None]:
    """The partitions of the run; every published one where a check is run by itself."""
    if table.unit and (context.has_partition_key or context.has_partition_key_range):
        return [Window(table.unit, key) for key in context.partition_keys]
    return lake.windows(table)


def _run(
    key: dg.AssetCheckKey,
    function: Callable[..., Finding],
    lake: Lake,
    registry: RegistryResource,
    windows: Sequence[Window | None],
) -> dg.AssetCheckResult:
    of_every_table = key.name in _OF_EVERY_TABLE
    found = {
        window: function(lake, window)
        if of_every_table
        else function(lake, registry.as_of(window or lake.windows(PROMOTED_CASES)[-1]), window)
        for window in windows
    }
    failed = [window for window, finding in found.items() if not finding.passed]
    facts = {
        k: sum(f.facts.get(k, 0) for f in found.values()) for f in found.values() for k in f.facts
    }
    severity = dg.AssetCheckSeverity.WARN if key.name in _WARNINGS else dg.AssetCheckSeverity.ERROR
    return dg.AssetCheckResult(
        passed=not failed,
        asset_key=key.asset_key,
        check_name=key.name,
        severity=severity,
        metadata=facts | {"partitions": len(found), "failed": [str(w or "all") for w in failed]},
    )


@dg.asset_check(asset=dg.AssetKey("redacted_traces"), blocking=True)
def no_personal_data_at_rest(
    context: dg.AssetCheckExecutionContext, lake: LakeResource, redactor: RedactorResource
) -> dg.AssetCheckResult:
    """Read again from the lake, no text of a redacted conversation has the shape of personal data.

    E-mail addresses, social security and card numbers, secrets. A finding stops everything
    downstream.
    """
    with clear_errors(lambda: "no_personal_data_at_rest"):
        opened = lake.open()
        found = {
            window: findings.residue_at_rest(
                opened.read(REDACTED_TRACES, window),
                redactor.policy(window),
                redactor.names(window),
            )
            for window in _windows(context, opened, REDACTED_TRACES)
            if window
        }
    shown = sorted({entity for entities in found.values() for entity in entities})
    failed = [str(window) for window, entities in found.items() if entities]
    return dg.AssetCheckResult(
        passed=not failed,
        metadata={"partitions": len(found), "entities": shown, "failed": failed},
    )


CHECKS = [
    no_personal_data_at_rest,
    _check_all("check_days", "day"),
    _check_all("check_weeks", "week"),
    _check_all("check_suite", None),
]
