"""The list of who was erased, under the keys of a data directory."""

from __future__ import annotations

import os

from pipeline.datadir import DataDir
from pipeline.ingest.suppression import Suppression, read_suppression
from pipeline.lake import Lake
from pipeline.redaction.replacement.keys import CONTENT_KEY_VARIABLE, SurrogateKey, load_key
from pipeline.tables import RAW_TRACES, REDACTED_TRACES

__all__ = ["open_list"]


def open_list(place: DataDir, *, create: bool) -> Suppression:
    """Open the list; a directory in which nothing was read yet gets its content key here.

    Args:
        place: the data directory.
        create: make the key, as a first run would; else such a directory is looked through with
            one of the moment.

    Raises:
        KeyRefused: the key is missing where something was read, short, or open to others.
        SuppressionBroken: the list cannot be trusted.
    """
    lake = Lake(place)
    fresh = not (lake.windows(RAW_TRACES) or lake.windows(REDACTED_TRACES))
    path = place.keys / "content.key"
    if fresh and not create and not path.exists() and CONTENT_KEY_VARIABLE not in os.environ:
        key = SurrogateKey(os.urandom(32))
    else:
        key = load_key(path, os.environ, create=fresh, variable=CONTENT_KEY_VARIABLE)
    return read_suppression(place, key.subkey("suppression"), key.subkey("user"))
