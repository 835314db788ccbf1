"""A day's failures, each with its mode."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from pipeline.embedding import Embedder
from pipeline.failures.known import KnownModes, read_known
from pipeline.failures.matching import Assignment, match_signatures
from pipeline.failures.naming import name_modes
from pipeline.failures.signatures import Failures, Signature, collect_failures
from pipeline.failures.vectors import Matrix, signature_vectors
from pipeline.provenance import Counts
from pipeline.registry import NamedMode, Registry
from pipeline.tables import FAILURE_MODE_CLUSTERS

__all__ = ["Clusters", "assign_modes", "embed_signatures", "names_of"]


@dataclass(frozen=True)
class Clusters:
    """A day's failures by mode: `frame` fits `failure_mode_clusters`, `counts` are failures."""

    frame: pl.DataFrame
    counts: Counts


def assign_modes(
    grades: pl.DataFrame, modes_before: pl.DataFrame | None, registry: Registry, embedder: Embedder
) -> Clusters:
    """Give every failing trace and check of a day its failure mode.

    Args:
        grades: the day's `grades`.
        modes_before: `failure_modes` of the week before the day's; None or empty: none known.
        registry: named modes, titles of rules, thresholds.
        embedder: maps signatures to vectors.
    """
    failures = collect_failures(grades, registry)
    named = registry.failure_modes
    known = read_known(modes_before, named)
    vectors = embed_signatures(failures.signatures, embedder)
    modes = match_signatures(failures.signatures, vectors, known, named, registry.settings.failures)
    names = names_of(failures, modes, known, named)
    keys = failures.rows["signature"].to_list()
    frame = failures.rows.with_columns(
        pl.Series("failure_mode_id", [modes[key].mode_id for key in keys], pl.String),
        pl.Series("name", [names[modes[key].mode_id] for key in keys], pl.String),
        pl.Series("similarity", [modes[key].similarity for key in keys], pl.Float64),
        pl.Series("provisional", [modes[key].provisional for key in keys], pl.Boolean),
    )
    return Clusters(
        FAILURE_MODE_CLUSTERS.conform(frame.select(FAILURE_MODE_CLUSTERS.schema.names())),
        Counts("failures", failures.records_in, frame.height, failures.duplicates),
    )


def embed_signatures(signatures: Mapping[str, Signature], embedder: Embedder) -> dict[str, Matrix]:
    """The vector of every signature, by key."""
    keys = sorted(signatures)
    return dict(
        zip(keys, signature_vectors([signatures[key] for key in keys], embedder), strict=True)
    )


def names_of(
    failures: Failures,
    modes: Mapping[str, Assignment],
    known: KnownModes,
    named: Sequence[NamedMode],
) -> dict[str, str]:
    """The name of every mode met: a person's, else the one it has, else from its terms."""
    sizes = dict(failures.rows["signature"].value_counts().iter_rows())
    members: dict[str, dict[Signature, int]] = {}
    for key, assigned in sorted(modes.items()):
        members.setdefault(assigned.mode_id, {})[failures.signatures[key]] = sizes.get(key, 1)
    given = dict(known.names) | {mode.id: mode.name for mode in named}
    taken = set(given.values())
    made = {
        mode: f"{name} ({mode[-4:]})" if name in taken else name
        for mode, name in name_modes(members).items()
    }
    return made | given
