"""Texts that are asked again and again whether they mention a value."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import Any, Final

from pipeline.grading.rules.reading import plain

__all__ = ["Texts"]

_WORD: Final = re.compile(r"\w+")


class Texts:
    """A growing collection; each text is read once, however many values are looked for.

    A value is mentioned as whole words, however they are joined (see `plain`): all its words are
    then words of the text, so that only the texts which hold its rarest word are searched.
    """

    def __init__(self) -> None:
        self._texts: list[str] = []
        self._holding: dict[str, list[str]] = defaultdict(list)
        self._mentioned: set[str] = set()

    def add(self, text: str) -> None:
        """Take a text in."""
        told = plain(text)
        self._texts.append(told)
        for word in set(_WORD.findall(told)):
            self._holding[word].append(told)

    def mention(self, value: Any) -> bool:
        """Whether one of the texts mentions a value."""
        wanted = plain(value)
        if wanted not in self._mentioned:
            sought = re.compile(rf"(?<!\w){re.escape(wanted)}(?!\w)")
            if not any(wanted in text and sought.search(text) for text in self._places(wanted)):
                return False
            self._mentioned.add(wanted)  # texts are only ever added
        return True

    def _places(self, wanted: str) -> list[str]:
        words = _WORD.findall(wanted)
        listed = [self._holding.get(word, []) for word in words]
        return min(listed, key=len) if listed else self._texts
