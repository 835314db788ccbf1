"""Publishing is atomic, conserves records, and equal input gives equal bytes."""

from __future__ import annotations

import os
import shutil
import signal
import stat
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.datadir import COMMITTED, DataDir
from pipeline.files import sha256
from pipeline.lake import CorruptPartition, DiskFull, Lake, MissingPartition
from pipeline.provenance import ConservationError, Counts, Provenance
from pipeline.tables import ALL, FAILURE_MODES, QUARANTINED_RECORDS, RAW_TRACES, RUN_SUMMARIES
from pipeline.tables.schema import SchemaError
from pipeline.windows import day, week

DAY = day("2026-11-02")
WEEK = week("2026-11-02")


def summary(*metrics: str, value: float = 1.0) -> pl.DataFrame:
    """Rows of the simplest table."""
    return pl.DataFrame(
        [{"metric": m, "slice": "", "value": value, "n": 1, "estimator": "count"} for m in metrics],
        schema=RUN_SUMMARIES.schema,
    )


def published(rows: int) -> Provenance:
    """Counts that add up."""
    return Provenance(Counts("rows", rows, rows))


def test_every_table_publishes_an_empty_partition_of_its_own_types(lake: Lake) -> None:
    for table in ALL.values():
        window = {"day": DAY, "week": week("2026-11-02"), None: None}[table.unit]
        lake.publish(table, window, table.empty(), published(0), part=table.parts[0])
        assert lake.read(table, window).schema == table.schema


def test_what_was_published_is_read_back_in_the_order_of_its_key(lake: Lake) -> None:
    lake.publish(RUN_SUMMARIES, DAY, summary("b", "a"), published(2))
    assert lake.read(RUN_SUMMARIES, DAY)["metric"].to_list() == ["a", "b"]
    assert lake.windows(RUN_SUMMARIES) == [DAY]


@given(st.permutations(["a", "b", "c", "d"]))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=8)
def test_the_order_of_rows_changes_no_byte(lake: Lake, order: list[str]) -> None:
    first = sha256(lake.publish(RUN_SUMMARIES, DAY, summary("a", "b", "c", "d"), published(4)))
    assert sha256(lake.publish(RUN_SUMMARIES, DAY, summary(*order), published(4))) == first


def test_the_footer_says_where_a_partition_came_from(lake: Lake) -> None:
    provenance = Provenance(
        Counts("traces", 5, 2, duplicates=1, quarantined=1, filtered={"opted_out": 1}),
        inputs={"grades/day=2026-11-02/part-0.parquet": "ab"},
        registry={"rules": "cd"},
    )
    lake.publish(RUN_SUMMARIES, DAY, summary("a"), provenance)
    footer = lake.footer(RUN_SUMMARIES, DAY)
    assert footer["counts"]["filtered"] == {"opted_out": 1}
    assert footer["schema_version"] == RUN_SUMMARIES.version
    assert footer["registry"] == {"rules": "cd"}


def test_a_step_that_loses_a_record_publishes_nothing(lake: Lake) -> None:
    lost = Provenance(Counts("traces", 5, 2, duplicates=1, quarantined=1))
    with pytest.raises(ConservationError, match=r"5 traces came in, but out 2 .* make 4"):
        lake.publish(RUN_SUMMARIES, DAY, summary("a"), lost)
    assert not lake.exists(RUN_SUMMARIES, DAY)


@pytest.mark.parametrize(
    ("frame", "complaint"),
    [
        (summary("a").drop("value"), r"missing columns \['value'\]"),
        (summary("a").with_columns(x=1), r"unknown columns \['x'\]"),
        (summary("a", "a"), "1 repeated values of the key"),
        (summary("a").with_columns(value=pl.lit("high")), "value: String is not Float64"),
        (summary("a").with_columns(metric=pl.lit(None, pl.String)), "1 null"),
    ],
)
def test_a_frame_that_does_not_fit_is_refused(
    lake: Lake, frame: pl.DataFrame, complaint: str
) -> None:
    with pytest.raises(SchemaError, match=complaint):
        lake.publish(RUN_SUMMARIES, DAY, frame, published(1))


def test_a_missing_partition_names_the_command_that_makes_it(lake: Lake) -> None:
    with pytest.raises(MissingPartition, match=r"make backfill .*FROM=2026-11-02 TO=2026-11-08"):
        lake.read(FAILURE_MODES, week("2026-11-02"))


@pytest.mark.parametrize("damage", ["truncated", "empty", "foreign"])
def test_a_damaged_file_is_named_with_the_command_that_mends_it(lake: Lake, damage: str) -> None:
    path = lake.publish(RUN_SUMMARIES, DAY, summary("a"), published(1))
    whole = path.read_bytes()
    path.write_bytes({"truncated": whole[:-20], "empty": b"", "foreign": b"PK\x03\x04"}[damage])
    with pytest.raises(CorruptPartition, match=r"part-0\.parquet .*make backfill"):
        lake.read(RUN_SUMMARIES, DAY)
    with pytest.raises(CorruptPartition, match=r"part-0\.parquet .*make backfill"):
        lake.footer(RUN_SUMMARIES, DAY)


def test_columns_of_another_version_are_told_as_such(lake: Lake) -> None:
    """One command makes all such partitions anew: `make backfill` looks for them."""
    columns = {n: c for n, c in FAILURE_MODES.columns.items() if n != "split_from"}
    other = replace(FAILURE_MODES, columns=columns)
    lake.publish(other, WEEK, other.empty(), published(0))
    told = r"the columns of another version .* make backfill CASELAW_DATA=\S+$"
    with pytest.raises(CorruptPartition, match=told):
        lake.read(FAILURE_MODES, WEEK)


