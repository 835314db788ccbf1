"""The warehouse file: built aside, linked in, old versions cleared."""

from __future__ import annotations

import shutil
from pathlib import Path

import duckdb
import polars as pl
import pytest

from pipeline import tables
from pipeline.catalog import WarehouseMoved, build_warehouse, open_warehouse, warehouse_script
from pipeline.catalog.meanings import TABLE_MEANINGS
from pipeline.catalog.types import column_type, identifier, literal
from pipeline.datadir import DataDir
from pipeline.lake import Lake
from pipeline.provenance import Counts, Provenance
from pipeline.tables import EVAL_SUITE, GRADES
from pipeline.windows import day


def test_every_table_of_the_lake_has_a_meaning() -> None:
    assert set(TABLE_MEANINGS) == {t.name for t in tables.ALL.values() if t.zone == "lake"}


def test_the_link_leads_to_the_version_built_last(place: DataDir) -> None:
    place.root.mkdir()
    first, second = build_warehouse(place), build_warehouse(place)
    assert place.warehouse.is_symlink()
    assert place.warehouse.resolve() == second != first
    # Both hold the same texts, and say so in the digest at the end of their names.
    assert first.stem.rpartition("-")[2] == second.stem.rpartition("-")[2]


def test_the_link_moves_with_the_data_directory(place: DataDir, tmp_path: Path) -> None:
    place.root.mkdir()
    build_warehouse(place)
    place.root.rename(tmp_path / "moved")
    assert (tmp_path / "moved" / "warehouse.duckdb").exists()


def test_three_versions_are_kept_and_nothing_else_is_left(place: DataDir) -> None:
    place.root.mkdir()
    for _ in range(6):
        build_warehouse(place)
    left = sorted(path.name for path in (place.root / ".warehouse").iterdir())
    assert left.pop(0) == "locked.sql"
    assert [name[:16] for name in left] == [f"warehouse-00000{n}" for n in (4, 5, 6)]
    assert [path.name for path in place.root.iterdir() if path.name != ".warehouse"] == [
        "warehouse.duckdb"
    ]


def test_older_clients_can_read_the_file(place: DataDir) -> None:
    place.root.mkdir()
    build_warehouse(place)
    with duckdb.connect(str(place.warehouse), read_only=True) as connection:
        (tags,) = connection.execute(
            "SELECT tags FROM duckdb_databases() WHERE NOT internal"
        ).fetchone() or ({},)
    assert tags["storage_version"].startswith("v1.2.0")


def test_it_holds_no_rows_of_its_own(place: DataDir) -> None:
    place.root.mkdir()
    build_warehouse(place)
    with duckdb.connect(str(place.warehouse), read_only=True) as connection:
        assert connection.execute("SELECT count(*) FROM duckdb_tables()").fetchone() == (0,)


