"""Ingest: whatever landed becomes canonical conversations; what cannot be read is kept."""

from pipeline.ingest.days.assembly import Assembly, SourcesGone, TooManyQuarantined, assemble_day
from pipeline.ingest.index.known import landed_files
from pipeline.ingest.index.landed import LandedFile
from pipeline.ingest.landing import LandingError, land

__all__ = [
    "Assembly",
    "LandedFile",
    "LandingError",
    "SourcesGone",
    "TooManyQuarantined",
    "assemble_day",
    "land",
    "landed_files",
]
