"""The registry: what people own and edit, as it stood on a given day."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path

from pydantic import ValidationError

from pipeline.ids import digest
from pipeline.registry.intents import UNKNOWN, Intent
from pipeline.registry.loading import (
    DatedEntry,
    Entry,
    RegistryError,
    as_of,
    complain,
    line_of,
    read_entries,
    read_yaml,
)
from pipeline.registry.modes import Fix, NamedMode
from pipeline.registry.opt_outs import OptOut
from pipeline.registry.rubric import Axis
from pipeline.registry.rules import Rule
from pipeline.registry.settings import Settings, SettingsEntry, settings_as_of
from pipeline.windows import Window

__all__ = [
    "UNKNOWN",
    "Axis",
    "DatedEntry",
    "Fix",
    "Intent",
    "NamedMode",
    "OptOut",
    "Registry",
    "RegistryError",
    "Rule",
    "Settings",
    "load_registry",
    "read_yaml",
    "require_sound",
    "settings_today",
]


@dataclass(frozen=True)
class Registry:
    """The registry as of one day; `digests` names each section's state in provenance."""

    settings: Settings
    intents: tuple[Intent, ...]
    rules: tuple[Rule, ...]
    rubric: tuple[Axis, ...]
    failure_modes: tuple[NamedMode, ...]
    digests: Mapping[str, str]
    opt_outs: tuple[OptOut, ...] = field(default=(), repr=False)
    """Has no digest: one of ids that can be guessed would give them away."""
    fixes: tuple[Fix, ...] = ()

    def digests_of(self, *sections: str) -> dict[str, str]:
        """The digests of the sections that a step read."""
        return {section: self.digests[section] for section in sections}


def load_registry(folder: Path, window: Window | date) -> Registry:
    """Read the registry as it stood on the last day of `window`.

    Raises:
        RegistryError: a file is missing or wrong, an id stands twice, a merge leads nowhere.
    """
    instant = window.days[-1].first if isinstance(window, Window) else window
    intents_ever = read_entries(folder / "intents.yaml", "intents", Intent)
    intents = _in_force(folder, "intents", intents_ever, instant)
    rules_ever = read_entries(folder / "rules.yaml", "rules", Rule)
    rules = _in_force(folder, "rules", rules_ever, instant)
    axes_ever = read_entries(folder / "rubric.yaml", "rubric", Axis)
    rubric = _in_force(folder, "rubric", axes_ever, instant)
    modes_ever = read_entries(folder / "failure_modes.yaml", "failure_modes", NamedMode, ("fixes",))
    modes = _in_force(folder, "failure_modes", modes_ever, instant)
    fixes = _fixes(folder / "failure_modes.yaml", instant)
    settings = _settings(folder / "settings.yaml", instant)
    _require_known(folder, rules, rubric, settings, intents_ever, axes_ever)
    entries: dict[str, tuple[DatedEntry, ...]] = {
        "intents": intents, "rules": rules, "rubric": rubric, "failure_modes": modes,
        "fixes": fixes,
    }  # fmt: skip
    digests = {
        name: digest([entry.model_dump(mode="json") for entry in found])
        for name, found in entries.items()
    }
    for section, value in settings.model_dump(mode="json").items():
        digests[f"settings.{section}"] = digest(value)
    opt_outs = _opt_outs(folder, instant)
    return Registry(settings, intents, rules, rubric, modes, digests, opt_outs, fixes)


def settings_today(folder: Path) -> Settings:
    """The settings in force now: for what is done now, not for a day's own run.

    Raises:
        RegistryError: the file is missing or wrong.
    """
    return _settings(folder / "settings.yaml", datetime.now(UTC).date())


def _in_force(folder: Path, name: str, ever: tuple[Entry, ...], instant: date) -> tuple[Entry, ...]:
    found = as_of(ever, instant)
    require_sound(folder / f"{name}.yaml", name, found)
    return found


