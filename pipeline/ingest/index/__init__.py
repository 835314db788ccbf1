"""The landing index: every landing file read once, into tables that any day picks its own from."""

from pipeline.ingest.index.known import (
    forget_file,
    forget_files,
    landed_files,
    lying_and_known,
    purge_index,
    remembered_files,
    settled_files,
)
from pipeline.ingest.index.landed import IndexFailed, LandedFile

__all__ = [
    "IndexFailed",
    "LandedFile",
    "forget_file",
    "forget_files",
    "landed_files",
    "lying_and_known",
    "purge_index",
    "remembered_files",
    "settled_files",
]
