"""Who opted out by the registry's list: found in a day's traces by id or by keyed digest."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

import orjson
import polars as pl

from pipeline.ids import keyed_digest
from pipeline.ingest.safety import folded, safe_id
from pipeline.registry import OptOut

__all__ = ["Kind", "listed_traces", "opt_out_digest"]

Kind = Literal["user", "tenant", "trace"]


def opt_out_digest(kind: Kind, value: str, user_key: bytes) -> str:
    """What stands for an id in the list and in the lake; nobody without the key can guess it.

    Args:
        kind: of a user it is the trace's `user_key`; a trace id that is plain stays as it is.
        value: the id as traces carry it.
        user_key: the content key's subkey for users.
    """
    if kind == "trace":
        return str(safe_id(folded(value), user_key))
    return keyed_digest(user_key, kind, value)


def listed_traces(
    traces: pl.DataFrame,
    opt_outs: Iterable[OptOut],
    user_key: bytes,
    tenant_attributes: Sequence[str],
) -> frozenset[str]:
    """The ids of those traces of `raw_traces` that somebody on the list is the user or tenant of.

    Args:
        traces: columns trace_id, member_trace_ids, user_key and attributes.
        opt_outs: the list as of the day.
        user_key: the content key's subkey for users.
        tenant_attributes: keys of attributes whose value names a tenant.
    """
    entries = list(opt_outs)
    users = _named("user", (u for entry in entries for u in entry.users), user_key)
    tenants = _named("tenant", (t for entry in entries for t in entry.tenants), user_key)
    ids = _named("trace", (t for entry in entries for t in entry.traces), user_key)
    if not (users or tenants or ids):
        return frozenset()
    return frozenset(
        trace_id
        for trace_id, members, user, attributes in traces.select(
            "trace_id", "member_trace_ids", "user_key", "attributes"
        ).iter_rows()
        if user in users
        or not ids.isdisjoint((trace_id, *(members or ())))
        or (tenants and not tenants.isdisjoint(_tenants(attributes, tenant_attributes, user_key)))
    )


def _named(kind: Kind, given: Iterable[str], user_key: bytes) -> set[str]:
    """Each as it was given, which may be a digest, and its digest."""
    values = list(given)
    return {*values, *(opt_out_digest(kind, value, user_key) for value in values)}


def _tenants(attributes: str | None, keys: Sequence[str], user_key: bytes) -> set[str]:
    """The tenants that a trace names, as digests."""
    try:
        said = orjson.loads(attributes or "{}")
    except orjson.JSONDecodeError:
        return set()
    named = [said[key] for key in keys if key in said] if isinstance(said, dict) else []
    return {opt_out_digest("tenant", str(value), user_key) for value in named}
