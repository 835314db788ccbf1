"""The Dagster instance of a data directory; `python -m assets.home` prints its DAGSTER_HOME."""

from __future__ import annotations

import os
import shutil
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
import yaml
from sqlalchemy.exc import DBAPIError

from pipeline.datadir import DataDir
from pipeline.files import make_directory, replace_file

__all__ = ["HistoryBroken", "HomeRefused", "open_instance", "prepare_home", "telling_of_history"]

_COMMITTED = Path(__file__).resolve().parent.parent / "data" / "dagster" / "dagster.yaml"
_SPARE = 2**20  # bytes: with less SQLite cannot even open its files


class HomeRefused(ValueError):
    """The `dagster.yaml` of this data directory is not one that Dagster takes."""


class HistoryBroken(RuntimeError):
    """Dagster's history of runs cannot be read or written; what is published lies elsewhere."""


def prepare_home(place: DataDir) -> Path:
    """Return the DAGSTER_HOME, with the committed `dagster.yaml` copied there on first use."""
    own = place.dagster / "dagster.yaml"
    if not own.exists():
        make_directory(place.dagster, private=True)
        with replace_file(own, 0o600) as temporary:
            temporary.write_bytes(_COMMITTED.read_bytes())
    return place.dagster


def open_instance(place: DataDir) -> dg.DagsterInstance:
    """Open the instance; whatever DAGSTER_HOME says, it is the one of this data directory.

    Raises:
        HomeRefused: somebody's `dagster.yaml` is broken.
        HistoryBroken: its database cannot be used.
    """
    os.environ["DAGSTER_HOME"] = str(prepare_home(place))
    with telling_of_history(place):
        try:
            return dg.DagsterInstance.get()
        except (yaml.YAMLError, dg.DagsterError) as error:
            mark = getattr(error, "problem_mark", None)
            line = f", line {mark.line + 1}" if mark else ""
            raise HomeRefused(
                f"{place.dagster / 'dagster.yaml'}{line}: Dagster does not take it "
                f"({type(error).__name__}); nothing was run. Mend it, or move it away: the "
                "committed one is then copied there again"
            ) from error


@contextmanager
def telling_of_history(place: DataDir) -> Iterator[None]:
    """Say what is wrong with Dagster's own database, and that it holds nothing of the lake.

    Raises:
        HistoryBroken: in place of what SQLite and SQLAlchemy raise.
    """
    try:
        yield
    except (DBAPIError, sqlite3.Error) as error:
        said = str(error.orig if isinstance(error, DBAPIError) else error)
        raise HistoryBroken(
            f"Dagster's history of runs in {place.dagster} cannot be used ({said}); what was "
            f"published stays as it was. {_remedy(place, said)}. Then run the same command again"
        ) from error


def _remedy(place: DataDir, said: str) -> str:
    if "full" in said or shutil.disk_usage(place.dagster).free < _SPARE:
        return "The disk is full: make room"
    if "locked" in said:
        return "Another process holds it: wait until that has ended"
    if "readonly" in said or "unable to open" in said:
        return f"It has to be writable: chmod -R u+rwX {place.dagster}"
    return (
        f"If it is damaged, move {place.dagster / 'history'} away: what Dagster knows of past runs "
        "goes with it, and nothing else"
    )


def _main() -> None:
    """Make the home, and end runs that a power cut left running: Dagster's daemon cannot tell."""
    from assets.execution import fail_abandoned_runs

    place = DataDir.from_environment()
    try:
        with open_instance(place) as instance:
            if ended := fail_abandoned_runs(instance, place.dagster):
                print(f"runs whose process is gone: {ended}; marked as failed", file=sys.stderr)
    except (HomeRefused, HistoryBroken) as error:
        sys.exit(f"error: {error}")
    print(place.dagster)


if __name__ == "__main__":
    _main()