def test_a_text_that_fails_leaves_the_link_as_it_was(
    place: DataDir, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.root.mkdir()
    good = build_warehouse(place)
    (tmp_path / "sql" / "views").mkdir(parents=True)
    (tmp_path / "sql" / "macros.sql").write_text("CREATE MACRO broken(", "utf-8")
    for name in ("settings.sql", "views/_table.sql"):
        (tmp_path / "sql" / name).write_text("", "utf-8")
    monkeypatch.setattr("pipeline.catalog.scripts.SQL", tmp_path / "sql")
    with pytest.raises(duckdb.Error):
        build_warehouse(place)
    assert place.warehouse.resolve() == good
    assert sorted(p.name for p in good.parent.iterdir()) == ["locked.sql", good.name]


@pytest.mark.parametrize("name", ["it's", "a [b] *c", "day=2020-01-01", 'quo"te; DROP', "größe"])
def test_any_name_of_the_data_directory_will_do(tmp_path: Path, name: str) -> None:
    place = DataDir(tmp_path / name / "data")
    for key in ("2026-11-09", "2026-11-10"):
        Lake(place).publish(GRADES, day(key), GRADES.empty(), Provenance(Counts("traces", 0, 0)))
    Lake(place).publish(EVAL_SUITE, None, EVAL_SUITE.empty(), Provenance(Counts("cases", 0, 0)))
    build_warehouse(place)
    with duckdb.connect(str(place.warehouse), read_only=True) as connection:
        assert connection.execute("SELECT count(*) FROM grades").fetchone() == (0,)
        assert connection.execute("SELECT count(*) FROM eval_suite").fetchone() == (0,)
        assert connection.execute(
            "SELECT list_sort(list(first_day::VARCHAR)) FROM partitions"
        ).fetchone() == (["2026-11-09", "2026-11-10"],)


def test_temporary_files_of_a_publish_are_not_read(place: DataDir) -> None:
    Lake(place).publish(
        GRADES, day("2026-11-09"), GRADES.empty(), Provenance(Counts("traces", 0, 0))
    )
    torn = place.lake / "grades" / "day=2026-11-09" / ".part-0.parquet.1.ab.tmp"
    torn.write_bytes(b"PAR1")
    build_warehouse(place)
    with duckdb.connect(str(place.warehouse), read_only=True) as connection:
        assert connection.execute("SELECT count(*) FROM grades").fetchone() == (0,)


def test_the_same_directory_gives_the_same_texts(place: DataDir) -> None:
    assert warehouse_script(place) == warehouse_script(place)


def test_types() -> None:
    assert column_type(pl.List(pl.Struct({"it's": pl.Int64, 'a"b': pl.List(pl.String)}))) == (
        'STRUCT("it\'s" BIGINT, "a""b" VARCHAR[])[]'
    )
    assert column_type(pl.Datetime("us", "UTC")) == "TIMESTAMP WITH TIME ZONE"
    with pytest.raises(TypeError, match="Categorical"):
        column_type(pl.Categorical())


def test_names_and_texts_are_quoted() -> None:
    with duckdb.connect() as connection:
        name, text = 'odd"name', "it's"
        row = connection.execute(f"SELECT {literal(text)} AS {identifier(name)}")
        assert [d[0] for d in row.description or []] == [name]
        assert row.fetchone() == (text,)


def test_a_copy_that_somebody_left_beside_a_partition_is_not_counted_twice(lake: Lake) -> None:
    table, window = tables.RUN_SUMMARIES, day("2026-11-10")
    empty = dict.fromkeys(table.columns)
    row = empty | {"metric": "traces_seen", "slice": "", "value": 1.0, "estimator": "count"}
    rows = pl.DataFrame([row], schema=table.schema)
    lake.publish(table, window, rows, Provenance(Counts("figures", 1, 1)))
    folder = lake.directory(table, window)
    shutil.copytree(folder, folder.with_name(f"{folder.name}-copy"))
    shutil.copytree(folder, folder.with_name("day=backup"))
    build_warehouse(lake.place)
    with duckdb.connect(str(lake.place.warehouse), read_only=True) as connection:
        counted = connection.execute("SELECT day, count(*) FROM run_summaries GROUP BY ALL")
        assert counted.fetchall() == [(window.first, 1)]
    assert lake.windows(table) == [window]


def test_the_warehouse_of_a_data_directory_that_was_moved_says_so(
    lake: Lake, tmp_path: Path
) -> None:
    table, window = tables.RUN_SUMMARIES, day("2026-11-10")
    lake.publish(table, window, table.empty(), Provenance(Counts("figures", 0, 0)))
    build_warehouse(lake.place)
    open_warehouse(lake.place).close()
    moved = DataDir(tmp_path / "it's [moved]*")
    shutil.copytree(lake.place.root, moved.root, symlinks=True)
    with pytest.raises(WarehouseMoved, match="Build it anew: make publish CASELAW_DATA="):
        open_warehouse(moved)
    build_warehouse(moved)
    open_warehouse(moved).close()
