"""What published files were made from, by the digests in their footers, and what is there now."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from pipeline.datadir import DataDir
from pipeline.files import sha256
from pipeline.lake import CorruptPartition, Lake
from pipeline.registry import Registry, load_registry
from pipeline.retention.mark import is_past
from pipeline.tables import ALL, EVAL_SUITE, PROMOTED_CASES, QUARANTINED_RECORDS, Table
from pipeline.windows import Window

__all__ = ["DAILY", "WEEKLY", "DatedRegistry", "Made", "outdated"]

DAILY = [t for t in ALL.values() if t.unit == "day" and t is not QUARANTINED_RECORDS]
WEEKLY = [t for t in ALL.values() if t.unit == "week"]


_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


@dataclass
class DatedRegistry:
    """The registry as of any window, read once for all windows between two dates it speaks of."""

    folder: Path
    _read: dict[tuple[int, int], Registry] = field(default_factory=dict)

    def as_of(self, window: Window) -> Registry:
        """The registry on the last day of a window.

        Raises:
            RegistryError: a file is missing or wrong.
        """
        instant = window.days[-1].key
        between = bisect_left(self._dates, instant), bisect_right(self._dates, instant)
        if between not in self._read:
            self._read[between] = load_registry(self.folder, window)
        return self._read[between]

    @cached_property
    def _dates(self) -> list[str]:
        """Every date that stands in a file: what an entry says changes on no other day."""
        files = filter(Path.is_file, self.folder.glob("*.yaml"))  # a named pipe would be waited for
        texts = (path.read_text("utf-8", "replace") for path in files)
        return sorted({date for text in texts for date in _DATE.findall(text)})


def outdated(place: DataDir) -> dict[Window, list[str]]:
    """Days and weeks that were run to their end, but not on what they would be run on now.

    Returns:
        For each what has changed: tables of other days or weeks, and sections of the registry.
    """
    lake = Lake(place)
    made = Made(lake)
    found: dict[Window, list[str]] = {}
    for table in (*DAILY, *WEEKLY):
        for window in lake.windows(table):
            if not is_past(place, window):
                changed = set(made.changed(table, window)) | set(made.redated(table, window))
                found.setdefault(window, []).extend(sorted(changed))
    return {window: sorted(set(found[window])) for window in sorted(found) if found[window]}


@dataclass
class Made:
    """What published files were made from, and what lies there now."""

    lake: Lake
    _now: dict[tuple[str, str], dict[str, str]] = field(default_factory=dict)

    @cached_property
    def _registry(self) -> DatedRegistry:
        return DatedRegistry(self.lake.place.registry)

    def why_again(self, window: Window, tables: list[Table]) -> str | None:
        """Why a window is to be run (again); None where it was run to its end."""
        lacking = [table.name for table in tables if not self.lake.exists(table, window)]
        if len(lacking) == len(tables):
            return "never run"
        if lacking:
            return f"stopped before {lacking[0]}"
        own = {str(window), *map(str, window.days)}
        for table in tables:
            footer = self._footer(table, window)
            if footer is None:
                return f"{table.name} cannot be read"
            if footer.get("schema_version") != table.version:
                return f"{table.name} has the columns of another version"
            if changed := self.changed(table, window, own):
                return f"{changed[0]} is newer than {table.name}"
        return None

    def changed(self, table: Table, window: Window, own: set[str] | None = None) -> list[str]:
        """Tables whose partitions lie there otherwise than when this one was made of them."""
        found = []
        for name, seen in self._seen(table, window, "inputs").items():
            source, _, rest = name.partition("/")
            partition, _, file = rest.partition("/")
            if source in ALL and file and (own is None or partition in own):
                now = self._digest(ALL[source], partition, file)
                if now is not None and now != seen:
                    found.append(source)
        return found

    def redated(self, table: Table, window: Window) -> list[str]:
        """Sections of the registry that say something else of the window than they did."""
        now = self._registry.as_of(window).digests
        seen = self._seen(table, window, "registry")
        return [section for section, digest in seen.items() if now.get(section, digest) != digest]

    def suite_is_old(self) -> bool:
        """Whether the suite was made of other decisions than there are, or cannot be read."""
        footer = self._footer(EVAL_SUITE, None) if self.lake.exists(EVAL_SUITE, None) else None
        if footer is None or footer.get("schema_version") != EVAL_SUITE.version:
            return True
        inputs = self._seen(EVAL_SUITE, None, "inputs")
        named = {name for name in inputs if name.startswith(f"{PROMOTED_CASES.name}/")}
        there = {
            f"{PROMOTED_CASES.name}/{window}/part-0.parquet"
            for window in self.lake.windows(PROMOTED_CASES)
        }
        return named != there or any(
            self._digest(PROMOTED_CASES, *name.split("/")[1:]) != inputs[name] for name in named
        )

    def _seen(self, table: Table, window: Window | None, what: str) -> dict[str, str]:
        return dict((self._footer(table, window) or {}).get(what, {}))

    def _footer(self, table: Table, window: Window | None) -> dict[str, Any] | None:
        """What a file was made from; None where it is torn."""
        try:
            return self.lake.footer(table, window)
        except CorruptPartition:
            return None

    def _digest(self, table: Table, partition: str, file: str) -> str | None:
        """The sha256 of a published file; None where there is none any more."""
        key = (table.name, partition)
        if key not in self._now:
            unit, first = table.unit, partition.partition("=")[2]
            files = self.lake.files(table, Window(unit, first) if unit else None)
            self._now[key] = {path.name: sha256(path) for path in files}
        return self._now[key].get(file)
