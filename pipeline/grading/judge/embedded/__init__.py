"""The embedded judge and its signals."""

from pipeline.grading.judge.embedded.engine import EMBEDDED_VERSION, EmbeddedJudge

__all__ = ["EMBEDDED_VERSION", "EmbeddedJudge"]
