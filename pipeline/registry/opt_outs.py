"""Users, tenants and traces that are never sampled: registry/opt_outs.yaml."""

from __future__ import annotations

from pydantic import Field

from pipeline.registry.loading import DatedEntry

__all__ = ["OptOut"]


class OptOut(DatedEntry):
    """Some who opted out, each by the id as it stands in traces or by its keyed digest.

    An id is personal data wherever it is written down: `caselaw opt-out` prints the digest.
    """

    users: tuple[str, ...] = Field((), description="user ids, or their digests (user_key)")
    tenants: tuple[str, ...] = Field((), description="values of privacy.tenant_attributes")
    traces: tuple[str, ...] = Field((), description="trace ids, of any trace of a conversation")
