"""Langfuse's columns: one name for each, in whichever case an export writes it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pipeline.ingest.readers.cells import opened, plain

__all__ = ["MANIFEST", "Row", "is_known", "kind_of", "mapping", "row_of", "said", "spelled_in"]

Row = Mapping[str, Any]

MANIFEST = ("exportSource", "tables", "files")
"""Keys of the document that ends a run of the blob export; it lists the run's files."""

# Told apart by these; the blob export writes snake_case, everything else camelCase.
_OBSERVATION = ("id", "type", "start_time")
_OBSERVATION_OF = ("trace_id", "parent_observation_id")
_OBSERVATION_TOO = (
    "parent_observation_id",
    "provided_model_name",
    "usage_details",
    "model_parameters",
    "completion_start_time",
    "status_message",
)
_SCORE = ("id", "name", "source")
_SCORE_OF = ("trace_id", "observation_id", "session_id", "dataset_run_id", "subject", "project_id")
_SCORE_TOO = ("data_type", "value", "string_value")
_TRACE = ("id", "timestamp")
_TRACE_OF = ("public", "bookmarked", "html_path", "project_id")
_TRACE_TOO = ("user_id", "session_id", "release", "version", "tags", "environment")
# What Langfuse derives from the rest, prices of its own tables, and its bookkeeping.
_DERIVED = (
    "created_at",
    "updated_at",
    "latency",
    "latency_ms",
    "time_to_first_token",
    "time_to_first_token_ms",
    "input_price",
    "output_price",
    "total_price",
    "model_id",
    "internal_model_id",
    "prompt_id",
    "unit",
    "usage_pricing_tier_id",
    "usage_pricing_tier_name",
    "provided_cost_details",
    "provided_usage_details",
    "observation_count",
    "error_count",
    "warning_count",
    "default_count",
    "debug_count",
    "trace_timestamp",
    "event_ts",
    "is_deleted",
    "bookmark",
)
_USED = (
    *_OBSERVATION_OF,
    *_OBSERVATION_TOO,
    *_SCORE_OF,
    *_SCORE_TOO,
    *_TRACE_OF,
    *_TRACE_TOO,
    "name",
    "metadata",
    "level",
    "input",
    "output",
    "model",
    "end_time",
    "cost_details",
    "total_cost",
    "input_cost",
    "output_cost",
    "calculated_total_cost",
    "calculated_input_cost",
    "calculated_output_cost",
    "usage",
    "input_usage",
    "output_usage",
    "total_usage",
    "prompt_tokens",
    "completion_tokens",
    "total_tokens",
    "input_tokens",
    "output_tokens",
    "prompt_name",
    "prompt_version",
    "tool_calls",
    "tool_call_names",
    "tool_definitions",
    "trace_name",
    "trace_tags",
    "is_root_observation",
    "is_app_root",
    "comments",
    "comment",
    "observations",
    "scores",
    "author_user_id",
    "author_user_name",
    "config_id",
    "queue_id",
)


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)


_ALL = (*_OBSERVATION, *_SCORE, *_TRACE, *_DERIVED, *_USED)
_NAMES = {spelled: name for name in _ALL for spelled in (name, _camel(name))}
_KINDS = {
    "observation": (_OBSERVATION, _OBSERVATION_OF, _OBSERVATION_TOO),
    "score": (_SCORE, _SCORE_OF, _SCORE_TOO),
    "trace": (_TRACE, _TRACE_OF, _TRACE_TOO),
}
_NOTHING = ("", "null", "None")
_OPENING = ("{", "[", '"')
_WRAPPINGS = 4  # the download of a trace holds JSON text of JSON text of JSON text


def row_of(record: Mapping[str, Any]) -> dict[str, Any]:
    """The record under one name a column; a column that Langfuse has not keeps its own."""
    return {_NAMES.get(name, name): value for name, value in record.items()}


def is_known(name: str) -> bool:
    """Whether `row_of` knows the column."""
    return name in _NAMES


def kind_of(has: Callable[[str], bool]) -> str | None:
    """observation, score or trace, by the columns that a record has; None if it is none.

    Args:
        has: whether there is a column of this name, in snake_case.
    """
    for kind, (all_of, of, too) in _KINDS.items():
        if all(map(has, all_of)) and any(map(has, of)) and any(map(has, too)):
            return kind
    return None


def spelled_in(has: Callable[[str], bool]) -> Callable[[str], bool]:
    """`has` of a head, asked by one name a column."""
    return lambda name: has(name) or has(_camel(name))


def said(value: Any) -> Any:
    """A cell's value, JSON text opened however often it was wrapped; None where it says nothing.

    Text that is no object, list or quoted text stays text: an answer of `42` is no number.

    Raises:
        RecursionError: it is nested too deep.
    """
    if isinstance(value, bytes):  # ClickHouse can be set to write text as bytes to Parquet
        value = value.decode("utf-8", "replace")
    for _ in range(_WRAPPINGS):
        if not isinstance(value, str) or value.lstrip()[:1] not in _OPENING:
            break
        before, value = value, opened(value)
        if value == before:
            break
    if isinstance(value, str) and value in _NOTHING:
        return None
    return plain(value)


def mapping(value: Any) -> dict[str, Any]:
    """A cell that holds names and values: an object, its JSON text, or Parquet's list of pairs.

    A text that was spread into its characters (`{"0": "{", "1": "}"}`) is put together again.
    """
    told = said(value)
    if isinstance(told, list) and all(isinstance(p, list) and len(p) == 2 for p in told):
        told = {str(plain(name)): item for name, item in told}
    if not isinstance(told, dict):
        return {}
    if len(told) > 1 and all(
        key == str(place) and isinstance(item, str) and len(item) == 1
        for place, (key, item) in enumerate(told.items())
    ):
        whole = said("".join(told.values()))
        return whole if isinstance(whole, dict) else {}
    return told
