"""The Dagster instance of a data directory; `python -m assets.home` prints its DAGSTER_HOME."""

from __future__ import annotations

import os
from pathlib import Path

import dagster as dg

from pipeline.datadir import DataDir
from pipeline.files import make_directory, replace_file

__all__ = ["open_instance", "prepare_home"]

_COMMITTED = Path(__file__).resolve().parent.parent / "data" / "dagster" / "dagster.yaml"


def prepare_home(place: DataDir) -> Path:
    """Return the DAGSTER_HOME, with the committed `dagster.yaml` copied there on first use."""
    own = place.dagster / "dagster.yaml"
    if not own.exists():
        make_directory(place.dagster, private=True)
        with replace_file(own, 0o600) as temporary:
            temporary.write_bytes(_COMMITTED.read_bytes())
    return place.dagster


def open_instance(place: DataDir) -> dg.DagsterInstance:
    """Open the instance; whatever DAGSTER_HOME says, it is the one of this data directory."""
    os.environ["DAGSTER_HOME"] = str(prepare_home(place))
    return dg.DagsterInstance.get()


if __name__ == "__main__":
    print(prepare_home(DataDir.from_environment()))
