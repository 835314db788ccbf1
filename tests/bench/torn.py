"""Do modes that were torn in two by force come together again, and does nothing else?

The grades of eight simulated weeks go through the weekly chain without any name that people gave,
so that every failure is in a mode of the pipeline's own. After the fourth week each mode of two
signatures or more is torn in two by chance. What follows is the work of merging alone: halves that
fail in one week and are alike should be one again, and no two kinds.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl

from pipeline.datadir import DataDir
from pipeline.embedding import word_embedder
from pipeline.failures import consolidate_modes
from pipeline.failures.signatures import Signature, collect_failures
from pipeline.failures.vectors import centre, signature_vectors
from pipeline.lake import Lake
from pipeline.registry import Registry, load_registry
from pipeline.tables import FAILURE_MODES, GRADES
from pipeline.windows import Window, week_of

__all__ = ["compare_torn"]

_TORN_AFTER, _SEED = 4, 7


def read_weeks(lake: Lake) -> list[tuple[Window, pl.DataFrame]]:
    """The failing verdicts of every week, with their `day`."""
    weeks: dict[Window, list[pl.DataFrame]] = {}
    for day in lake.windows(GRADES):
        rows = lake.read(GRADES, day).with_columns(day=pl.lit(day.first, pl.Date))
        weeks.setdefault(week_of(day), []).append(rows.filter(pl.col("verdict") == "fail"))
    return [(week, pl.concat(weeks[week])) for week in sorted(weeks)]


def tear(
    modes: pl.DataFrame, codes: dict[str, Signature]
) -> tuple[pl.DataFrame, list[tuple[str, str]]]:
    """Cut modes of two signatures or more in two; returns them and (kept id, torn-off id)."""
    draw = np.random.default_rng(_SEED)
    rows, pairs = [], []
    for row in modes.sort("failure_mode_id").iter_rows(named=True):
        keys = [str(key) for key in draw.permutation(row["signatures"])]
        if len(keys) < 2:
            rows.append(row)
            continue
        for n, half in enumerate((keys[::2], keys[1::2])):
            vectors = signature_vectors([codes[key] for key in half], word_embedder())
            torn = {"signatures": sorted(half), "centroid": centre(vectors).tolist()}
            name = row["failure_mode_id"] + ("-torn" if n else "")
            rows.append(row | torn | {"failure_mode_id": name, "merged_from": []})
        pairs.append((row["failure_mode_id"], f"{row['failure_mode_id']}-torn"))
    return pl.DataFrame(rows, schema=FAILURE_MODES.schema), pairs


def live(
    weeks: list[tuple[Window, pl.DataFrame]], registry: Registry
) -> Iterator[tuple[str, pl.DataFrame, list[tuple[str, str]]]]:
    """The chain: (week, modes, what was torn after the fourth)."""
    codes = dict(collect_failures(pl.concat([rows for _, rows in weeks]), registry).signatures)
    modes, pairs = None, []
    for number, (week, rows) in enumerate(weeks, start=1):
        modes = consolidate_modes(rows, modes, registry, word_embedder(), week).frame
        yield week.key, modes, pairs
        if number == _TORN_AFTER:
            modes, pairs = tear(modes, codes)


def compare_torn(place: DataDir) -> None:
    """Print, week by week, how many halves are one again and how many modes hold two kinds."""
    lake = Lake(place)
    weeks = read_weeks(lake)
    registry = load_registry(place.registry, weeks[-1][0])
    plain = replace(registry, failure_modes=(), fixes=())
    codes = collect_failures(pl.concat([rows for _, rows in weeks]), plain).signatures
    print("\n== modes torn in two after the fourth week, no names of people ==")
    for key, modes, pairs in live(weeks, plain):
        now = {
            old: mode
            for mode, olds in modes.select("failure_mode_id", "merged_from").iter_rows()
            for old in (mode, *olds)
        }
        again = sum(now[one] == now[torn] for one, torn in pairs)
        mixed = sum(
            len({(codes[k].check, codes[k].error_class) for k in keys if k in codes}) > 1
            for keys in modes["signatures"]
        )
        parted = modes["split_from"].drop_nulls().len()
        told = f"{again} of {len(pairs)} pairs one again, " if pairs else ""
        print(f"  {key}: {modes.height} modes, {told}{mixed} of several checks or error classes, "
              f"{parted} from splits")  # fmt: skip


if __name__ == "__main__":
    compare_torn(DataDir(Path(sys.argv[1])))
