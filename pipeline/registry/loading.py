"""Reads the registry's YAML: safely, with errors that name file, line and field."""

from __future__ import annotations

from collections.abc import Sequence
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
    "complain",
    "line_of",
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

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        """A value, or a complaint with its line: of `!!bool x` PyYAML says KeyError."""
        try:
            value = super().construct_object(node, deep)
        except (ValueError, OverflowError, KeyError, AttributeError):
            raise yaml.MarkedYAMLError(
                problem="no number, date or truth value", problem_mark=node.start_mark
            ) from None
        if isinstance(value, str) and any("\ud800" <= char <= "\udfff" for char in value):
            raise yaml.MarkedYAMLError(
                problem="half a character (a lone surrogate)", problem_mark=node.start_mark
            )
        return value

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
            if not isinstance(key_node, yaml.ScalarNode):
                raise yaml.MarkedYAMLError(
                    problem="a key is a plain word", problem_mark=key_node.start_mark
                )
            key = self.construct_object(key_node, deep=True)
            if key in seen:
                raise yaml.MarkedYAMLError(
                    problem=f"key {key!r} stands twice", problem_mark=key_node.start_mark
                )
            seen.add(key)
        return super().construct_mapping(node, deep)

    def construct_date(self, node: yaml.ScalarNode) -> Any:
        """A date, or a complaint with its line where there is no such day."""
        try:
            return super().construct_yaml_timestamp(node)
        except ValueError as error:
            raise yaml.MarkedYAMLError(
                problem=f"no such day: {error}", problem_mark=node.start_mark
            ) from None


_PlainLoader.add_constructor("tag:yaml.org,2002:timestamp", _PlainLoader.construct_date)


def read_yaml(path: Path) -> Any:
    """Read one YAML file with the safe loader; an empty file is None.

    Raises:
        RegistryError: no regular file, unreadable, too large, not UTF-8, not YAML, an alias or a
            repeated key.
    """
    try:
        if path.exists() and not path.is_file():  # to open a named pipe would wait for ever
            raise RegistryError(f"{path}: no regular file")
        size = path.stat().st_size
        if size > _LARGEST:
            raise RegistryError(f"{path}: {size} bytes, more than the {_LARGEST} that are read")
        raw = path.read_bytes()
        return yaml.load(raw.decode("utf-8"), _PlainLoader)  # noqa: S506 - a safe loader
    except (OSError, UnicodeDecodeError) as error:
        raise RegistryError(f"{path}: {error}") from error
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else "?"
        raise RegistryError(f"{path}, line {line}: {error.problem}") from error
    except yaml.YAMLError as error:
        raise RegistryError(f"{path}: {error}") from error
    except RecursionError:
        raise RegistryError(f"{path}: nested too deeply to be read") from None


def read_entries(
    path: Path, section: str, model: type[Entry], beside: Sequence[str] = ()
) -> tuple[Entry, ...]:
    """Read the list under the top-level key `section` of a registry file.

    Args:
        path: the file.
        section: the key; where `beside` names it too, the file may leave it out.
        model: what each item of the list is.
        beside: other keys that may stand in the file, each with a list of its own.

    Raises:
        RegistryError: naming the file, the line of the entry and the field.
    """
    body = read_yaml(path)
    other = set(beside) - {section}
    needed = {section} - set(beside)
    if not isinstance(body, dict) or not needed <= set(body) <= {section, *other}:
        also = f", and beside it {', '.join(map(repr, sorted(other)))} alone" if other else ""
        raise RegistryError(
            f"{path}: expected one top-level key {section!r} that holds a list{also}"
        )
    if not isinstance(body.get(section, []), list):
        raise RegistryError(f"{path}: the top-level key {section!r} has to hold a list")
    entries = []
    for position, raw in enumerate(body.get(section, [])):
        try:
            entries.append(model.model_validate(raw))
        except ValidationError as error:
            raise RegistryError(complain(path, (section, position), error)) from error
    return tuple(entries)


def complain(path: Path, entry: tuple[str, int], error: ValidationError) -> str:
    """What is wrong with an entry, with file, line and field, for who writes a registry.

    Args:
        path: the file.
        entry: the name of its list, and the position in it.
        error: its first complaint is told.
    """
    first = error.errors(include_url=False, include_input=False)[0]
    line, field = _find(path, (*entry, *first["loc"]), missing=first["type"] == "missing")
    told = first["msg"].removeprefix("Value error, ")
    if first["type"] == "extra_forbidden":
        told = "there is no such field"
    if first["type"] == "union_tag_invalid":
        told = f"there is no kind {first['ctx']['tag']!r}; `caselaw rules kinds` lists them"
    return f"{path}, line {line}: {field}: {told}"


def as_of(entries: tuple[Entry, ...], instant: date) -> tuple[Entry, ...]:
    """The entries in force on `instant`, in the file's order."""
    return tuple(entry for entry in entries if entry.holds(instant))


def line_of(path: Path, section: str, entry_id: str) -> int | None:
    """The line of the last entry with an id in a list of the file; None where there is none."""
    listed = (read_yaml(path) or {}).get(section) or []
    places = [n for n, entry in enumerate(listed) if entry.get("id") == entry_id]
    return _find(path, (section, places[-1]), missing=False)[0] if places else None


def _find(path: Path, place: tuple[int | str, ...], *, missing: bool) -> tuple[int, str]:
    """The line of a place in a file, and its name, as `rules[3].params.turns`.

    Of a `missing` field the line is that of what it is missing in; other parts that are not in
    the file stand for the choice of a model and are left out.
    """
    node = yaml.compose(path.read_text("utf-8"), yaml.SafeLoader)
    line, name = 1, ""
    for part in place:
        inner = None
        if isinstance(node, yaml.MappingNode):
            inner = next(((k, v) for k, v in node.value if k.value == str(part)), None)
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int):
            inner = (node.value[part],) * 2 if part < len(node.value) else None
        if inner is not None:
            line, node = inner[0].start_mark.line + 1, inner[1]
        if inner is not None or (missing and part == place[-1]):
            name += f"[{part}]" if isinstance(part, int) else f".{part}" if name else str(part)
    return line, name
