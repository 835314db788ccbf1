"""The one way to ingest a day, shared with the tests of ingest."""

from tests.pipeline.ingest.conftest import ingest

__all__ = ["ingest"]
