"""Published files against their manifests: what is altered, torn, missing or unnamed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import orjson

from pipeline.files import sha256
from pipeline.lake import Lake
from pipeline.tables import ALL, Table
from pipeline.windows import Window

__all__ = ["Checked", "check_files"]


@dataclass(frozen=True)
class Checked:
    """One published file.

    Attributes:
        path: below the data directory.
        problem: what is wrong; None where its bytes are those of its manifest.
        command: makes it anew.
    """

    path: Path
    problem: str | None
    command: str


def check_files(lake: Lake) -> Iterator[Checked]:
    """Read every published file of every table, and compare it with the manifest beside it."""
    for table in ALL.values():
        zone = lake.place.raw if table.zone == "raw" else lake.place.lake
        root = zone / table.name
        for folder in sorted(root.glob(f"{table.unit}=*")) if table.unit else [root]:
            key = folder.name.partition("=")[2]
            window = Window(table.unit, key) if table.unit else None
            yield from _check_folder(lake, table, window, folder)


def _check_folder(
    lake: Lake, table: Table, window: Window | None, folder: Path
) -> Iterator[Checked]:
    there = {path.name for path in folder.glob("*.parquet")}
    manifest = folder / "_manifest.json"
    expected: dict[str, str] | None = {}
    try:
        expected = {
            name: one["sha256"] for name, one in orjson.loads(manifest.read_bytes()).items()
        }
    except FileNotFoundError:
        pass
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        expected = None
    for name in sorted(there | (expected or {}).keys()):
        path = folder / name
        shown = path.relative_to(lake.place.root)
        yield Checked(shown, _problem(path, expected), lake.command(table, window))


def _problem(path: Path, expected: dict[str, str] | None) -> str | None:
    if expected is None:
        return "the manifest beside it cannot be read"
    if path.name not in expected:
        return "no manifest names it, as after a kill"
    try:
        actual = sha256(path)[:12]
    except FileNotFoundError:
        actual = "missing"
    except OSError as error:
        return f"cannot be read: {error.strerror}"
    wanted = expected[path.name][:12]
    return None if actual == wanted else f"expected {wanted}, is {actual}"
