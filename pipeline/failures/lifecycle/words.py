"""What people say of failure modes, written down: dated entries for registry/failure_modes.yaml."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from pipeline.failures.lifecycle.drafts import BESIDE, Known, WordRefused, Written, draft_of
from pipeline.registry import Fix
from pipeline.registry.loading import read_entries

__all__ = [
    "Known",
    "Part",
    "WordRefused",
    "Written",
    "claim_fix",
    "merge_modes",
    "say_of_mode",
    "unmerge_mode",
]


@dataclass(frozen=True)
class Part:
    """What a mode that was merged away had been: its name, and what its failures have in common."""

    name: str
    checks: tuple[str, ...]
    error_classes: tuple[str, ...]
    intents: tuple[str, ...]


def say_of_mode(folder: Path, known: Known, mode: str, day: date, **said: Any) -> Written:
    """Write that from `day` on a mode has another name, description or state.

    Args:
        folder: the registry.
        known: the modes of the lake.
        mode: its id.
        day: the first day on which it holds.
        said: fields of `NamedMode`; what is not given stays as the entry in force has it.

    Raises:
        WordRefused: nobody knows the mode, it was merged away, or that is what stands there.
        RegistryError: the file is broken, or would be.
    """
    with draft_of(folder, day) as draft:
        return draft.say(mode, known, said)


def merge_modes(folder: Path, known: Known, mode: str, into: str, day: date) -> Written:
    """Write that from `day` on the failures of `mode` belong to `into`.

    Raises:
        WordRefused: an unknown id, a mode merged twice, into itself, or in a ring.
        RegistryError: the file is broken, or would be.
    """
    if mode == into:
        raise WordRefused(f"{mode!r} cannot be merged into itself; nothing was written")
    with draft_of(folder, day) as draft:
        draft.require_known(into, known)
        target = draft.follow(into)
        if target == mode:
            raise WordRefused(f"{into!r} was merged into {mode!r}: a ring; nothing was written")
        if target != into:
            raise WordRefused(
                f"{into!r} was itself merged into {target!r}; nothing was written. Merge into that"
            )
        words = []
        if into not in draft.in_force:
            words.append(draft.say(into, known, {"name": known.names[into]}))
        words.append(draft.say(mode, known, {"merged_into": into}))
        return Written(
            "".join(w.text for w in words), tuple(sorted(r for w in words for r in w.retired))
        )


def unmerge_mode(folder: Path, known: Known, mode: str, day: date, part: Part | None) -> Written:
    """Write that from `day` on a mode that was merged away has failures of its own again.

    Its entry claims the failures that it had, unless people's entry for it claims some already.
    One that claims failures is never merged again but by a person.

    Raises:
        WordRefused: it was not merged, or the lake has no failure of it to say what it claims.
        RegistryError: the file is broken, or would be.
    """
    with draft_of(folder, day) as draft:
        old = draft.entry(mode)
        if not (old and old.merged_into) and mode not in known.folded:
            raise WordRefused(f"{mode!r} was not merged; nothing was written")
        fresh, said = {"id": mode, "name": part.name if part else mode}, {"merged_into": None}
        if old is not None and (old.checks or old.error_classes):
            return draft.add(mode, said, fresh)
        if part is None:
            raise WordRefused(
                f"the lake holds no failure that was {mode!r}; nothing was written. Add an entry "
                "by hand that claims its failures (checks, error_classes, intents)"
            )
        claims = {
            "checks": part.checks,
            "error_classes": part.error_classes,
            "intents": part.intents,
        }
        return draft.add(mode, said | claims, fresh)


def claim_fix(folder: Path, known: Known, fix: Fix) -> Written:
    """Write that a release is said to mend a mode.

    Raises:
        WordRefused: nobody knows the mode, or the same is claimed already.
        RegistryError: the file is broken, or would be.
    """
    with draft_of(folder, fix.effective_from) as draft:
        draft.require_known(fix.mode, known)
        path = folder / "failure_modes.yaml"
        if any(
            (old.mode, old.release) == (fix.mode, fix.release)
            for old in read_entries(path, "fixes", Fix, BESIDE)
            if old.holds(fix.effective_from)
        ):
            raise WordRefused(
                f"{fix.release!r} is claimed to mend {fix.mode!r} already; nothing was written"
            )
        return draft.claim(fix)
