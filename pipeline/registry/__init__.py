"""The registry: what people own and edit, as it stood on a given day."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
    entry_lines,
    read_entries,
    read_yaml,
)
from pipeline.registry.modes import NamedMode
from pipeline.registry.opt_outs import OptOut
from pipeline.registry.rubric import Axis
from pipeline.registry.rules import Rule
from pipeline.registry.settings import Settings, SettingsEntry, settings_as_of
from pipeline.windows import Window

__all__ = [
    "UNKNOWN",
    "Axis",
    "DatedEntry",
    "Intent",
    "NamedMode",
    "OptOut",
    "Registry",
    "RegistryError",
    "Rule",
    "Settings",
    "load_registry",
    "read_yaml",
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

    def digests_of(self, *sections: str) -> dict[str, str]:
        """The digests of the sections that a step read."""
        return {section: self.digests[section] for section in sections}


def load_registry(folder: Path, window: Window | date) -> Registry:
    """Read the registry as it stood on the last day of `window`.

    Raises:
        RegistryError: a file is missing or wrong, an id stands twice, a merge leads nowhere.
    """
    instant = window.days[-1].first if isinstance(window, Window) else window
    intents = _section(folder, "intents", Intent, instant)
    rules = _section(folder, "rules", Rule, instant)
    rubric = _section(folder, "rubric", Axis, instant)
    modes = _section(folder, "failure_modes", NamedMode, instant)
    settings = _settings(folder / "settings.yaml", instant)
    entries: dict[str, tuple[DatedEntry, ...]] = {
        "intents": intents, "rules": rules, "rubric": rubric, "failure_modes": modes,
    }  # fmt: skip
    digests = {
        name: digest([entry.model_dump(mode="json") for entry in found])
        for name, found in entries.items()
    }
    for section, value in settings.model_dump(mode="json").items():
        digests[f"settings.{section}"] = digest(value)
    return Registry(settings, intents, rules, rubric, modes, digests, _opt_outs(folder, instant))


def settings_today(folder: Path) -> Settings:
    """The settings in force now: for what is done now, not for a day's own run.

    Raises:
        RegistryError: the file is missing or wrong.
    """
    return _settings(folder / "settings.yaml", datetime.now(UTC).date())


def _section(folder: Path, name: str, model: type[Entry], instant: date) -> tuple[Entry, ...]:
    path = folder / f"{name}.yaml"
    found = as_of(read_entries(path, name, model), instant)
    try:
        _require_sound(found)
    except _Unsound as error:
        raise RegistryError(f"{path}, line {_line_of(path, error.id)}: {name}: {error}") from None
    return found


class _Unsound(ValueError):
    """Entries that contradict one another; `id` is that of the last."""

    def __init__(self, id: str, problem: str) -> None:
        super().__init__(problem)
        self.id = id


def _line_of(path: Path, entry_id: str) -> int:
    """The line of the last entry with an id."""
    raw = read_yaml(path)
    (listed,) = raw.values()
    lines = entry_lines(path)
    return [n for n, entry in zip(lines, listed, strict=True) if entry.get("id") == entry_id][-1]


def _opt_outs(folder: Path, instant: date) -> tuple[OptOut, ...]:
    """Who opted out; a registry of before there was such a file has none."""
    path = folder / "opt_outs.yaml"
    return as_of(read_entries(path, "opt_outs", OptOut), instant) if path.exists() else ()


def _settings(path: Path, instant: date) -> Settings:
    try:
        return settings_as_of(read_entries(path, "settings", SettingsEntry), instant)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        field = ".".join(str(part) for part in first["loc"])
        raise RegistryError(f"{path}: {field}: {first['msg']}") from error


def _require_sound(entries: Sequence[DatedEntry]) -> None:
    """Refuse two entries of one id in force at once, and merges that lead nowhere or in a ring."""
    merges: dict[str, str | None] = {}
    for entry in entries:
        name: str = getattr(entry, "id", "")
        if name in merges:
            raise _Unsound(name, f"id {name!r} stands twice; retire one with retired_on")
        merges[name] = getattr(entry, "merged_into", None)
    for start, target in merges.items():
        seen = {start}
        while target is not None:
            if target in seen:
                raise _Unsound(start, f"merged_into of {start!r} leads in a ring")
            if target not in merges:
                raise _Unsound(start, f"merged_into of {start!r} names no entry: {target!r}")
            seen.add(target)
            target = merges[target]
