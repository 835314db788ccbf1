"""Tells what a kind of rule takes, in the words of who writes YAML."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

__all__ = ["parameter_lines"]

_PLAIN: Final = {
    "string": "text",
    "integer": "whole number",
    "number": "number",
    "boolean": "true or false",
    "object": "mapping",
}


def parameter_lines(schema: Mapping[str, Any]) -> list[str]:
    """A line a parameter: name, type, default, meaning; below it, indented, what it is made of.

    Args:
        schema: the JSON schema of the kind's parameters.
    """
    return list(_lines(schema, schema.get("$defs", {}), "  "))


def _lines(schema: Mapping[str, Any], known: Mapping[str, Any], indent: str) -> Iterator[str]:
    required = schema.get("required", ())
    for name, told in schema.get("properties", {}).items():
        if name == "kind":
            continue
        need = "required" if name in required else f"default {_value(told.get('default'))}"
        meaning = f": {told['description']}" if "description" in told else ""
        yield f"{indent}{name} ({_type(told)}, {need}){meaning}"
        inner = told.get("items", {}).get("$ref", "").rpartition("/")[2]
        if inner:
            yield from _lines(known[inner], known, f"{indent}  ")


def _type(told: Mapping[str, Any]) -> str:
    if "enum" in told:
        return " or ".join(map(str, told["enum"]))
    if "anyOf" in told:
        return " or ".join(_type(one) for one in told["anyOf"] if one.get("type") != "null")
    if told.get("type") == "array":
        return f"list of {_type(told.get('items', {}))}"
    return _PLAIN.get(told.get("type", "object"), "mapping")


def _value(default: Any) -> str:
    if isinstance(default, list | tuple):
        return ", ".join(map(str, default)) or "empty"
    return {None: "none", True: "true", False: "false"}.get(default, str(default))