def _fixes(path: Path, instant: date) -> tuple[Fix, ...]:
    """The claims in force, oldest first; two for one mode on one day are refused."""
    found = as_of(read_entries(path, "fixes", Fix, ("failure_modes", "fixes")), instant)
    claimed: set[tuple[str, date]] = set()
    for fix in found:
        if (fix.mode, fix.effective_from) in claimed:
            raise RegistryError(
                f"{path}: two fixes of {fix.mode!r} from {fix.effective_from} on; keep one"
            )
        claimed.add((fix.mode, fix.effective_from))
    return tuple(sorted(found, key=lambda fix: (fix.effective_from, fix.mode)))


def _opt_outs(folder: Path, instant: date) -> tuple[OptOut, ...]:
    """Who opted out; a registry of before there was such a file has none."""
    path = folder / "opt_outs.yaml"
    return as_of(read_entries(path, "opt_outs", OptOut), instant) if path.exists() else ()


def _settings(path: Path, instant: date) -> Settings:
    entries = read_entries(path, "settings", SettingsEntry)
    try:
        return settings_as_of(entries, instant)
    except ValidationError as error:
        # every entry adds to those before it, so the latest in force that names the field is wrong
        section, *rest = error.errors()[0]["loc"]
        named = [
            place
            for place, entry in enumerate(entries)
            if entry.holds(instant)
            and (not rest or rest[0] in (getattr(entry, str(section)) or ()))
        ]
        place = max(named, key=lambda found: (entries[found].effective_from, found), default=0)
        raise RegistryError(complain(path, ("settings", place), error)) from error


def _require_known(
    folder: Path,
    rules: Sequence[Rule],
    rubric: Sequence[Axis],
    settings: Settings,
    intents_ever: Sequence[Intent],
    axes_ever: Sequence[Axis],
) -> None:
    """Refuse names that lead nowhere; one that was known once may be named for ever."""
    intents = {one.id for one in intents_ever}
    axes = {one.id for one in axes_ever}
    strangers = [told for rule in rules for told in _unknown_intents(rule, intents | {UNKNOWN})]
    if strangers:
        raise RegistryError(
            f"{folder / 'rules.yaml'}: {'; '.join(strangers)}. None of these intents is in "
            "intents.yaml: rename them there, or in the rules and their examples"
        )
    for rule in rules:
        if rule.id in {axis.id for axis in rubric}:
            raise RegistryError(
                f"{folder / 'rules.yaml'}: rule {rule.id!r} has the name of an axis in "
                "rubric.yaml; both would be checks of one name"
            )
    unknown = sorted(set(settings.judge.rates) - axes)
    if unknown:
        raise RegistryError(
            f"{folder / 'settings.yaml'}: judge.rates: no axis {unknown[0]!r} in rubric.yaml"
        )


def _unknown_intents(rule: Rule, known: Set[str]) -> list[str]:
    """What a rule and its examples name that no intent is, each told in words."""
    bounds = sorted({*rule.intents} - known)
    examples = sorted({one.intent for one in rule.examples if one.intent} - known - {*bounds})
    return [f"rule {rule.id!r} names intent {name!r}" for name in bounds] + [
        f"an example of rule {rule.id!r} names intent {name!r}" for name in examples
    ]


def require_sound(path: Path, section: str, entries: Sequence[DatedEntry]) -> None:
    """Refuse two entries of one id in force at once, and merges that lead nowhere or in a ring."""
    problem = _unsound(entries)
    if problem is not None:
        entry_id, told = problem
        line = line_of(path, section, entry_id) if path.exists() else None
        at = f", line {line}" if line else ""
        raise RegistryError(f"{path}{at}: {section}: {told}")


def _unsound(entries: Sequence[DatedEntry]) -> tuple[str, str] | None:
    """The entry that contradicts another, by id, and how; None where all is sound."""
    merges: dict[str, str | None] = {}
    for entry in entries:
        name: str = getattr(entry, "id", "")
        if name in merges:
            return name, f"id {name!r} stands twice; retire one with retired_on"
        merges[name] = getattr(entry, "merged_into", None)
    for start, target in merges.items():
        seen = {start}
        while target is not None:
            if target in seen:
                return start, f"merged_into of {start!r} leads in a ring"
            if target not in merges:
                return start, f"merged_into of {start!r} names no entry: {target!r}"
            seen.add(target)
            target = merges[target]
    return None
