"""Retention: raw data is dropped once its period is over, and a day without it is never run."""

from pipeline.retention.dropping import ClockAhead, Receipt, drop_expired, never_run
from pipeline.retention.expiry import Footprint, Piece, footprint, strays
from pipeline.retention.mark import PastRetention, is_past, kept_from, privacy_today, require_kept

__all__ = [
    "ClockAhead",
    "Footprint",
    "PastRetention",
    "Piece",
    "Receipt",
    "drop_expired",
    "footprint",
    "is_past",
    "kept_from",
    "never_run",
    "privacy_today",
    "require_kept",
    "strays",
]
