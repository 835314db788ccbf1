"""Texts that a holdout must stay clear of: what judges, rules and the agent's prompts are shown.

They are the rubric's definitions and worked examples, what users say in the examples beside the
rules, and the files that `promotion.prompt_files` names (the agent's prompts, few-shot examples,
fine-tuning data), as globs from the folder of the suite.
"""

from __future__ import annotations

import glob
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from pipeline.ids import digest
from pipeline.registry import Registry
from pipeline.suite.likeness import Turns, telling

__all__ = ["Prompt", "Prompts", "Triple", "read_prompts", "triples_of"]

_LARGEST = 4 * 2**20  # bytes of one file
_LARGEST_OF_ALL = 16 * 2**20  # bytes; a minute of embedding
_SENTENCES = re.compile(r"(?<=[.!?])\s+")
_SPEAKER = re.compile(r"^[\W_]*(?:(?:user|customer|human|input|question|q)\s*:)?\W*", re.IGNORECASE)
_TRIPLE = 3

Triple = tuple[str, ...]


@dataclass(frozen=True)
class Prompt:
    """A text under a name to print: "rubric, axis tone", "rule right_tool, example 1", a file."""

    name: str
    text: str

    @cached_property
    def pieces(self) -> Turns:
        """Its lines, and the sentences in them, masked, without what says nothing."""
        lines = [_SPEAKER.sub("", line) for line in self.text.splitlines()]
        sentences = [part for line in lines for part in _SENTENCES.split(line)]
        return tuple(dict.fromkeys(telling([*lines, *sentences])))

    @cached_property
    def triples(self) -> frozenset[Triple]:
        """Its word triples, whatever the lines."""
        return triples_of(" ".join(telling([self.text])))


@dataclass(frozen=True)
class Prompts:
    """The texts, what was not read and why, and a digest of all that was."""

    found: tuple[Prompt, ...]
    unread: tuple[str, ...] = ()

    @property
    def digest(self) -> str:
        """Changes when any text does."""
        return digest([[one.name, one.text] for one in self.found])


def read_prompts(registry: Registry, folder: Path) -> Prompts:
    """Gather them; `folder` is where the suite lies, from which `prompt_files` are looked for."""
    axes = [
        Prompt(f"rubric, axis {axis.id}", "\n".join((axis.definition, *axis.examples)))
        for axis in registry.rubric
    ]
    examples = [
        Prompt(f"rule {rule.id}, example {number}", "\n".join(said))
        for rule in registry.rules
        for number, example in enumerate(rule.examples, 1)
        if (said := [step.user for step in example.steps if step.user])
    ]
    files, unread = _files(registry.settings.promotion.prompt_files, folder)
    return Prompts((*axes, *examples, *files), tuple(unread))


def _files(patterns: Iterable[str], folder: Path) -> tuple[list[Prompt], list[str]]:
    found: dict[str, Prompt] = {}
    unread: list[str] = []
    read = 0
    for pattern in patterns:
        matches = sorted(_matching(pattern, folder))
        unread += [] if matches else [f"{pattern}: matches no file"]
        for name in matches:
            try:
                size = (folder / name).stat().st_size
                if size > _LARGEST or read + size > _LARGEST_OF_ALL:
                    unread.append(
                        f"{name}: {size >> 20} MB; {_LARGEST >> 20} MB of a file and "
                        f"{_LARGEST_OF_ALL >> 20} MB in all are read"
                    )
                elif name not in found:
                    raw = (folder / name).read_bytes()
                    found[name] = Prompt(name, raw.decode("utf-8", "replace"))
                    read += size
            except OSError as error:
                unread.append(f"{name}: {error.strerror}")
    return list(found.values()), unread


def _matching(pattern: str, folder: Path) -> Iterator[str]:
    for name in glob.iglob(pattern, root_dir=folder, recursive=True):
        if (folder / name).is_file():
            yield name


def triples_of(masked: str) -> frozenset[Triple]:
    """The word triples of a masked text; the whole of a shorter one."""
    words = masked.split()
    return frozenset(tuple(words[n : n + _TRIPLE]) for n in range(max(len(words) - _TRIPLE + 1, 1)))
