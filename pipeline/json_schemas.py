"""JSON schemas put to what an agent said: nothing is fetched, and every pattern is RE2's.

The library would fetch a `$ref` from the network or the disk, and Python's own patterns can take
hours for one answer (36 s for 28 letters under `^(a+)+$`). A pattern that RE2 has no word for, such
as a look-ahead, makes a schema unsound.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

import orjson
import re2
from jsonschema import Draft202012Validator, ValidationError
from jsonschema.validators import extend
from referencing import Registry

__all__ = ["patterns_of", "validator_of"]

_QUIET = re2.Options()
_QUIET.log_errors = False
_NOWHERE: Registry[Any] = Registry()  # it has no way to retrieve anything


def _found(pattern: str, text: str) -> bool:
    return re2.compile(pattern, _QUIET).search(text) is not None


def _pattern(validator: Any, pattern: str, value: Any, _: Any) -> Iterator[ValidationError]:
    if validator.is_type(value, "string") and not _found(pattern, value):
        yield ValidationError("does not match the pattern")


def _pattern_properties(
    validator: Any, patterns: Mapping[str, Any], value: Any, _: Any
) -> Iterator[ValidationError]:
    if validator.is_type(value, "object"):
        for pattern, schema in patterns.items():
            for name in [name for name in value if _found(pattern, name)]:
                yield from validator.descend(value[name], schema, path=name, schema_path=pattern)


def _additional(validator: Any, allowed: Any, value: Any, schema: Any) -> Iterator[ValidationError]:
    if not validator.is_type(value, "object"):
        return
    patterns = schema.get("patternProperties", {})
    for name in value:
        if name in schema.get("properties", {}) or any(_found(p, name) for p in patterns):
            continue
        if validator.is_type(allowed, "object"):
            yield from validator.descend(value[name], allowed, path=name)
        elif not allowed:
            yield ValidationError("more properties than are allowed")
            return


_Validator = extend(  # type: ignore[no-untyped-call]
    Draft202012Validator,
    {
        "pattern": _pattern,
        "patternProperties": _pattern_properties,
        "additionalProperties": _additional,
    },
)


@lru_cache(maxsize=256)
def validator_of(schema: bytes) -> Any:
    """The validator of a schema, given as JSON.

    Its `is_valid` and `iter_errors` raise whatever an unsound schema makes them raise.
    """
    return _Validator(orjson.loads(schema), registry=_NOWHERE)


def patterns_of(schema: Any) -> Iterator[str]:
    """Every pattern in a schema, wherever it stands."""
    if isinstance(schema, Mapping):
        if isinstance(schema.get("pattern"), str):
            yield schema["pattern"]
        if isinstance(schema.get("patternProperties"), Mapping):
            yield from schema["patternProperties"]
        for value in schema.values():
            yield from patterns_of(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from patterns_of(value)
