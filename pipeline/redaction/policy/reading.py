"""Reads `registry/pii_policy.yaml`: what holds always, and what holds from a day on."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ConfigDict, ValidationError

from pipeline.redaction.policy.model import PiiPolicy, PolicyRefused
from pipeline.registry.loading import DatedEntry, RegistryError, read_yaml

__all__ = ["load_policies", "load_policy"]


class _Change(DatedEntry):
    """What is different from a day on; a section that it does not name stays as it was."""

    model_config = ConfigDict(extra="allow", frozen=True)


def load_policy(path: Path, instant: dt.date = dt.date.max) -> PiiPolicy:
    """Read the policy as it holds on `instant`: the base, and the changes in force over it.

    Raises:
        PolicyRefused: the file is missing, not YAML, or breaks the schema, on whatever day.
    """
    held = [policy for day, policy in load_policies(path) if day <= instant]
    return held[-1]


def load_policies(path: Path) -> list[tuple[dt.date, PiiPolicy]]:
    """Read every state of a policy and the first day on which it holds, in order.

    Under `changes`, entries with `effective_from` (and `retired_on`) lay sections over the base:
    maps entry by entry, anything else as a whole.

    Raises:
        PolicyRefused: the file is missing, not YAML, or breaks the schema.
    """
    try:
        raw = read_yaml(path) or {}
    except RegistryError as error:
        raise PolicyRefused(f"PII policy {error}") from None
    if not isinstance(raw, dict):
        raise PolicyRefused(f"PII policy {path}: expected keys at the top level")
    base = {name: value for name, value in raw.items() if name != "changes"}
    try:
        changes = [_Change.model_validate(change) for change in raw.get("changes") or ()]
        if any("surrogates" in (change.model_extra or {}) for change in changes):
            raise PolicyRefused(
                f"PII policy {path}: surrogates cannot change from a day on, for days with "
                "other surrogates do not mix; change them at the top level, then run: "
                "caselaw rotate-key"
            )
        days = {c.effective_from for c in changes} | {c.retired_on for c in changes}
        starts = [dt.date.min, *sorted(day for day in days if day is not None)]
        return [(day, PiiPolicy.model_validate(_lay(base, changes, day))) for day in starts]
    except ValidationError as error:
        where = "; ".join(
            f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors(include_input=False)
        )
        raise PolicyRefused(f"PII policy {path}: {where}") from None


def _lay(base: Mapping[str, Any], changes: list[_Change], day: dt.date) -> dict[str, Any]:
    """The base with the changes in force on `day` over it, oldest first."""
    laid = dict(base)
    for change in sorted((c for c in changes if c.holds(day)), key=lambda c: c.effective_from):
        for name, value in (change.model_extra or {}).items():
            before = laid.get(name)
            both = isinstance(value, dict) and isinstance(before, dict)
            laid[name] = {**before, **value} if both and before else value
    return laid
