"""Spans, verdicts and files that come late: the day they belong to is asked for again."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from assets.definitions import build
from pipeline.datadir import DataDir
from pipeline.lake import Lake
from pipeline.tables import RAW_TRACES
from pipeline.windows import day
from tests.pipeline.ingest.spans import chat, drop, message, request, span

DAY = "2026-11-02"


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.instance_for_test() as made:
        yield made


@pytest.fixture
def look(place: DataDir, instance: dg.DagsterInstance) -> Callable[..., Any]:
    """Evaluate the sensor as the daemon would, its cursor carried on from look to look."""
    cursor: list[str | None] = [None]

    def evaluate() -> Any:
        defs = build(place)
        with dg.build_sensor_context(
            instance=instance,
            cursor=cursor[0],
            resources=dict(defs.resources or {}),
            repository_def=defs.get_repository_def(),
        ) as context:
            found = defs.resolve_sensor_def("late_traces").evaluate_tick(context)
        cursor[0] = found.cursor or cursor[0]
        return found

    return evaluate


def settle(*paths: Path) -> None:
    """Let two hours pass since a file was last written."""
    for path in paths:
        os.utime(path, (time.time() - 7200, time.time() - 7200))


def run(place: DataDir, instance: dg.DagsterInstance, asked: dg.RunRequest | None = None) -> None:
    """Run what the sensor asked for, or the first publication of the day."""
    defs = build(place)
    if asked is not None and asked.job_name == "read_landing":
        assert defs.resolve_job_def("read_landing").execute_in_process(instance=instance).success
        return
    raw = [asset for asset in defs.assets or () if asset.key == dg.AssetKey("raw_traces")]
    key = DAY if asked is None else asked.partition_key
    resources = defs.resources
    assert dg.materialize(raw, instance=instance, partition_key=key, resources=resources).success


def test_late_spans_make_their_day_stale_and_only_once(
    place: DataDir, instance: dg.DagsterInstance, look: Callable[..., Any]
) -> None:
    settle(drop(place, "a.jsonl", request(chat(1, 1, [message("user", "Hi")], []))))
    run(place, instance)
    assert "no published day stale" in look().skip_message
    settle(drop(place, "late.jsonl", request(chat(1, 2, [], [message("assistant", "Hello")]))))
    (read,) = look().run_requests
    assert read.job_name == "read_landing"
    run(place, instance, read)
    (asked,) = look().run_requests
    assert (asked.job_name, asked.partition_key) == ("daily", DAY)
    assert "nothing that landed has settled" in look().skip_message
    run(place, instance, asked)
    (row,) = Lake(place).read(RAW_TRACES, day(DAY)).to_dicts()
    assert [m["content"] for m in row["messages"]] == ["Hi", "Hello"]


def test_files_that_still_arrive_are_left_to_settle(
    place: DataDir, instance: dg.DagsterInstance, look: Callable[..., Any]
) -> None:
    settle(drop(place, "a.jsonl", request(span(1, 1))))
    run(place, instance)
    look()
    written = drop(place, "b.jsonl", request(span(1, 2, parent=1)))
    assert "nothing that landed has settled" in look().skip_message
    # A receiver that writes all the time keeps nobody else waiting.
    settle(drop(place, "c.jsonl", request(span(1, 3, parent=1))))
    (read,) = look().run_requests
    run(place, instance, read)
    (asked,) = look().run_requests
    assert asked.partition_key == DAY
    settle(written)
    run(place, instance, look().run_requests[0])
    assert look().run_requests[0].run_key != asked.run_key


def test_a_day_that_nothing_new_belongs_to_is_left_alone(
    place: DataDir, instance: dg.DagsterInstance, look: Callable[..., Any]
) -> None:
    settle(drop(place, "a.jsonl", request(span(1, 1))))
    run(place, instance)
    record = {"messages": [{"role": "user", "content": "Hi"}], "created_at": f"{DAY[:8]}20T09:00Z"}
    settle(drop(place, "later.jsonl", json.dumps(record)))
    run(place, instance, look().run_requests[0])
    assert "no published day stale" in look().skip_message
