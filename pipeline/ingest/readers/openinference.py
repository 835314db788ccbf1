"""Attributes as Phoenix keeps them, brought back to OpenInference's flat names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pipeline.ingest.readers.cells import plain

__all__ = ["LISTS", "STRUCTURES", "flat_attributes", "otlp_attributes"]

# The lists that OpenInference spreads over indexed names.
LISTS = (
    "llm.input_messages",
    "llm.output_messages",
    "llm.prompts",
    "llm.choices",
    "llm.tools",
    "retrieval.documents",
    "reranker.input_documents",
    "reranker.output_documents",
    "embedding.embeddings",
)

# Phoenix parses these when it takes a span in, and its API spreads them over flat names.
STRUCTURES = ("metadata", "tool.parameters", "llm.prompt_template.variables")
# What may be a structure as the value of one attribute.
_WHOLE = (".metadata", ".value", ".content", ".arguments", ".json_schema", ".parameters")
_VECTOR = "embedding.vector"


def flat_attributes(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Attributes under flat names, whether they came flat, nested, or as lists of structures.

    `{"llm": {"input_messages": [{"message.role": "user"}]}}` and the column
    `llm.input_messages` with that list both give `llm.input_messages.0.message.role`; `metadata`,
    `tool.parameters` and prompt variables become one structure each. Vectors are left out.
    """
    flat: dict[str, Any] = {}
    folded: dict[str, Any] = {}
    for name, value in attributes.items():
        _spread(str(name), plain(value), flat)
    for name in list(flat):
        root = next((root for root in STRUCTURES if name.startswith(root + ".")), None)
        if root is not None:
            _fold(folded.setdefault(root, {}), name[len(root) + 1 :].split("."), flat.pop(name))
    for root, structure in folded.items():
        flat.setdefault(root, _lists(structure))
    return flat


def otlp_attributes(pairs: Iterable[Any]) -> dict[str, Any]:
    """A list of OTLP key-value pairs; kinds of value that are not set may stand there as null."""
    return {str(pair["key"]): _value(pair.get("value")) for pair in pairs}


def _value(wrapped: Any) -> Any:
    if not isinstance(wrapped, Mapping):
        return wrapped
    for kind, value in wrapped.items():
        if value is None:
            continue
        match kind:
            case "array_value" | "arrayValue":
                return [_value(item) for item in value.get("values") or ()]
            case "kvlist_value" | "kvlistValue":
                return otlp_attributes(value.get("values") or ())
            case "int_value" | "intValue":
                return int(value)
            case _:
                return value
    return None


def _spread(name: str, value: Any, flat: dict[str, Any], listed: bool = False) -> None:
    if value is None or name.endswith(_VECTOR):
        return
    if isinstance(value, dict) and name not in STRUCTURES and not name.endswith(_WHOLE):
        for key, inner in value.items():
            _spread(f"{name}.{key}", inner, flat, listed)
    elif isinstance(value, list) and (listed or name in LISTS) and not name.endswith(_WHOLE):
        for index, item in enumerate(value):
            _spread(f"{name}.{index}", item, flat, listed=True)
    else:
        flat[name] = value


def _fold(node: dict[str, Any], path: list[str], value: Any) -> None:
    *branches, leaf = path
    for name in branches:
        below = node.get(name)
        if not isinstance(below, dict):
            below = node[name] = {}
        node = below
    node[leaf] = value


def _lists(node: Any) -> Any:
    """Branches named 0, 1, 2 as the list they were."""
    if not isinstance(node, dict):
        return node
    if node and list(node) == [str(index) for index in range(len(node))]:
        return [_lists(item) for item in node.values()]
    return {name: _lists(item) for name, item in node.items()}
