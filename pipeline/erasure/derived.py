"""What was made of somebody's conversations alone: cases they founded, modes of nobody else."""

from __future__ import annotations

import polars as pl

from pipeline.ingest.suppression import Suppression
from pipeline.lake import Lake
from pipeline.tables import FAILURE_MODE_CLUSTERS, FAILURE_MODES, PROMOTED_CASES

__all__ = ["founded_cases", "lone_modes"]


def founded_cases(lake: Lake, listed: Suppression) -> frozenset[str]:
    """Ids of cases that are digests of something that was said in a trace of theirs.

    A twin's row carries the id of the case that it joined, which is somebody else's.
    """
    found: set[str] = set()
    for window in lake.windows(PROMOTED_CASES):
        rows = lake.read(PROMOTED_CASES, window, ["case_id", "trace_id", "case"])
        is_twin = pl.col("case").str.json_path_match("$.provenance.twin_of").is_not_null()
        for case_id, trace in rows.filter(~is_twin).select("case_id", "trace_id").iter_rows():
            if listed.covers("trace", trace):
                found.add(case_id)
    return frozenset(found)


def lone_modes(lake: Lake, listed: Suppression) -> frozenset[str]:
    """Failure modes that only failures of theirs stand behind, and no word of a person's."""
    theirs: set[str] = set()
    others: set[str] = set()
    for window in lake.windows(FAILURE_MODE_CLUSTERS):
        rows = lake.read(FAILURE_MODE_CLUSTERS, window, ["trace_id", "failure_mode_id"])
        for trace, mode in rows.drop_nulls().iter_rows():
            (theirs if listed.covers("trace", trace) else others).add(mode)
    lone: set[str] = set()
    for window in lake.windows(FAILURE_MODES):
        columns = ["failure_mode_id", "merged_from", "named_by"]
        for mode, merged, named_by in lake.read(FAILURE_MODES, window, columns).iter_rows():
            ids = {mode, *(merged or ())}
            if named_by != "person" and ids & theirs and not ids & others:
                lone.add(mode)
    return frozenset(lone)
