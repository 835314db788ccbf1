"""Failure modes: failures that are the same, found by the day, kept over the weeks, with names."""

from pipeline.failures.assign import Clusters, assign_modes
from pipeline.failures.consolidate import Modes, consolidate_modes
from pipeline.failures.model_names import ModelNamer, Namer
from pipeline.failures.records import ModeRecord, merged_ids, resolve_modes
from pipeline.failures.remote_vectors import RemoteVectors
from pipeline.failures.signatures import Signature, mask

__all__ = [
    "Clusters",
    "ModeRecord",
    "ModelNamer",
    "Modes",
    "Namer",
    "RemoteVectors",
    "Signature",
    "assign_modes",
    "consolidate_modes",
    "mask",
    "merged_ids",
    "resolve_modes",
]
