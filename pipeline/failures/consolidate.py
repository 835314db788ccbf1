"""The weekly chain: modes that keep their ids, and the join from every day's ids to them.

The week replays its days. Each day's clusters are a function of that day's grades, the modes of
the week before and the registry, and so can be made again here, with the ids they founded. Modes
that days founded apart and the week finds alike are folded under the oldest id (by day, then by
the alphabet); every other id goes to `merged_from`. So do known modes that have become alike
(merging.py). A mode that has drifted apart is split (splitting.py): `split_from` names the old
one, under which the week's days still have the failures; `signatures` tells them apart. So an
analyst can join any day's `failure_mode_id` to the week's table: it is the id itself or stands in
one `merged_from`. That holds as long as the thresholds in the settings do not change within the
week.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace

import numpy as np
import polars as pl

from pipeline.embedding import Embedder
from pipeline.failures.assign import embed_signatures, names_of
from pipeline.failures.folding import fold_modes, move_ids, settled_heirs
from pipeline.failures.founding import fold_founded, replay_days
from pipeline.failures.known import read_known
from pipeline.failures.matching import Assignment, match_signatures
from pipeline.failures.merging import alike_modes
from pipeline.failures.model_names import Namer
from pipeline.failures.records import (
    ModeRecord,
    Week,
    add_week,
    grow_quiet,
    settle,
    to_records,
)
from pipeline.failures.signatures import Failures, collect_failures
from pipeline.failures.splitting import split_modes
from pipeline.failures.vectors import Matrix, centre
from pipeline.provenance import Counts
from pipeline.registry import NamedMode, Registry
from pipeline.tables import FAILURE_MODES
from pipeline.windows import Window

__all__ = ["Modes", "consolidate_modes"]


@dataclass(frozen=True)
class Modes:
    """The modes as of a week's end: `frame` fits `failure_modes`, `counts` are failures."""

    frame: pl.DataFrame
    counts: Counts


def consolidate_modes(
    grades: pl.DataFrame,
    modes_before: pl.DataFrame | None,
    registry: Registry,
    embedder: Embedder,
    window: Window,
    namer: Namer | None = None,
) -> Modes:
    """Carry the failure modes through one week.

    Args:
        grades: `grades` of the week's days, with a `day` (pl.Date).
        modes_before: `failure_modes` of the week before; None or empty in the first week.
        registry: as of the week's end.
        embedder: maps signatures to vectors.
        window: the week.
        namer: gives new modes a name; without one, and where it has none, their terms do.

    A week without failures carries every mode forward as quiet, ignored or archived.
    """
    failures = collect_failures(grades, registry)
    named = registry.failure_modes
    known = read_known(modes_before, named)
    vectors = embed_signatures(failures.signatures, embedder)
    at_end = match_signatures(
        failures.signatures, vectors, known, named, registry.settings.failures
    )
    founded = replay_days(failures, vectors, known, registry, window)
    final, folded = fold_founded(founded, at_end, failures.signatures, vectors, registry)
    assigned = {
        key: replace(found, mode_id=final.get(key, found.mode_id)) for key, found in at_end.items()
    }
    before = to_records(modes_before)
    leaving = split_modes(before, failures, assigned, vectors, registry)
    assigned |= {
        key: replace(assigned[key], mode_id=new, provisional=True)
        for key, (new, _) in leaving.items()
    }
    records = _add_failures(before, failures, assigned, vectors, registry)
    for new, old in set(leaving.values()):
        records[new] = replace(records[new], split_from=old)
    for old, new in sorted(folded.items()):
        records[new] = replace(
            records[new], merged_from=tuple(sorted({*records[new].merged_from, old}))
        )
    records = fold_modes(records, settled_heirs(records, known, assigned))
    heirs = alike_modes(before, records, failures, assigned, vectors, registry)
    records = fold_modes(records, heirs, alike=True)
    assigned = {
        key: replace(found, mode_id=heirs.get(found.mode_id, found.mode_id))
        for key, found in assigned.items()
    }
    records = move_ids(records, known, heirs, registry)
    names = names_of(failures, assigned, known, named)
    words = {mode.id: mode for mode in named}
    after = registry.settings.failures.archive_after_weeks
    made = _ask_names(records, words, failures, assigned, namer) if namer else {}
    settled = [
        settle(
            record,
            words.get(mode_id),
            made.get(mode_id) or names.get(mode_id, mode_id),
            window.first,
            after,
            "model" if made.get(mode_id) else "terms",
        )
        for mode_id, record in sorted(records.items())
    ]
    rows = [asdict(record) for record in settled]
    frame = pl.DataFrame(rows, schema=FAILURE_MODES.schema) if rows else FAILURE_MODES.empty()
    return Modes(
        FAILURE_MODES.conform(frame),
        Counts("failures", failures.records_in, failures.rows.height, failures.duplicates),
    )


def _ask_names(
    records: Mapping[str, ModeRecord],
    words: Mapping[str, NamedMode],
    failures: Failures,
    assigned: Mapping[str, Assignment],
    namer: Namer,
) -> dict[str, str | None]:
    """Names for modes that have none yet, from the commonest descriptions of the week."""
    of = {key: found.mode_id for key, found in assigned.items()}
    owner = pl.col("signature").replace_strict(of, default=None, return_dtype=pl.String)
    often = (
        failures.rows.group_by(owner.alias("mode"), "description")
        .len()
        .sort("mode", "len", "description", descending=[False, True, False])
        .group_by("mode", maintain_order=True)
        .agg("description")
    )
    made = {
        mode: namer.name(mode, said)
        for mode, said in often.iter_rows()
        if mode not in words and not records[mode].name
    }
    taken = Counter(made.values())
    given = {*(one.name for one in records.values()), *(one.name for one in words.values())}
    taken.update(given - {""})
    return {
        mode: f"{name} ({mode[-4:]})" if name and taken[name] > 1 else name
        for mode, name in made.items()
    }


def _add_failures(
    records: dict[str, ModeRecord],
    failures: Failures,
    assigned: Mapping[str, Assignment],
    vectors: Mapping[str, Matrix],
    registry: Registry,
) -> dict[str, ModeRecord]:
    """Add the week's failures to their modes and move signatures that changed hands."""
    changed = {mode_id: grow_quiet(record) for mode_id, record in records.items()}
    keys: dict[str, list[str]] = {}
    for key, found in sorted(assigned.items()):
        keys.setdefault(found.mode_id, []).append(key)
    for mode_id, record in records.items():
        lost = {k for k in record.signatures if k in assigned and assigned[k].mode_id != mode_id}
        if lost:
            left = tuple(k for k in record.signatures if k not in lost)
            changed[mode_id] = replace(changed[mode_id], signatures=left)
    decay = registry.settings.failures.centroid_decay
    of = {key: found.mode_id for key, found in assigned.items()}
    owner = pl.col("signature").replace_strict(of, default=None, return_dtype=pl.String)
    for (mode_id,), rows in failures.rows.with_columns(owner.alias("mode")).group_by("mode"):
        own = keys[str(mode_id)]
        middle = centre(np.vstack([vectors[key] for key in own]))
        near = {key: round(float(vectors[key] @ middle), 6) for key in own}
        week = Week(
            rows.sort("day", "trace_id", "check"),
            tuple(own),
            np.vstack([vectors[key] for key in own]),
            tuple(near[key] for key in rows.sort("day", "trace_id", "check")["signature"]),
        )
        changed[str(mode_id)] = add_week(changed.get(str(mode_id)), str(mode_id), week, decay)
    return changed
