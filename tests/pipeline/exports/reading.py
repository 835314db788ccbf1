"""Suites and exports made in a test: written as a person's editor would, read back as files."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from pipeline.exports import TARGETS, Case, Files, read_cases
from tests.pipeline.exports.toy import toy_suite

__all__ = ["as_yaml", "cases_of", "exported", "lines_of", "write_suite"]


def as_yaml(cases: Sequence[dict[str, Any]]) -> str:
    """A suite file; every character survives, and nothing is an alias."""
    return yaml.safe_dump({"cases": json.loads(json.dumps(cases))}, allow_unicode=False)


def cases_of(cases: Sequence[dict[str, Any]]) -> tuple[Case, ...]:
    """The cases as exports read them."""
    return read_cases(as_yaml(cases), None)


def write_suite(data: Path, cases: Sequence[dict[str, Any]] | None = None) -> Path:
    """A data directory that holds the suite and nothing else."""
    (data / "eval").mkdir(parents=True, exist_ok=True)
    text = as_yaml(toy_suite() if cases is None else cases)
    (data / "eval" / "cases_from_prod.yaml").write_text(text, "utf-8")
    return data


def exported(target: str, cases: Sequence[Case], *, judged: bool = False) -> Files:
    """The files of an export."""
    return TARGETS[target].write(cases, "toys", judged=judged)


def lines_of(content: bytes) -> list[Any]:
    """What stands in JSON lines."""
    return [json.loads(line) for line in content.decode().split("\n")[:-1]]
