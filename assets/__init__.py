"""The lineage graph: thin Dagster shells over `pipeline`.

Modules that define assets have no `from __future__ import annotations`: Dagster reads the
annotation of `context` as it stands.
"""

import os
import warnings

import dagster as dg

from pipeline.files import keep_private

# Chosen knowingly: one run a range, and a first week without a predecessor.
warnings.filterwarnings(
    "ignore", r".*(backfill_policy|allow_nonexistent_upstream)", category=dg.BetaWarning
)

# Whichever way Dagster is started, it loads this first. What its processes make is their owner's
# alone, and an exception that gets past `assets.errors` is not written into the event log.
keep_private()
os.environ.setdefault("DAGSTER_REDACT_USER_CODE_ERRORS", "1")
