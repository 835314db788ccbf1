"""Reads the registry's YAML: safely, with errors that name file, line and field."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from pipeline.windows import FIRST_DAY

__all__ = [
    "DatedEntry",
    "Entry",
    "RegistryError",
    "as_of",
    "entry_lines",
    "read_entries",
    "read_yaml",
]

_LARGEST = 4 * 2**20  # bytes; a registry is written by people


class RegistryError(ValueError):
    """A registry file cannot be used; the message names file, line, field and what is wrong."""


class DatedEntry(BaseModel):
    """An entry that holds from a day on, and is retired or merged rather than edited in place."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    effective_from: date = FIRST_DAY
    retired_on: date | None = None

    def holds(self, instant: date) -> bool:
        """Whether the entry is in force on `instant`, the last day of a window."""
        return self.effective_from <= instant and not (
            self.retired_on is not None and self.retired_on <= instant
        )


Entry = TypeVar("Entry", bound=DatedEntry)


class _PlainLoader(yaml.SafeLoader):
    """Safe YAML without anchors (which can swell) that refuses repeated keys."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            raise yaml.MarkedYAMLError(
                problem="aliases are not read",
                problem_mark=self.peek_event().start_mark,  # type: ignore[no-untyped-call]
            )
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[Any] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if key in seen:
                raise yaml.MarkedYAMLError(
                    problem=f"key {key!r} stands twice", problem_mark=key_node.start_mark
                )
            seen.add(key)
        return super().construct_mapping(node, deep)


def read_yaml(path: Path) -> Any:
    """Read one YAML file with the safe loader; an empty file is None.

    Raises:
        RegistryError: unreadable, too large, not UTF-8, not YAML, an alias or a repeated key.
    """
    try:
        raw = path.read_bytes()
        if len(raw) > _LARGEST:
            raise RegistryError(f"{path}: {len(raw)} bytes, more than the {_LARGEST} that are read")
        return yaml.load(raw.decode("utf-8"), _PlainLoader)  # noqa: S506 - a safe loader
    except (OSError, UnicodeDecodeError) as error:
        raise RegistryError(f"{path}: {error}") from error
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else "?"
        raise RegistryError(f"{path}, line {line}: {error.problem}") from error
    except yaml.YAMLError as error:
        raise RegistryError(f"{path}: {error}") from error


def read_entries(path: Path, section: str, model: type[Entry]) -> tuple[Entry, ...]:
    """Read the list under the one top-level key `section` of a registry file.

    Raises:
        RegistryError: naming the file, the line of the entry and the field.
    """
    body = read_yaml(path)
    if not isinstance(body, dict) or set(body) != {section} or not isinstance(body[section], list):
        raise RegistryError(f"{path}: expected one top-level key {section!r} that holds a list")
    lines = entry_lines(path)
    entries = []
    for position, raw in enumerate(body[section]):
        try:
            entries.append(model.model_validate(raw))
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            field = ".".join(str(part) for part in first["loc"]) or "(entry)"
            raise RegistryError(
                f"{path}, line {lines[position]}: {section}[{position}].{field}: {first['msg']}"
            ) from error
    return tuple(entries)


def as_of(entries: tuple[Entry, ...], instant: date) -> tuple[Entry, ...]:
    """The entries in force on `instant`, in the file's order."""
    return tuple(entry for entry in entries if entry.holds(instant))


def entry_lines(path: Path) -> list[int]:
    """The line on which each entry of the file's one list starts."""
    root = yaml.compose(path.read_text("utf-8"), yaml.SafeLoader)
    listed = root.value[0][1].value if root is not None else []
    return [item.start_mark.line + 1 for item in listed]
