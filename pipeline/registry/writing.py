"""Adds entries to a registry file as a person would: everything else in it stays as it is."""

from __future__ import annotations

import fcntl
import json
import os
import stat
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import yaml

from pipeline.files import replace_file, sweep
from pipeline.registry.loading import RegistryError, read_yaml

__all__ = ["Change", "Entry", "RegistryEdited", "change_file"]

Entry = Mapping[str, Any]


class RegistryEdited(RegistryError):
    """Somebody saved the file while it was being changed; it was left as they saved it."""


class Change:
    """The text of a registry file, and what is to be done to it.

    An entry is retired by a line of its own and a new one appended to its list: comments, order
    and the wording of all other entries are kept.
    """

    def __init__(self, path: Path, text: str) -> None:
        self._path = path
        self._lines = text.splitlines(keepends=True)
        if self._lines and not self._lines[-1].endswith("\n"):
            self._lines[-1] += "\n"

    @property
    def text(self) -> str:
        """The text as it is now."""
        return "".join(self._lines)

    def append(self, section: str, entry: Entry) -> str:
        """Append an entry to the list of a section, which is made where there is none.

        Returns:
            The lines that were added.

        Raises:
            RegistryError: the list is written in one line, which only a person should rewrite.
        """
        listed = self._section(section)
        if listed is None:
            added = [f"\n{section}:\n", *_written(entry, 2)]
            self._lines += added
        elif not listed.value:
            line = listed.start_mark.line
            head = self._lines[line][: listed.start_mark.column].rstrip()
            added = _written(entry, 2)
            self._lines[line : line + 1] = [f"{head}\n", *added]
        elif listed.flow_style:
            raise RegistryError(
                f"{self._path}, line {listed.start_mark.line + 1}: {section} is written in one "
                "line; write it as a list, an entry a line, and run the command again"
            )
        else:
            added = _written(entry, listed.start_mark.column)
            at = _last_line(listed.value[-1]) + 1
            self._lines[at:at] = added
        return "".join(added).lstrip("\n")

    def retire(self, section: str, position: int, day: date) -> None:
        """Say of the entry at `position` that it holds until `day`."""
        listed = self._section(section)
        assert listed is not None
        node = listed.value[position]
        if node.flow_style:
            mark = node.end_mark
            line = self._lines[mark.line]
            at = mark.column - 1
            self._lines[mark.line] = f"{line[:at].rstrip()}, retired_on: {day}{line[at:]}"
            return
        key, value = node.value[0]
        indent = " " * key.start_mark.column
        self._lines.insert(_last_line(value) + 1, f"{indent}retired_on: {day}\n")

    def _section(self, section: str) -> Any:
        root = yaml.compose(self.text, yaml.SafeLoader)
        pairs = root.value if root is not None else []
        return next((value for key, value in pairs if key.value == section), None)


@contextmanager
def change_file(path: Path, check: Callable[[Path], None]) -> Iterator[Change]:
    """Change a registry file in a `with` block, and swap it in once `check` has found it sound.

    Args:
        path: the file.
        check: called with a path of the new text, in the same directory; raises where it is wrong.

    Raises:
        RegistryEdited: somebody saved the file meanwhile.
        RegistryError: the file cannot be read, or `check` refuses it. The file is as it was.
    """
    read_yaml(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)  # two of these commands at once take turns
        sweep(path.parent)  # what such a command left that was killed
        before = path.read_bytes()
        change = Change(path, before.decode("utf-8"))
        yield change
        mode = stat.S_IMODE(path.stat().st_mode)
        with replace_file(path, mode) as aside:
            aside.write_text(change.text, "utf-8")
            check(aside)
            if path.read_bytes() != before:
                raise RegistryEdited(
                    f"{path} was saved by somebody else meanwhile and was left as it is. "
                    "Run the command again"
                )
    finally:
        os.close(folder)


def _last_line(node: Any) -> int:
    """The line on which the text of a node ends, comments after it left out."""
    if isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
        last = node.value[-1]
        return _last_line(last[1] if isinstance(last, tuple) else last)
    mark = node.end_mark
    # a block of text ends where the next line begins
    return int(mark.line - 1 if mark.column == 0 and mark.line else mark.line)


def _written(entry: Entry, indent: int) -> list[str]:
    """An entry as lines of YAML, its texts quoted."""
    lines = [f"{name}: {_value(value)}\n" for name, value in entry.items()]
    margin = " " * indent
    return [f"{margin}- {lines[0]}", *(f"{margin}  {line}" for line in lines[1:])]


def _value(value: Any) -> str:
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Sequence) and not isinstance(value, str):
        return f"[{', '.join(_value(one) for one in value)}]"
    return f'"{"".join(map(_escaped, value))}"' if isinstance(value, str) else json.dumps(value)


def _escaped(char: str) -> str:
    """A character in double quotes; JSON's two halves of a rare one are none to YAML."""
    if ord(char) > 0xFFFF:
        return char if char.isprintable() else f"\\U{ord(char):08X}"
    return json.dumps(char, ensure_ascii=not char.isprintable())[1:-1]
