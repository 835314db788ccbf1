"""The sentences of customers and of the agent, by language; two sets that share no wording."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import yaml

from .plan import Phrases

_HERE: Final = Path(__file__).parent / "phrases"
_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
Book = Mapping[str, tuple[str, ...]]


def _flatten(node: object, prefix: str = "") -> dict[str, tuple[str, ...]]:
    if isinstance(node, Mapping):
        flat: dict[str, tuple[str, ...]] = {}
        for key, value in node.items():
            flat |= _flatten(value, f"{prefix}.{key}" if prefix else str(key))
        return flat
    lines = node if isinstance(node, list) else [node]
    return {prefix: tuple(str(line) for line in lines)}


@functools.cache
def load(phrases: Phrases, lang: str) -> Book:
    """The sentences of one set and language: dotted key to its wordings.

    Args:
        phrases: `tuned`, or `held_out` for paraphrases nobody tuned on.
        lang: ISO 639-1 code of the language.

    Returns:
        Wordings by key; a wording may hold `{slots}`.
    """
    path = _HERE / phrases / f"{lang}.yaml"
    return _flatten(yaml.load(path.read_text(encoding="utf-8"), Loader=_LOADER))  # noqa: S506
