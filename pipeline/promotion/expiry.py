"""When what a case expects may no longer be right: the policy it was promoted under has gone.

A case outlives releases and prompts, that is what it is for. What it expects comes from the policy,
so a case *expires* when the traffic no longer runs under a policy version that its failures were
seen under: it is to be read again, not to be thrown away. Only a case that quotes the prompt
expires with that. Versions that traces do not name tell nothing, and nothing expires by them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import polars as pl

from pipeline.promotion.check_kinds import NotContains, RuleKept
from pipeline.promotion.teaching.from_rules import QUOTES_PROMPT
from pipeline.promotion.teaching.synthesis import Plan

__all__ = ["VERSIONS", "InForce", "expires_when", "versions_in_force", "why_expired"]

VERSIONS = ("policy_version", "prompt_version")
"""What a case may expire by, as columns of `promoted_cases` and fields of its `expires_when`."""

_DAYS = 7
_SHOWN = 3


@dataclass(frozen=True)
class InForce:
    """The versions that the traffic of the latest days names, by field; empty where none does."""

    versions: Mapping[str, frozenset[str]]


def expires_when(plan: Plan, trace: Mapping[str, Any]) -> dict[str, str]:
    """The versions that a case depends on; with others in force it has expired."""
    kept = [check for check in plan.checks if isinstance(check, RuleKept)]
    quotes = any(isinstance(check, NotContains) for check in plan.checks) and any(
        isinstance(check.params, QUOTES_PROMPT) for check in kept
    )
    names = VERSIONS if quotes else VERSIONS[:1]
    return {name: trace[name] for name in names if trace[name]}


def versions_in_force(promoted: pl.DataFrame, days: int = _DAYS) -> InForce:
    """The versions that candidates of the latest `days` days were seen under.

    Args:
        promoted: `promoted_cases` of all days, with a `day` (pl.Date).
        days: counted back from the latest day that has a candidate.
    """
    if promoted.is_empty():
        return InForce({name: frozenset() for name in VERSIONS})
    since = promoted.select(pl.col("day").max()).item() - timedelta(days=days - 1)
    late = promoted.filter(pl.col("day") >= since)
    return InForce({name: frozenset(late[name].drop_nulls().unique()) for name in VERSIONS})


def why_expired(
    case: Mapping[str, Any], in_force: InForce, seen: Mapping[str, Collection[str]] | None = None
) -> str:
    """Why a case has expired, in a sentence; empty where it has not.

    Args:
        case: as the suite has it; one without `expires_when` never expires.
        in_force: the versions of the latest days.
        seen: versions that other failures of the same case came under, by field: a failure seen
            again under the new policy keeps its case in force.
    """
    wanted = case.get("expires_when")
    for name, version in wanted.items() if isinstance(wanted, Mapping) else ():
        now = in_force.versions.get(name, frozenset())
        own = {version, *(seen or {}).get(name, ())}
        if now and not own & now:
            shown = ", ".join(sorted(now)[:_SHOWN])
            what = name.replace("_", " ")
            return f"Made under {what} {version}; by now the traffic has {shown}: read it again."
    return ""
