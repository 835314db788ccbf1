"""What must hold of published partitions, as plain functions that answer with numbers.

Each takes the lake, the registry as of the partition's end and the partition.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

import polars as pl

from pipeline.files import sha256
from pipeline.lake import Lake
from pipeline.provenance import ConservationError, Counts
from pipeline.redaction import Names, PiiPolicy
from pipeline.redaction.audit import find_residue, texts_of
from pipeline.registry import Registry
from pipeline.tables import (
    FAILURE_MODE_CLUSTERS,
    GRADES,
    JUDGE_CALIBRATION_REPORTS,
    PROMOTED_CASES,
    QUARANTINED_RECORDS,
    RAW_TRACES,
    REDACTED_TRACES,
    STRATIFIED_SAMPLES,
    Table,
)
from pipeline.windows import Window

__all__ = [
    "Finding",
    "conserves_records",
    "every_failure_has_a_mode",
    "every_failure_is_decided",
    "every_sample_is_redacted",
    "every_trace_is_graded",
    "graders_work",
    "is_intact",
    "page_exists",
    "probabilities_are_sound",
    "quarantine_is_small",
    "residue_at_rest",
    "trust_is_earned",
    "week_is_whole",
]

_ROUNDING = 1e-5  # probabilities and weights are stored with six decimals
_GRADER_ERRORS = 0.05


@dataclass(frozen=True)
class Finding:
    """Whether something holds, and the numbers it was judged by (never text of a trace)."""

    passed: bool
    facts: Mapping[str, int | float] = field(default_factory=dict)


def conserves_records(table: Table, lake: Lake, window: Window | None) -> Finding:
    """The footer's counts obey in = out + duplicates + quarantined + filtered."""
    counts = Counts(**lake.footer(table, window)["counts"])
    facts = {"in": counts.records_in, "out": counts.records_out}
    try:
        counts.check(table.name)
    except ConservationError:
        return Finding(False, facts)
    return Finding(True, facts)


def is_intact(table: Table, lake: Lake, window: Window | None) -> Finding:
    """The file has the bytes that its manifest names and the columns that the table has today."""
    file = lake.directory(table, window) / "part-0.parquet"
    manifest = json.loads((file.parent / "_manifest.json").read_bytes())
    same = manifest[file.name]["sha256"] == sha256(file)
    current = lake.footer(table, window)["schema_version"] == table.version
    return Finding(same and current, {"bytes_as_published": same, "columns_of_today": current})


def quarantine_is_small(lake: Lake, registry: Registry, day: Window) -> Finding:
    """Ingest and redaction together set aside no more than `ingest.quarantine_ratio`."""
    traces = lake.read(RAW_TRACES, day).height
    aside = lake.read(QUARANTINED_RECORDS, day).height
    limit = registry.settings.ingest.quarantine_ratio
    return Finding(aside <= limit * (traces + aside), {"quarantined": aside, "traces": traces})


def probabilities_are_sound(lake: Lake, registry: Registry, day: Window) -> Finding:
    """Inclusion probabilities lie in (0, 1], weights are their inverse, n_h is at most N_h."""
    p, weight = pl.col("inclusion_probability"), pl.col("weight")
    sound = p.is_between(0, 1, closed="right") & ((weight * p - 1).abs() < _ROUNDING * weight)
    rows = lake.read(STRATIFIED_SAMPLES, day)
    wrong = rows.filter(~(sound & (pl.col("sample") <= pl.col("population"))).fill_null(False))
    return Finding(wrong.is_empty(), {"sampled": rows.height, "unsound": wrong.height})


def every_sample_is_redacted(lake: Lake, registry: Registry, day: Window) -> Finding:
    """Each sampled conversation was redacted or quarantined, and no other was redacted."""
    sampled = set(lake.read(STRATIFIED_SAMPLES, day)["trace_id"])
    redacted = set(lake.read(REDACTED_TRACES, day)["trace_id"])
    aside = lake.read(QUARANTINED_RECORDS, day).filter(pl.col("stage") == "redaction")
    lost = sampled - redacted - set(aside["trace_id"])
    strange = redacted - sampled
    return Finding(not lost and not strange, {"lost": len(lost), "not_sampled": len(strange)})


