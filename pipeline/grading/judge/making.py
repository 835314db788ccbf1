"""Chooses and makes the judge that the settings name."""

from __future__ import annotations

from pathlib import Path

from pipeline.grading.judge.embedded import EmbeddedJudge
from pipeline.grading.judge.interface import Judge
from pipeline.registry import Registry

__all__ = ["make_judge"]


def make_judge(registry: Registry, ledger: Path) -> Judge:
    """Make the judge of `registry`; the litellm engine keeps its calls in the folder `ledger`.

    Raises:
        JudgeRefused: litellm without a model, or without a known price.
    """
    settings = registry.settings.judge
    if settings.engine == "embedded":
        return EmbeddedJudge(registry.rubric)
    from pipeline.grading.judge.remote import RemoteJudge

    return RemoteJudge(settings, registry.rubric, ledger)