@pytest.mark.parametrize(
    ("whole_end", "command"),
    [
        (False, r"make backfill CASELAW_DATA=\S+$"),  # which looks for what is missing or torn
        (True, r"make restate CASELAW_DATA=\S+ FROM=2026-11-02$"),
    ],
)
def test_a_damaged_week_whose_raw_data_was_dropped_is_mended(
    lake: Lake, whole_end: bool, command: str
) -> None:
    """Its days are run no more, and a backfill of them is refused."""
    rows = pl.DataFrame([dict.fromkeys(FAILURE_MODES.columns) | {"failure_mode_id": "fm-1"}],
                        schema=FAILURE_MODES.schema)  # fmt: skip
    path = lake.publish(FAILURE_MODES, WEEK, rows, published(1))
    body = path.read_bytes()
    path.write_bytes(b"PAR1" + bytes(500) + body[504:] if whole_end else b"torn")
    lake.place.raw.mkdir(exist_ok=True)
    (lake.place.raw / "kept_from.json").write_text('{"day": "2026-11-09"}')
    shutil.copytree(COMMITTED / "registry", lake.place.root / "registry")
    settings = lake.place.root / "registry" / "settings.yaml"
    entry = "  - effective_from: 2025-01-06\n    privacy: {retention_days: 7}\n"
    settings.write_text(settings.read_text("utf-8") + entry, "utf-8")
    with pytest.raises(CorruptPartition, match=command):
        lake.read(FAILURE_MODES, WEEK)


def test_raw_tables_are_open_to_their_owner_alone(lake: Lake, place: DataDir) -> None:
    path = lake.publish(RAW_TRACES, DAY, RAW_TRACES.empty(), published(0))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    for folder in (path.parent, path.parent.parent, place.raw):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_two_stages_may_quarantine_on_one_day(lake: Lake) -> None:
    for part in QUARANTINED_RECORDS.parts:
        lake.publish(QUARANTINED_RECORDS, DAY, QUARANTINED_RECORDS.empty(), published(0), part=part)
    assert len(lake.files(QUARANTINED_RECORDS, DAY)) == 2


def test_the_footer_holds_no_smallest_or_largest_text(lake: Lake) -> None:
    path = lake.publish(RUN_SUMMARIES, DAY, summary("canary-metric"), published(1))
    import pyarrow.parquet as pq

    group = pq.read_metadata(path).row_group(0)
    texts = [group.column(n) for n in range(group.num_columns) if group.column(n).path_in_schema
             in ("metric", "slice", "label")]  # fmt: skip
    assert texts
    assert all(column.statistics is None for column in texts)


def test_a_full_disk_changes_nothing(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    path = lake.publish(RUN_SUMMARIES, DAY, summary("a"), published(1))
    before = path.read_bytes()
    monkeypatch.setattr("pipeline.lake._SPARE_BYTES", 2**60)
    with pytest.raises(DiskFull, match="nothing was changed"):
        lake.publish(RUN_SUMMARIES, DAY, summary("b"), published(1))
    assert path.read_bytes() == before


_FILE_LIMIT = """
import resource, signal, sys
from pathlib import Path
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))
sys.path.insert(0, sys.argv[2])
from tests.pipeline.test_lake import *
lake = Lake(DataDir(Path(sys.argv[1])))
lake.publish(RUN_SUMMARIES, DAY, summary(*map(str, range(5000))), published(5000))
"""


def test_a_write_that_fails_half_way_leaves_the_old_file(lake: Lake, place: DataDir) -> None:
    path = lake.publish(RUN_SUMMARIES, DAY, summary("a"), published(1))
    before = path.read_bytes()
    root = str(Path(__file__).resolve().parents[2])
    command = [sys.executable, "-c", _FILE_LIMIT, str(place.root), root]
    failed = subprocess.run(command, capture_output=True, text=True, check=False)
    assert failed.returncode != 0
    assert "too large" in failed.stderr
    assert path.read_bytes() == before
    assert [file.name for file in path.parent.glob(".*.tmp")] == []


_FOREVER = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from tests.pipeline.test_lake import *
lake = Lake(DataDir(Path(sys.argv[1])))
print("ready", flush=True)
while True:
    for value in (1.0, 2.0):
        frame = summary(*map(str, range(3000)), value=value)
        lake.publish(RUN_SUMMARIES, DAY, frame, published(3000))
"""


def test_a_process_killed_while_publishing_leaves_the_old_or_the_new(
    lake: Lake, place: DataDir
) -> None:
    lake.publish(RUN_SUMMARIES, DAY, summary("0", value=1.0), published(1))
    root = str(Path(__file__).resolve().parents[2])
    for pause in (0.0, 0.004, 0.011, 0.019, 0.03):
        command = [sys.executable, "-c", _FOREVER, str(place.root), root]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            process.stdout.readline()
            time.sleep(pause)
            os.kill(process.pid, signal.SIGKILL)
        values = lake.read(RUN_SUMMARIES, DAY)["value"].unique().to_list()
        assert values in ([1.0], [2.0])
    path = lake.publish(RUN_SUMMARIES, DAY, summary("a"), published(1))
    assert list(path.parent.glob(".*.tmp")) == [], "what the killed left is collected"