def every_trace_is_graded(lake: Lake, registry: Registry, day: Window) -> Finding:
    """Each redacted conversation has a verdict, and no verdict is on another."""
    redacted = set(lake.read(REDACTED_TRACES, day)["trace_id"])
    graded = set(lake.read(GRADES, day)["trace_id"])
    return Finding(
        redacted == graded,
        {"ungraded": len(redacted - graded), "not_redacted": len(graded - redacted)},
    )


def graders_work(lake: Lake, registry: Registry, day: Window) -> Finding:
    """At most 5 % of the verdicts are errors of a grader."""
    verdicts = lake.read(GRADES, day)["verdict"]
    errors = int((verdicts == "error").sum())
    return Finding(
        errors <= _GRADER_ERRORS * len(verdicts), {"errors": errors, "verdicts": len(verdicts)}
    )


def every_failure_has_a_mode(lake: Lake, registry: Registry, day: Window) -> Finding:
    """Each failed check of a conversation belongs to exactly one failure mode."""
    failed = lake.read(GRADES, day).filter(pl.col("verdict") == "fail")
    placed = lake.read(FAILURE_MODE_CLUSTERS, day)
    return _covered(failed, placed.filter(pl.col("failure_mode_id").is_not_null()))


def every_failure_is_decided(lake: Lake, registry: Registry, day: Window) -> Finding:
    """Each failed check of a conversation was promoted, sent to review or rejected."""
    decided = lake.read(PROMOTED_CASES, day)
    known = decided.filter(pl.col("decision").is_in(["promoted", "review", "rejected"]))
    found = _covered(lake.read(FAILURE_MODE_CLUSTERS, day), known)
    return Finding(found.passed and known.height == decided.height, found.facts)


def page_exists(lake: Lake, registry: Registry, day: Window) -> Finding:
    """The day's page lies under `reports/`, as HTML and as Markdown."""
    folder = lake.place.reports / str(day)
    there = sum((folder / f"summary.{kind}").exists() for kind in ("html", "md"))
    return Finding(there == 2, {"pages": there})


def week_is_whole(lake: Lake, registry: Registry, week: Window) -> Finding:
    """All seven days of the week were graded."""
    graded = sum(lake.exists(GRADES, day) for day in week.days)
    return Finding(graded == len(week.days), {"days": graded})


def trust_is_earned(lake: Lake, registry: Registry, week: Window) -> Finding:
    """A judge is trusted only with enough labels and enough agreement with people."""
    limits = registry.settings.calibration
    trusted = lake.read(JUDGE_CALIBRATION_REPORTS, week).filter(pl.col("trusted"))
    wrong = trusted.filter(
        (pl.col("n") < limits.labels) | (pl.col("agreement") < limits.agreement - _ROUNDING)
    )
    return Finding(wrong.is_empty(), {"trusted": trusted.height, "without_reason": wrong.height})


def residue_at_rest(
    redacted: pl.DataFrame, policy: PiiPolicy, names: Names | None = None
) -> list[str]:
    """Entities of which a value has its unmistakable shape in any text of `redacted`."""
    columns = [
        name for name, column in REDACTED_TRACES.columns.items() if column.privacy == "redacted"
    ]
    texts = {
        text
        for row in redacted.select(columns).iter_rows(named=True)
        for text in texts_of(row, policy)
    }
    return sorted(find_residue(sorted(texts), (), policy, names))


def _covered(wanted: pl.DataFrame, found: pl.DataFrame) -> Finding:
    missing = wanted.join(found, on=["trace_id", "check"], how="anti")
    return Finding(missing.is_empty(), {"failures": wanted.height, "missing": missing.height})
