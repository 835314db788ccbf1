"""Where the holdout leaks: a text of it near to an example or a prompt, or a session torn apart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pipeline.registry.settings import Promotion
from pipeline.suite.lifetimes import is_retired
from pipeline.suite.likeness import Likeness, Turns, turns_of
from pipeline.suite.prompts import Prompt, Triple, triples_of

__all__ = ["Leak", "find_leaks", "near_prompts"]


@dataclass(frozen=True)
class Leak:
    """A case of the holdout, and what it is too near to: the id of a case, or a prompt's name."""

    case_id: str
    of: str
    why: Literal["example", "by_hand", "session", "duplicate", "prompt"]


def find_leaks(
    cases: Mapping[str, Mapping[str, Any]],
    by_hand: Mapping[str, Mapping[str, Any]],
    sessions: Mapping[str, str | None],
    prompts: Sequence[Prompt],
    likeness: Likeness,
    limits: Promotion,
) -> list[Leak]:
    """Look at every active case of the holdout.

    Args:
        cases: of `cases_from_prod.yaml`, by id.
        by_hand: of `cases_by_hand.yaml`; all that is not in the holdout counts as an example.
        sessions: the session of a case, where it is known.
        prompts: what the holdout must stay clear of.
        likeness: compares texts.
        limits: `duplicate_similarity` is the share of a turn's triples that make a quotation.
    """
    active = {name: case for name, case in cases.items() if not is_retired(case)}
    held = {name: turns_of(case) for name, case in active.items() if _split(case) == "holdout"}
    shown = {n: case for n, case in active.items() if _split(case) == "example"}
    own = {name: case for name, case in by_hand.items() if _split(case) != "holdout"}
    leaks = {*_alike(held, shown, "example", likeness), *_alike(held, own, "by_hand", likeness)}
    torn = {name: sessions.get(name) for name in active}
    leaks |= set(_torn(held, active, torn, "session"))
    groups = {name: _group(case) for name, case in active.items()}
    leaks |= set(_torn(held, active, groups, "duplicate"))
    names, turns = list(held), list(held.values())
    for place, found in near_prompts(turns, prompts, likeness, limits.duplicate_similarity).items():
        leaks |= {Leak(names[place], prompt, "prompt") for prompt in found}
    return sorted(leaks, key=lambda leak: (leak.case_id, leak.why, leak.of))


def near_prompts(
    asked: Sequence[Turns], prompts: Sequence[Prompt], likeness: Likeness, share: float
) -> dict[int, list[str]]:
    """Conversations of which a prompt says or quotes a turn, by place: the names of the prompts."""
    single = [(place, turn) for place, turns in enumerate(asked) for turn in turns]
    pieces = [(prompt.name, piece) for prompt in prompts for piece in prompt.pieces]
    found: dict[int, set[str]] = {}
    pairs = likeness.within([(turn,) for _, turn in single], [(piece,) for _, piece in pieces])
    for one, other in pairs:
        found.setdefault(single[one][0], set()).add(pieces[other][0])
    triples = [triples_of(turn) for _, turn in single]
    holders: dict[Triple, list[int]] = {}
    for number, asked_for in enumerate(triples):
        for triple in asked_for:
            holders.setdefault(triple, []).append(number)
    for prompt in prompts:
        hits = Counter(n for triple in prompt.triples for n in holders.get(triple, ()))
        for number, count in hits.items():
            if count >= share * len(triples[number]):
                found.setdefault(single[number][0], set()).add(prompt.name)
    return {place: sorted(names) for place, names in sorted(found.items())}


def _alike(
    held: Mapping[str, Turns],
    others: Mapping[str, Mapping[str, Any]],
    why: Literal["example", "by_hand"],
    likeness: Likeness,
) -> Iterable[Leak]:
    names, other_names = list(held), list(others)
    mine, theirs = list(held.values()), [turns_of(case) for case in others.values()]
    for one, other in likeness.within(mine, theirs):
        yield Leak(names[one], other_names[other], why)
    for other, one in likeness.within(theirs, mine):
        yield Leak(names[one], other_names[other], why)


def _torn(
    held: Mapping[str, Turns],
    cases: Mapping[str, Mapping[str, Any]],
    key: Mapping[str, str | None],
    why: Literal["session", "duplicate"],
) -> Iterable[Leak]:
    """Cases of the holdout that share a key with a case of another split."""
    owners: dict[str, str] = {}
    for name in sorted(cases):
        value = key.get(name)
        if value and _split(cases[name]) != "holdout":
            owners.setdefault(value, name)
    for name in held:
        value = key.get(name)
        if value and value in owners:
            yield Leak(name, owners[value], why)


def _split(case: Mapping[str, Any]) -> str:
    split = case.get("split")
    return split if isinstance(split, str) else ""


def _group(case: Mapping[str, Any]) -> str | None:
    origin = case.get("provenance")
    group = origin.get("duplicate_group") if isinstance(origin, Mapping) else None
    return group if isinstance(group, str) else None
