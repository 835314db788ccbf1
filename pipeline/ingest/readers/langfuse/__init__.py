"""Exports of Langfuse: traces, observations and scores, together or in files of their own."""

from __future__ import annotations

from pipeline.ingest.readers.langfuse.reader import LangfuseReader

__all__ = ["LangfuseReader"]
