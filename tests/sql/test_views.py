"""The views: one per table of the lake, none of raw data, typed even where nothing is there."""

from __future__ import annotations

import shutil

import duckdb
import polars as pl
import pytest

from pipeline import tables
from pipeline.catalog import SQL, build_warehouse, warehouse_script
from pipeline.catalog.types import column_type
from pipeline.datadir import DataDir
from pipeline.ids import canonical_json

LAKE = [table for table in tables.ALL.values() if table.zone == "lake"]
RAW = [table for table in tables.ALL.values() if table.zone == "raw"]
VIEWS = sorted((SQL / "views").glob("[0-9]*.sql"))


def described(connection: duckdb.DuckDBPyConnection, view: str) -> dict[str, str]:
    rows = connection.execute(
        "SELECT column_name, data_type FROM duckdb_columns() WHERE table_name = ?"
        " AND NOT internal ORDER BY column_index",
        [view],
    ).fetchall()
    return {name: dtype.replace('"', "") for name, dtype in rows}


def views_of(connection: duckdb.DuckDBPyConnection) -> set[str]:
    rows = connection.execute("SELECT view_name FROM duckdb_views() WHERE NOT internal").fetchall()
    return {name for (name,) in rows}


@pytest.mark.parametrize("table", LAKE, ids=lambda table: table.name)
def test_a_table_has_a_view_of_its_columns(
    warehouse: duckdb.DuckDBPyConnection, table: tables.Table
) -> None:
    partition = {table.unit: "DATE"} if table.unit else {}
    declared = {n: column_type(c.dtype).replace('"', "") for n, c in table.columns.items()}
    assert list(described(warehouse, table.name).items()) == list((partition | declared).items())


@pytest.mark.parametrize("table", LAKE, ids=lambda table: table.name)
def test_a_table_without_a_file_has_a_typed_empty_view(
    empty_place: DataDir, table: tables.Table
) -> None:
    with duckdb.connect(str(empty_place.warehouse), read_only=True) as connection:
        assert connection.execute(f"SELECT count(*) FROM {table.name}").fetchone() == (0,)
        assert len(described(connection, table.name)) == len(table.columns) + bool(table.unit)


def test_there_are_no_other_views_and_none_of_raw_data(
    hand_made: DataDir, warehouse: duckdb.DuckDBPyConnection
) -> None:
    named = {path.stem.partition("_")[2] for path in VIEWS}
    assert views_of(warehouse) == {table.name for table in LAKE} | named
    assert not views_of(warehouse) & {table.name for table in RAW}
    assert str(hand_made.raw) not in warehouse_script(hand_made).text.replace("''", "'")


def test_every_view_and_column_says_what_it_means(warehouse: duckdb.DuckDBPyConnection) -> None:
    silent = warehouse.execute(
        "SELECT view_name FROM duckdb_views() WHERE NOT internal AND coalesce(comment, '') = ''"
    ).fetchall()
    assert silent == []
    (meaning,) = warehouse.execute(
        "SELECT comment FROM duckdb_columns() WHERE table_name = 'stratified_samples'"
        " AND column_name = 'inclusion_probability'"
    ).fetchone() or ("",)
    assert meaning == tables.STRATIFIED_SAMPLES.columns["inclusion_probability"].meaning


def test_the_partition_is_a_date_and_prunes_files(warehouse: duckdb.DuckDBPyConnection) -> None:
    # Three days are published; a filter on one of them reads one file.
    count = warehouse.execute("SELECT count(*) FROM grades WHERE day = DATE '2026-11-09'")
    assert count.fetchone() == (10,)
    plan = warehouse.execute(
        "EXPLAIN ANALYZE SELECT count(*) FROM grades WHERE day = DATE '2026-11-09'"
    ).fetchall()
    assert "Total Files Read: 1" in str(plan)


def test_an_older_file_without_a_newer_column_reads_as_null(hand_made: DataDir) -> None:
    # A copy of the lake in which Monday's grades were published before `user_key` existed.
    old = DataDir(hand_made.root.parent / "old")
    shutil.copytree(hand_made.lake, old.lake)
    for path in (old.lake / "grades").glob("*/*.parquet"):
        pl.read_parquet(path, hive_partitioning=False).drop("user_key").write_parquet(path)
    build_warehouse(old)
    with duckdb.connect(str(old.warehouse), read_only=True) as connection:
        assert connection.execute("SELECT count(*), count(user_key) FROM grades").fetchone() == (
            11,
            0,
        )


def test_partitions_list_an_empty_day(warehouse: duckdb.DuckDBPyConnection) -> None:
    days = warehouse.execute(
        "SELECT first_day::VARCHAR FROM partitions WHERE table_name = 'grades' ORDER BY first_day"
    ).fetchall()
    assert days == [("2026-11-09",), ("2026-11-10",), ("2026-11-11",)]


def test_verdicts_multiply_both_chances(warehouse: duckdb.DuckDBPyConnection) -> None:
    # a2 was drawn for certain and put before the judge with chance 0.5.
    row = warehouse.execute(
        "SELECT inclusion_probability, check_probability, probability FROM verdicts "
        "WHERE trace_id = 'a2' AND \"check\" = 'helpfulness'"
    ).fetchone()
    assert row == (1.0, 0.5, 0.5)


def test_a_merged_mode_leads_to_where_it_went(warehouse: duckdb.DuckDBPyConnection) -> None:
    row = warehouse.execute(
        "SELECT failure_mode_id, mode_name, mode_id_of_the_day FROM failures WHERE trace_id = 'b1'"
    ).fetchone()
    assert row == ("m-old", "Refund with the wrong tool", "m-ancient")


def test_only_redacted_traces_hold_text(warehouse: duckdb.DuckDBPyConnection) -> None:
    # The hand-made conversations say PAYLOAD; no other view may carry it on.
    for view in views_of(warehouse) - {"redacted_traces"}:
        rows = warehouse.execute(f'SELECT to_json(v) FROM "{view}" AS v').fetchall()
        assert b"PAYLOAD" not in canonical_json([str(row) for row in rows]), view
