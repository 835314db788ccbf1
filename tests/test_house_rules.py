"""The rules of the layout are enforced by ruff, not by good will."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def complaints(filename: str, code: str) -> str:
    """What ruff says of `code` as if it stood in `filename`."""
    command = [sys.executable, "-m", "ruff", "check", "--output-format", "concise",
               "--stdin-filename", filename, "-"]  # fmt: skip
    done = subprocess.run(
        command, input=code, capture_output=True, text=True, check=False, cwd=ROOT
    )
    return done.stdout


@pytest.mark.parametrize("code", ["import dagster\n", "from dagster import asset\n"])
def test_pipeline_may_not_import_dagster(code: str) -> None:
    assert "TID251" in complaints("pipeline/new.py", code)
    assert "TID251" in complaints("tests/pipeline/test_new.py", code)
    for allowed in ("assets/new.py", "resources/new.py", "tests/assets/test_new.py"):
        assert "TID251" not in complaints(allowed, code)


@pytest.mark.parametrize("upper", ["assets", "resources"])
def test_imports_point_one_way(upper: str) -> None:
    assert "TID251" in complaints("pipeline/new.py", f"import {upper}\n")


@pytest.mark.parametrize(
    "library", ["litellm", "presidio_analyzer", "spacy", "sklearn", "onnxruntime"]
)
def test_heavy_libraries_are_imported_where_they_are_used(library: str) -> None:
    assert "TID253" in complaints("pipeline/new.py", f"import {library}\n")
    lazy = f"def load():\n    import {library}\n    return {library}\n"
    assert "TID253" not in complaints("pipeline/new.py", lazy)


def test_nothing_is_pickled() -> None:
    assert "TID251" in complaints("pipeline/new.py", "import pickle\n")
