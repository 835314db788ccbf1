"""Where the real traces and labelled texts of other projects lie, if they are there."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["SHARED"]

SHARED = Path(
    os.environ.get("CASELAW_SHARED") or Path(__file__).resolve().parents[2] / "shared" / "data"
)
"""The folder that CASELAW_SHARED names, else the one beside the checkout; may be absent."""
