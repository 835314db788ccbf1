"""The command line `caselaw`; it needs only `pipeline`, and starts fast."""

from pipeline.cli.main import main

__all__ = ["main"]
