"""The holdout is opened for a reason, and every opening is a line that stays."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import orjson

from pipeline.datadir import DataDir
from pipeline.exports import count_openings, record_opening


def test_openings_at_the_same_time_are_all_kept(tmp_path: Path):
    place = DataDir(tmp_path)
    assert count_openings(place) == 0
    with ThreadPoolExecutor(8) as pool:
        for number in range(40):
            pool.submit(record_opening, place, who="r-1", why="x\ny", cases=number, target="pytest")
    lines = (place.ledger / "holdout_openings.jsonl").read_bytes().splitlines()
    read = [orjson.loads(line) for line in lines]
    assert sorted(line["cases"] for line in read) == list(range(40))
    assert set(read[0]) == {"at", "who", "why", "cases", "target"}
    assert count_openings(place) == 40
