"""The lineage graph: thin Dagster shells over `pipeline`.

Modules that define assets have no `from __future__ import annotations`: Dagster reads the
annotation of `context` as it stands.
"""

import warnings

import dagster as dg

# Chosen knowingly: one run a range, and a first week without a predecessor.
warnings.filterwarnings(
    "ignore", r".*(backfill_policy|allow_nonexistent_upstream)", category=dg.BetaWarning
)
