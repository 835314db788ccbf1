"""The analyst's connection reads the views, and nothing else on the machine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
from click.testing import CliRunner

from pipeline.catalog import open_warehouse
from pipeline.cli.main import cli
from pipeline.datadir import DataDir
from pipeline.grading.ledger import Ledger
from pipeline.redaction.replacement.keys import load_key

SECRET = "PAYLOAD-OF-MIA"


@pytest.fixture
def guarded(hand_made: DataDir) -> DataDir:
    """The hand-made lake with a key, a paid answer and a file in landing."""
    load_key(hand_made.keys / "content.key", {}, create=True)
    ledger = Ledger(hand_made.ledger)
    ledger.keep("judge", "content", SECRET)
    ledger.close()
    hand_made.landing.mkdir(exist_ok=True)
    (hand_made.landing / "mia.jsonl").write_text(SECRET)
    return hand_made


def plain(place: DataDir) -> duckdb.DuckDBPyConnection:
    """Any client: opened read-only, then the published script."""
    connection = duckdb.connect(str(place.warehouse), read_only=True)
    connection.execute((place.warehouse.resolve().parent / "locked.sql").read_text("utf-8"))
    return connection


@pytest.fixture(params=[open_warehouse, plain], ids=["caselaw", "plain client"])
def locked(guarded: DataDir, request: pytest.FixtureRequest) -> Iterator[duckdb.DuckDBPyConnection]:
    with request.param(guarded) as connection:
        yield connection


def test_every_view_works(locked: duckdb.DuckDBPyConnection) -> None:
    views = locked.execute("SELECT view_name FROM duckdb_views() WHERE NOT internal").fetchall()
    assert len(views) > 15
    for (view,) in views:
        locked.execute(f'SELECT * FROM "{view}"').fetchall()
    assert locked.execute("SELECT count(*) FROM grades").fetchone() == (11,)


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM read_parquet('{root}/raw/raw_traces/day=2026-11-09/part-0.parquet')",
        "SELECT * FROM read_text('{root}/landing/mia.jsonl')",
        "SELECT * FROM read_text('{root}/keys/content.key')",
        "SELECT * FROM read_blob('{root}/ledger/judge.sqlite')",
        "SELECT * FROM glob('{root}/raw/**')",
        "SELECT * FROM read_text('{root}/lake/../keys/content.key')",
        "SELECT * FROM read_text('/etc/hostname')",
        "SELECT * FROM read_text('https://example.org/')",
        "COPY (SELECT 1) TO '{root}/out.csv'",
        "COPY (SELECT 1) TO '/tmp/caselaw-out.csv'",
        "ATTACH '{root}/other.duckdb'",
        "EXPORT DATABASE '{root}/export'",
        "INSTALL httpfs",
        "LOAD httpfs",
        "SET enable_external_access = true",
        "SET allowed_directories = ['/']",
        "SET temp_directory = '/tmp'",
        "RESET lock_configuration",
    ],
)
def test_nothing_else_can_be_read_written_or_unlocked(
    guarded: DataDir, locked: duckdb.DuckDBPyConnection, statement: str
) -> None:
    text = statement.format(root=str(guarded.root.resolve()).replace("'", "''"))
    with pytest.raises(duckdb.Error, match=r"disabled|locked|not been explicitly|cannot|Cannot"):
        locked.execute(text)


def test_a_link_in_the_lake_leads_nowhere(
    guarded: DataDir, locked: duckdb.DuckDBPyConnection
) -> None:
    link = guarded.lake / "link.txt"
    link.unlink(missing_ok=True)
    link.symlink_to(guarded.keys / "content.key")
    with pytest.raises(duckdb.Error, match="disabled"):
        locked.execute(f"SELECT * FROM read_text('{str(link).replace(chr(39), chr(39) * 2)}')")


def caselaw(place: DataDir, *words: str, text: str | None = None) -> tuple[int, str]:
    done = CliRunner().invoke(cli, ["--data", str(place.root), "sql", *words], input=text)
    return done.exit_code, done.output


def test_the_command_runs_what_reads(guarded: DataDir) -> None:
    assert caselaw(guarded, "--csv", "SELECT count(*) AS n FROM grades") == (0, "n\n11\n")
    several = """SET VARIABLE wanted = '2026-11-10';
        SELECT count(*) AS n FROM grades WHERE "day" = getvariable('wanted')::DATE"""
    assert caselaw(guarded, "--csv", "-", text=several) == (0, "n\n1\n")
    assert caselaw(guarded, "--csv", "SELECT 1 AS a; SELECT 2 AS b") == (0, "b\n2\n")


@pytest.mark.parametrize(
    "statement",
    ["COPY grades TO '{lake}/mine.parquet'", "CREATE TABLE x AS SELECT 1", "DROP VIEW grades",
     "SELECT 1; ATTACH 'x'", "SET VARIABLE a = 1", "", "SELEC 1",
     "EXPLAIN ANALYZE COPY grades TO '{lake}/mine.parquet'",
     "explain/**/(analyze, format json)COPY grades TO '{lake}/mine.parquet'; SELECT 1"],
)  # fmt: skip
def test_the_command_refuses_what_does_more(guarded: DataDir, statement: str) -> None:
    # Where the connection may read it could also write, if the files' permissions let it.
    code, told = caselaw(guarded, statement.format(lake=str(guarded.lake).replace("'", "''")))
    assert code == 2, told
    assert not (guarded.lake / "mine.parquet").exists()


def test_a_view_that_is_not_there_is_told_with_how_to_see_those_that_are(guarded: DataDir) -> None:
    code, told = caselaw(guarded, "SELECT * FROM nosuch")
    assert code == 2
    assert "nosuch does not exist" in told
    assert 'caselaw sql "SHOW TABLES"' in told
    assert "pg_" not in told
    code, told = caselaw(guarded, "SHOW TABLES")
    assert (code, "grades" in told) == (0, True)


def test_a_select_is_explained(guarded: DataDir) -> None:
    for how in ("EXPLAIN", "EXPLAIN ANALYZE", "EXPLAIN (ANALYZE, FORMAT json)"):
        code, told = caselaw(guarded, f"/* how */ {how} SELECT count(*) FROM grades")
        assert (code, "explain_value" in told) == (0, True), told


def test_values_of_any_type_are_printed(guarded: DataDir) -> None:
    odd = ("1e300::DOUBLE", "'inf'::DOUBLE", "[[1]]", "MAP {'a': 1}", "{'a': [1]}")
    for one in odd:
        for form in ((), ("--csv",)):
            code, told = caselaw(guarded, *form, f"SELECT {one} AS v UNION ALL SELECT NULL")
            assert code == 0, (one, told)
    for one in ("INTERVAL 1 DAY", "'x'::VARIANT"):
        code, told = caselaw(guarded, f"SELECT {one} AS v")
        assert (code, "cast it" in told) == (2, True)


def test_without_a_warehouse_it_says_what_to_run(place: DataDir, tmp_path: Path) -> None:
    from pipeline.lake import MissingPartition

    with pytest.raises(MissingPartition, match="make publish"):
        open_warehouse(place)
