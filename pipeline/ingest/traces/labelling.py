"""Labels made safe: what developers name stays, what may be personal becomes a digest under a key.

An index that any day reads has no key. Where a label needs one, it waits as it came, and
`relabelled` makes it safe when a day asks for the row.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from pipeline.ingest.safety import safe_label

__all__ = ["LABELS", "Labels", "relabelled"]

LABELS = (
    "service", "agent_name", "agent_version", "release", "prompt_version", "policy_version",
    "environment", "error",
)  # fmt: skip
"""Columns of `raw_traces` that hold a label each."""
_WITHIN: Mapping[str, Any] = {
    **{name: {} for name in LABELS},
    "messages": {
        "tool_calls": {"id": {}, "name": {}}, "tool_call_id": {}, "name": {}, "finish_reason": {},
    },
    "tool_calls": {"call_id": {}, "name": {}, "error": {}},
    "retrievals": {"documents": {"id": {}}},
    "feedback": {"scores": {"name": {}, "label": {}}},
}  # fmt: skip


class Labels(dict[str | None, str | None]):
    """Labels made safe, each once; without a key `waiting` tells whether one needs it."""

    def __init__(self, content_key: bytes | None) -> None:
        self._key = content_key
        self.waiting = False

    def __missing__(self, value: str | None) -> str | None:
        made = safe_label(value, self._key or b"")
        if self._key is None and made != value:
            self.waiting, made = True, value
        self[value] = made
        return made


def relabelled(table: pa.Table, content_key: bytes) -> pa.Table:
    """Rows of `raw_traces` whose labels stand as they came, with all of them safe."""
    label, columns = Labels(content_key), dict(zip(table.column_names, table.columns, strict=True))
    for name, within in _WITHIN.items():
        columns[name] = _relabelled(columns[name].combine_chunks(), within, label)
    models = [sorted(str(label[m]) for m in used) for used in columns["models"].to_pylist()]
    columns["models"] = pa.array(models, columns["models"].type)
    return pa.Table.from_arrays([*columns.values()], schema=table.schema.remove_metadata())


def _relabelled(array: pa.Array, within: Mapping[str, Any], label: Labels) -> pa.Array:
    kind = array.type
    if pa.types.is_large_list(kind):
        values = _relabelled(array.values, within, label)
        return pa.LargeListArray.from_arrays(array.offsets, values)
    if pa.types.is_struct(kind):
        leaves = [
            _relabelled(array.field(n), within[field.name], label)
            if field.name in within
            else array.field(n)
            for n, field in enumerate(kind)
        ]
        return pa.StructArray.from_arrays(leaves, fields=list(kind))
    return pa.array([label[value] for value in array.to_pylist()], kind)
