"""A user of a week's traffic is erased: no byte of them is left, and running again brings none."""

from __future__ import annotations

import json
import shutil
from collections import defaultdict
from pathlib import Path
from typing import Any

import dagster as dg
import polars as pl
import pytest
from click.testing import CliRunner

from assets import traces
from assets.definitions import build
from assets.plan import backfill
from pipeline.cli.main import cli
from pipeline.datadir import DataDir
from pipeline.ingest import assemble_day
from pipeline.lake import Lake
from pipeline.lease import StillWorking, erasing
from pipeline.suite import parse_suite
from pipeline.suite.file import read_tombstones
from pipeline.tables import EVAL_SUITE, RAW_TRACES, REDACTED_TRACES
from tests.assets.conftest import FRIDAY, SUNDAY, Lineage, OpenLineage
from tests.pipeline.erasure.people import places_of
from tests.pipeline.ingest.spans import chat, drop, message, request


def traces_by_user(place: DataDir) -> dict[str, set[str]]:
    """Who spoke in which traces, as landing says it."""
    found: dict[str, set[str]] = defaultdict(set)
    for path in place.landing.glob("*.jsonl"):
        for line in path.read_bytes().splitlines():
            for resource in json.loads(line)["resourceSpans"]:
                for span in (s for scope in resource["scopeSpans"] for s in scope["spans"]):
                    for attribute in span["attributes"]:
                        if attribute["key"] == "user.id":
                            found[attribute["value"]["stringValue"]].add(span["traceId"])
    return found


def suite_of(place: DataDir) -> str:
    return (place.eval_dir(None) / "cases_from_prod.yaml").read_text()


def someone_in_the_suite(place: DataDir) -> tuple[str, set[str]]:
    """Of the users whose failure became a case the one who said most."""
    sources = {case["provenance"]["trace_id"] for case in parse_suite(suite_of(place)).values()}
    failed = [(u, t) for u, t in sorted(traces_by_user(place).items()) if t & sources]
    return max(failed, key=lambda one: len(told_by(place, one[1])))


def told_by(place: DataDir, traces: set[str]) -> list[str]:
    """What in the tables could tell of them: their key, and what they alone said, in any form."""
    lake = Lake(place)
    needles: set[str] = set()
    for table in (RAW_TRACES, REDACTED_TRACES):
        days = lake.read(table, lake.windows(table))
        mine = days.filter(pl.col("trace_id").is_in(list(traces)))
        others = repr(days.filter(~pl.col("trace_id").is_in(list(traces)))["messages"].to_list())
        needles.update(mine["user_key"].drop_nulls())
        needles.update(mine["content_digest"] if table is REDACTED_TRACES else ())
        said = [m["content"] for row in mine["messages"] for m in row if m["role"] == "user"]
        needles.update(text for text in said if text not in others and '"' not in text)
    return sorted(needles)


def test_a_day_that_is_running_keeps_an_erasure_waiting(
    place: DataDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it read before would be published afterwards."""
    drop(place, "a.jsonl", request(chat(1, 1, [message("user", "Hi")], [])))
    refused: list[str] = []

    def assemble(*given: Any) -> Any:
        with pytest.raises(StillWorking), erasing(place, 0, lambda: refused.append("waiting")):
            pass
        return assemble_day(*given)

    monkeypatch.setattr(traces, "assemble_day", assemble)
    defs = build(place)
    raw = [asset for asset in defs.assets or () if asset.key == dg.AssetKey("raw_traces")]
    made = dg.materialize(raw, partition_key="2026-11-02", resources=defs.resources)
    assert (made.success, refused) == (True, ["waiting"])
    with erasing(place, 0, lambda: None):
        pass


def test_a_user_leaves_every_byte_and_stays_out(
    closed_week: Lineage, tmp_path: Path, open_lineage: OpenLineage
) -> None:
    place = DataDir(tmp_path / "data")
    shutil.copytree(closed_week.place.root, place.root, symlinks=True)
    shutil.rmtree(place.simulated)  # what the simulator knows for itself
    lineage = open_lineage(place)
    user, theirs = someone_in_the_suite(place)
    needles = [user, *theirs, *told_by(place, theirs)]
    assert len(needles) >= len(theirs) + 5  # the user, two digests, and words of theirs
    zones = {name.split("/")[0] for name in places_of(place, *needles)}
    assert zones >= {"landing", "raw", "lake", "eval"}
    cases = set(parse_suite(suite_of(place)))

    done = CliRunner().invoke(cli, ["--data", str(place.root), "forget", "--user", user])
    assert done.exit_code == 0, done.output
    assert places_of(place, *needles) == set()
    gone = read_tombstones(suite_of(place))
    assert gone
    assert set(parse_suite(suite_of(place))) == cases - gone
    assert CliRunner().invoke(cli, ["--data", str(place.root), "verify"]).exit_code == 0

    outcomes = lineage.run(*backfill(FRIDAY, SUNDAY, Lake(place)))
    assert [one.errors + one.failed_checks for one in outcomes] == [[], [], []]
    assert places_of(place, *needles) == set()
    assert not gone & set(Lake(place).read(EVAL_SUITE, None)["case_id"])
    assert read_tombstones(suite_of(place)) == gone
