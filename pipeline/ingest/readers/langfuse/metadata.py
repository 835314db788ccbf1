"""Langfuse's metadata: what the user put there, and the OpenTelemetry span it was made from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from pipeline.ingest.readers.langfuse.columns import mapping, said

__all__ = ["Metadata", "metadata_of"]

_ATTRIBUTES, _RESOURCE = "attributes", "resourceAttributes"
_SCOPE, _SCOPE_ATTRIBUTES = "scope", "scopeAttributes"
_PLACES = (_ATTRIBUTES, _RESOURCE, _SCOPE, _SCOPE_ATTRIBUTES)
_SCOPE_NAME, _SCOPE_VERSION = "otel.scope.name", "otel.scope.version"


class Metadata(msgspec.Struct, frozen=True):
    """The original span's attributes and resource (with the scope's name), and the user's own."""

    attributes: Mapping[str, Any]
    resource: Mapping[str, Any]
    own: Mapping[str, Any]


def metadata_of(value: Any) -> Metadata:
    """Take a metadata cell apart: nested, as JSON text, or flat.

    Langfuse 4 stores it flat (`resourceAttributes.service.name`). The name of an attribute holds
    dots of its own, so only the first part is the place.

    Raises:
        RecursionError: it is nested too deep.
    """
    places: dict[str, dict[str, Any]] = {place: {} for place in _PLACES}
    own: dict[str, Any] = {}
    for name, item in mapping(value).items():
        place, _, rest = name.partition(".")
        if name in places and (told := mapping(item)):
            places[name] |= {key: part for key, part in told.items() if part is not None}
        elif place in places and rest and item is not None:
            places[place][rest] = item
        elif (given := said(item)) is not None:
            own[name] = given
    resource, scope = dict(places[_RESOURCE]), places[_SCOPE]
    for part, name in (("name", _SCOPE_NAME), ("version", _SCOPE_VERSION)):
        if (given := scope.get(part)) and isinstance(given, str):
            resource[name] = given
    return Metadata(places[_ATTRIBUTES], resource, own)
