"""Builds the warehouse aside and swaps the link, so that no analyst is ever in the way."""

from __future__ import annotations

import os
import re
import secrets
from pathlib import Path

import duckdb

from pipeline.catalog.analysts import locking_statements
from pipeline.catalog.scripts import warehouse_script
from pipeline.catalog.types import literal
from pipeline.datadir import DataDir
from pipeline.files import make_directory, replace_file, sweep
from pipeline.ids import digest
from pipeline.lake import Lake

__all__ = ["build_warehouse"]

_STORAGE = "v1.2.0"  # DuckDB clients from 1.2 on open the file
_KEPT = 3
_VERSION = re.compile(r"warehouse-(\d+)-[0-9a-f]+\.duckdb")


def build_warehouse(place: DataDir) -> Path:
    """Build a new version of `warehouse.duckdb` and return the file the link now leads to.

    The file holds views and macros alone. Every build has a name of its own, because DuckDB
    keeps an analyst's write-ahead log beside the file the link leads to and would replay it onto
    a new file of that name. Whoever has an older version open keeps it. Beside them lies
    `locked.sql`, with which any client of DuckDB shuts its connection in.

    Raises:
        duckdb.Error: a text in `sql/` or a published file does not fit; the link stays as it was.
        OSError: the directory is not writable; the link stays as it was.
    """
    script = warehouse_script(place)
    folder = place.root / ".warehouse"
    make_directory(folder, private=False)
    number = max((int(m[1]) for p in folder.iterdir() if (m := _match(p))), default=0) + 1
    made = folder / f"warehouse-{number:06d}-{digest(script.text, size=6)}.duckdb"
    aside = folder / f".{made.name}.{os.getpid()}.{secrets.token_hex(4)}.tmp"
    try:
        try:
            _write(aside, script.text)
        except duckdb.Error:
            Lake(place).require_readable()
            raise
        aside.chmod(0o644)
        os.replace(aside, made)
    finally:
        aside.unlink(missing_ok=True)
        aside.with_name(aside.name + ".wal").unlink(missing_ok=True)
    with replace_file(folder / "locked.sql") as temporary:
        temporary.write_text(locking_statements(place), "utf-8")
    _point(place.warehouse, made)
    _sweep(folder)
    return made


def _write(path: Path, script: str) -> None:
    with duckdb.connect() as connection:
        connection.execute(
            f"ATTACH {literal(path)} AS warehouse (STORAGE_VERSION {literal(_STORAGE)})"
        )
        connection.execute("USE warehouse")
        connection.execute(f"BEGIN;\n{script}\nCOMMIT;")
        connection.execute("USE memory")
        connection.execute("DETACH warehouse")


def _point(link: Path, target: Path) -> None:
    """Swap the link at one stroke; it is relative, so the data directory may move."""
    aside = link.with_name(f".{link.name}.{os.getpid()}.{secrets.token_hex(4)}.tmp")
    try:
        aside.symlink_to(target.relative_to(link.parent))
        os.replace(aside, link)
    finally:
        aside.unlink(missing_ok=True)


def _match(path: Path) -> re.Match[str] | None:
    return _VERSION.fullmatch(path.name)


def _sweep(folder: Path) -> None:
    """Remove all but the last versions, with what analysts and killed builds left beside them."""
    sweep(folder)
    versions = sorted(path for path in folder.iterdir() if _match(path))
    for old in versions[:-_KEPT]:
        old.with_name(old.name + ".wal").unlink(missing_ok=True)
        old.unlink(missing_ok=True)
