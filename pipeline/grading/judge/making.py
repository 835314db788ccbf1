"""Chooses and makes the judge that the settings name."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pipeline.grading.judge.embedded import EmbeddedJudge
from pipeline.grading.judge.interface import Judge
from pipeline.grading.judge.jury import Jury, jury_identity
from pipeline.registry import Axis, Registry
from pipeline.registry.settings import Judge as JudgeSettings

__all__ = ["make_judge"]


def make_judge(registry: Registry, ledger: Path, *, fresh: bool = False) -> Judge:
    """Make the judge or the jury of `registry`; litellm keeps its calls in the folder `ledger`.

    Args:
        registry: `settings.judge` and the rubric are read.
        ledger: the data directory's `ledger`.
        fresh: ask anew, whatever answers are kept, and keep none; calls are booked all the same.

    Raises:
        JudgeRefused: litellm without a model, or without a known price.
    """
    settings, rubric = registry.settings.judge, registry.rubric
    if not settings.jury:
        return _one(settings, rubric, ledger, fresh=fresh)
    # each juror is the section `judge` with what the juror names laid over it
    told = [juror.model_dump(exclude_none=True) for juror in settings.jury]
    jurors = [settings.model_copy(update=juror | {"jury": ()}) for juror in told]
    name = jury_identity([_one(juror, rubric, ledger).identity for juror in jurors])
    return Jury([_one(juror, rubric, ledger, name, fresh) for juror in jurors])


def _one(
    settings: JudgeSettings,
    rubric: Sequence[Axis],
    ledger: Path,
    billed_to: str | None = None,
    fresh: bool = False,
) -> Judge:
    if settings.engine == "embedded":
        return EmbeddedJudge(rubric)
    from pipeline.grading.judge.remote import RemoteJudge

    return RemoteJudge(settings, rubric, ledger, billed_to, fresh)
