"""What all kinds of rules share: strict parameters, sound patterns and JSON schemas."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

import re2
from jsonschema import Draft202012Validator, SchemaError
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from pipeline.json_schemas import patterns_of

__all__ = ["JsonSchema", "Parameters", "Pattern"]

_QUIET = re2.Options()
_QUIET.log_errors = False  # the refusal says it, with file, line and field


def _compiles(pattern: str) -> str:
    try:
        re2.compile(pattern, _QUIET)
    except re2.error as error:
        reason = error.args[0]
        text = reason.decode() if isinstance(reason, bytes) else str(reason)
        raise ValueError(f"not an RE2 pattern: {text}") from error
    return pattern


Pattern = Annotated[str, Field(min_length=1, max_length=500), AfterValidator(_compiles)]
"""An RE2 pattern: linear in the text it reads, whatever the text."""


def _sound(schema: dict[str, Any]) -> dict[str, Any]:
    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        where = ".".join(map(str, error.absolute_path)) or "(schema)"
        raise ValueError(f"no JSON schema: {where}") from None
    outside = [ref for ref in _refs(schema) if not str(ref).startswith("#")]
    if outside:
        raise ValueError(f"$ref {outside[0]!r} leads out of the schema; nothing is fetched")
    for pattern in patterns_of(schema):
        _compiles(pattern)
    return schema


def _refs(schema: Any) -> Iterator[Any]:
    if isinstance(schema, dict):
        yield from (
            schema[key] for key in ("$ref", "$dynamicRef") if isinstance(schema.get(key), str)
        )
        for value in schema.values():
            yield from _refs(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from _refs(value)


JsonSchema = Annotated[dict[str, Any], AfterValidator(_sound)]
"""A JSON schema (2020-12) that stands by itself."""


class Parameters(BaseModel):
    """The parameters of one kind of rule."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)
