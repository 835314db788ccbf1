"""The suite: what all days, people's verdicts and the file that people edit make together."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from pipeline.embedding import Embedder, word_embedder
from pipeline.failures import merged_ids, resolve_modes
from pipeline.promotion.expiry import VERSIONS, versions_in_force
from pipeline.provenance import Counts
from pipeline.registry import Registry
from pipeline.suite.choosing import choose_cases
from pipeline.suite.edits import merge_case
from pipeline.suite.file import read_preamble, read_suite, render_suite
from pipeline.suite.folding import Entry, fold_candidates, read_entries, source_of
from pipeline.suite.lessons import Chosen, Variant, variant_of
from pipeline.suite.lifetimes import LastSeen, with_lifetime
from pipeline.suite.likeness import Likeness, turns_of
from pipeline.suite.people import Voices, hear_people
from pipeline.suite.prompts import Prompt
from pipeline.suite.splits import Member, assign_splits, published_split
from pipeline.suite.writing import Conflict, index_suite, write_case

__all__ = ["Suite", "assemble_suite"]


@dataclass(frozen=True)
class Suite:
    """The suite: `text` is the file, `frame` fits `eval_suite`, `counts` are candidates.

    Attributes:
        before: the cases of the file as it was, by id.
        cases: those of the file as it will be.
        conflicts: where a person and the pipeline both changed a field; the person's version is
            in the file.
        kept: ids in the file that no candidate stands behind.
    """

    text: str
    frame: pl.DataFrame
    counts: Counts
    before: Mapping[str, dict[str, Any]]
    cases: Mapping[str, dict[str, Any]]
    conflicts: tuple[Conflict, ...]
    kept: tuple[str, ...]


def assemble_suite(
    promoted: pl.DataFrame,
    annotations: pl.DataFrame,
    modes: pl.DataFrame | None,
    existing: str | None,
    registry: Registry,
    erased: Collection[str] = frozenset(),
    *,
    prompts: Sequence[Prompt] = (),
    embedder: Embedder | None = None,
) -> Suite:
    """Decide the suite.

    Args:
        promoted: `promoted_cases` of all days, with a `day` (pl.Date).
        annotations: people's verdicts, schema of `pipeline.review.annotations`.
        modes: `failure_modes` of the latest week, or None.
        existing: the text of `cases_from_prod.yaml` as it is, or None.
        registry: named modes and settings.
        erased: ids of cases that went when a person was erased; so did those that the file names
            as its tombstones.
        prompts: texts that the holdout must stay clear of.
        embedder: of what users said; none: the word embedder.

    A case comes in when its day promoted it, when all days show the pattern that its day lacked,
    or when more people call its trace bad than good; and then not beyond `cases_per_lesson` cases
    of one mode and intent. It leaves only when more people call it good than bad. What is
    published stays, under its id and in its split. It retires while its mode is closed, or has not
    failed for `retire_after_days`.

    Raises:
        SuiteFileError: the existing file is broken; nothing was written.
    """
    file = read_suite(existing)
    erased = frozenset(erased) | file.tombstones
    published = {name: case for name, case in file.cases.items() if name not in erased}
    limits = registry.settings.promotion
    likeness = Likeness(embedder or word_embedder(), limits.duplicate_meaning)
    voices = hear_people(annotations)
    records = resolve_modes(modes, registry.failure_modes)
    every = read_entries(promoted, merged_ids(modes, registry.failure_modes))
    entries = [entry for entry in every if entry.case_id not in erased]
    folds = fold_candidates(entries, published, limits.duplicate_similarity)
    chosen, filtered, gone = choose_cases(folds, entries, published, voices, registry, likeness)
    sources = {entry.trace_id: entry.session for entry in entries}
    kept = _kept(published, {one.fold.case_id for one in chosen} | gone, voices)
    members = [_member(one, published) for one in chosen]
    members += [_member_kept(name, published[name], sources) for name in kept]
    splits = assign_splits(members, prompts, likeness, limits)
    seen = LastSeen(every, records)
    in_force, under = versions_in_force(promoted), _versions(every)
    cases: dict[str, dict[str, Any]] = {name: published[name] for name in kept}
    conflicts: list[Conflict] = []
    for one in chosen:
        name = one.fold.case_id
        quiet = seen.is_quiet(one.fold, one.head.mode_id, limits.retire_after_days)
        because = "" if one.active and not quiet else "mode_quiet" if one.active else "mode_closed"
        written = write_case(
            one, records, registry, splits[name], because, in_force, under[variant_of(one.head)]
        )
        merged = merge_case(written, published.get(name))
        cases[name] = with_lifetime(merged.case, published.get(name), because, seen.today)
        conflicts += [Conflict(name, f, cases[name].get(f), written[f]) for f in merged.conflicts]
    filtered |= {"erased": len(every) - len(entries)} if len(every) > len(entries) else {}
    joined = sum(len(one.fold.entries) - 1 for one in chosen)
    ordered = {name: cases[name] for name in sorted(cases)}
    sessions = {member.case_id: member.session for member in members}
    return Suite(
        render_suite(list(ordered.values()), erased, read_preamble(existing)),
        index_suite(ordered, sessions, conflicts),
        Counts("candidates", len(every), len(chosen), joined, filtered=filtered),
        file.cases,
        ordered,
        tuple(sorted(conflicts, key=lambda c: (c.case_id, c.field))),
        tuple(kept),
    )


def _versions(entries: Sequence[Entry]) -> dict[Variant, dict[str, set[str]]]:
    """The versions of policy and prompt that failures of each variant came under, by field.

    A failure that is still one under the new policy says that what its cases expect still holds.
    """
    found: dict[Variant, dict[str, set[str]]] = {}
    for entry in entries:
        seen = found.setdefault(variant_of(entry), {name: set() for name in VERSIONS})
        for name, version in entry.versions.items():
            seen[name] |= {version} if version else set()
    return found


def _kept(
    published: Mapping[str, Mapping[str, Any]], settled: Collection[str], voices: Voices
) -> list[str]:
    """Cases of the file that no candidate stands behind, but for those that people turned down."""
    kept = []
    for name, case in published.items():
        trace, check = source_of(case)
        if name not in settled and not voices.take_out(voices.on(trace, check, "judge"), [trace]):
            kept.append(name)
    return sorted(kept)


def _member(one: Chosen, published: Mapping[str, Mapping[str, Any]]) -> Member:
    before = published.get(one.fold.case_id)
    return Member(
        one.fold.case_id,
        one.fold.group,
        one.head.session,
        turns_of(before or one.head.case),
        published_split(before),
        (one.head.day.isoformat(), one.head.trace_id),
    )


def _member_kept(name: str, case: Mapping[str, Any], sessions: Mapping[str, str]) -> Member:
    trace, _ = source_of(case)
    origin = case.get("provenance")
    origin = origin if isinstance(origin, Mapping) else {}
    return Member(
        name,
        str(origin.get("duplicate_group") or name),
        sessions.get(trace, trace if trace else name),
        turns_of(case),
        published_split(case) or "regression",
        (str(origin.get("day") or ""), trace),
    )
