"""`failure_modes.yaml` while somebody adds to it: what is refused, and what stays as it was."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from pipeline.registry import Fix, NamedMode, RegistryError, load_registry, require_sound
from pipeline.registry.loading import as_of, read_entries
from pipeline.registry.writing import Change, change_file

__all__ = ["BESIDE", "Draft", "Known", "WordRefused", "Written", "draft_of", "whole_id"]

BESIDE = ("failure_modes", "fixes")
_FEWEST = 6  # signs of an id that is not whole, as in `caselaw why`
_LISTED = 5


class WordRefused(RegistryError):
    """What somebody wants to write makes no sense; nothing was written."""


@dataclass(frozen=True)
class Known:
    """The modes that the lake knows: their names, and ids that were merged away -> where to."""

    names: Mapping[str, str]
    folded: Mapping[str, str] = field(default_factory=dict)

    def whole(self, mode: str) -> str:
        """The id that `mode` is or begins, where it means one; else `mode` as it is.

        Raises:
            WordRefused: several ids begin so.
        """
        return whole_id(mode, {*self.names, *self.folded})


def whole_id(mode: str, ids: Set[str]) -> str:
    """The one of the ids that `mode` is or begins; `mode` as it is where none does.

    Raises:
        WordRefused: several begin so.
    """
    begun = sorted(one for one in ids if len(mode) >= _FEWEST and one.startswith(mode))
    if mode in ids or not begun:
        return mode
    if len(begun) > 1:
        raise WordRefused(
            f"{len(begun)} failure modes begin with {mode!r}: {', '.join(begun[:_LISTED])}; "
            "nothing was done. Write more of the id"
        )
    return begun[0]


@dataclass(frozen=True)
class Written:
    """What was written: the lines, and the ids of entries that were retired for them."""

    text: str
    retired: tuple[str, ...]


class Draft:
    """`failure_modes.yaml` while an entry is added to it."""

    def __init__(
        self, path: Path, change: Change, day: date, entries: tuple[NamedMode, ...]
    ) -> None:
        self._path = path
        self._change = change
        self._day = day
        self._entries = entries
        self.in_force = {e.id: n for n, e in enumerate(entries) if e.holds(day)}

    def follow(self, mode: str) -> str:
        """Where people's merges took a mode."""
        while mode in self.in_force and (after := self._entries[self.in_force[mode]].merged_into):
            mode = after
        return mode

    def require_known(self, mode: str, known: Known) -> None:
        """Refuse an id that neither the lake nor the registry has, or that lives on as another."""
        if mode in known.folded and mode not in self.in_force:
            raise WordRefused(
                f"{mode!r} lives on as {known.folded[mode]!r}; nothing was written. Use that id, "
                f"or take the merge back: caselaw modes unmerge {mode}"
            )
        if mode not in known.names and mode not in self.in_force:
            raise WordRefused(
                f"no failure mode has the id {mode!r}; nothing was written. "
                "To list them: caselaw modes ls"
            )

    def say(self, mode: str, known: Known, said: Mapping[str, Any]) -> Written:
        """Append an entry that says something more of a mode, unless it was merged away."""
        self.require_known(mode, known)
        old = self.entry(mode)
        if old is not None and old.merged_into:
            raise WordRefused(
                f"{mode!r} was merged into {old.merged_into!r}; nothing was written. "
                f"To take that back first: caselaw modes unmerge {mode}"
            )
        return self.add(mode, said, {"id": mode, "name": known.names.get(mode, mode)})

    def entry(self, mode: str) -> NamedMode | None:
        """The entry in force."""
        position = self.in_force.get(mode)
        return None if position is None else self._entries[position]

    def add(self, mode: str, said: Mapping[str, Any], fresh: Mapping[str, Any]) -> Written:
        """Append an entry with the fields of the one in force, changed, and retire that one.

        Where none is in force the new one begins with the fields of `fresh`.
        """
        position, old = self.in_force.get(mode), self.entry(mode)
        if old is not None and old.retired_on:
            raise WordRefused(
                f"what is said of {mode!r} on {self._day} holds until {old.retired_on}, when "
                f"another entry takes over; nothing was written. Say --from {old.retired_on} or "
                "later, or change those entries by hand"
            )
        fields = dict(fresh)
        if old is not None:
            fields = old.model_dump(exclude={"effective_from", "retired_on"}, exclude_defaults=True)
        try:
            wanted = NamedMode(**fields | dict(said), effective_from=self._day)
        except ValidationError as error:
            field = error.errors(include_url=False, include_input=False)[0]
            where = ".".join(map(str, field["loc"]))
            raise WordRefused(f"{where}: {field['msg']}; nothing was written") from None
        if old is not None and wanted == old.model_copy(update={"effective_from": self._day}):
            raise WordRefused(f"that is what stands of {mode!r} already; nothing was written")
        rest = wanted.model_dump(exclude={"effective_from", "retired_on"}, exclude_defaults=True)
        entry = {"id": rest.pop("id"), "name": rest.pop("name"), "effective_from": self._day}
        if position is not None:
            self._change.retire("failure_modes", position, self._day)
        text = self._change.append("failure_modes", entry | rest)
        return Written(text, () if position is None else (mode,))

    def claim(self, fix: Fix) -> Written:
        """Append a claim of a fix."""
        entry = {name: value for name, value in fix.model_dump().items() if value}
        order = ("mode", "release", "effective_from", "note")
        return Written(self._change.append("fixes", {k: entry[k] for k in order if k in entry}), ())

    def check(self, path: Path) -> None:
        """Every other entry is as it was, and the file can be read on every day from now on."""
        now = read_entries(path, "failure_modes", NamedMode, BESIDE)
        read_entries(path, "fixes", Fix, BESIDE)
        if list(map(_undated, now[: len(self._entries)])) != list(map(_undated, self._entries)):
            raise RegistryError(
                f"{self._path} is written in a way that this command cannot add to; it was left "
                "as it is. Add the entry by hand"
            )
        turns = {day for e in now for day in (e.effective_from, e.retired_on) if day}
        for day in sorted({self._day, *(turn for turn in turns if turn > self._day)}):
            require_sound(self._path, "failure_modes", as_of(now, day))


def _undated(entry: NamedMode) -> NamedMode:
    return entry.model_copy(update={"retired_on": None})


@contextmanager
def draft_of(folder: Path, day: date) -> Iterator[Draft]:
    """Open the file for adding; it is checked as a whole, and saved, when the block is left."""
    path = folder / "failure_modes.yaml"
    load_registry(folder, day)  # what is broken is told before anything is added
    entries = read_entries(path, "failure_modes", NamedMode, BESIDE)
    drafts: list[Draft] = []
    with change_file(path, lambda aside: drafts[0].check(aside)) as change:
        drafts.append(Draft(path, change, day, entries))
        yield drafts[0]
