"""The ledger in the warehouse: what the judge really cost."""

from __future__ import annotations

import duckdb
import pytest

from pipeline.catalog import build_warehouse
from pipeline.catalog.types import column_type
from pipeline.datadir import DataDir
from pipeline.grading.judge_calls import JUDGE_CALLS, export_ledger
from pipeline.grading.ledger import CallRecord, Ledger, Limits
from pipeline.lake import Lake
from pipeline.report import Paid, read_paid, run_query
from tests.hand_made_lake import EMPTY, JUDGE, MONDAY, publish_hand_made_lake


@pytest.fixture
def charged(place: DataDir) -> DataDir:
    """Monday judged a2, a3 and a4: a2 cost 0.02, a3 came from the cache, a4 was never finished."""
    publish_hand_made_lake(Lake(place))
    ledger = Ledger(place.ledger)
    call = ledger.reserve("run-1", JUDGE, "content-2", "a2", 0.05, Limits(1, 1))
    ledger.settle(call, CallRecord("answered", 0.02, 800.0, 900, 100))
    ledger.hit("run-1", JUDGE, "content-2", "a3")  # the same conversation word for word
    ledger.reserve("run-1", JUDGE, "content-4", "a4", 0.05, Limits(1, 1))
    ledger.close()
    return place


def test_the_page_learns_what_was_paid_and_what_the_cache_saved(charged: DataDir) -> None:
    # Paid: 0.02, and 0.05 still reserved. Anew for all three: 0.02 + 0.02 + 0.05.
    found = read_paid(Lake(charged), MONDAY)
    assert found is not None
    assert (found.calls, found.cached, found.unfinished) == (2, 1, 1)
    assert found.paid_usd == pytest.approx(0.07)
    assert found.uncached_usd == pytest.approx(0.09)
    assert read_paid(Lake(charged), EMPTY) == Paid(0, 0, 0, 0.0, 0.0)


def test_without_a_ledger_nothing_was_paid(place: DataDir) -> None:
    publish_hand_made_lake(Lake(place))
    assert read_paid(Lake(place), MONDAY) is None
    assert not place.ledger.exists()


def test_the_query_says_the_same(charged: DataDir) -> None:
    export_ledger(charged.ledger)
    build_warehouse(charged)
    columns = ("day", "judge_usd_as_if_uncached", "judge_usd_paid")
    found = run_query(charged, "cost_per_day").select(columns).rows()
    assert found[1] == (MONDAY.first, 0.09, 0.07)


@pytest.mark.parametrize("exported", [True, False])
def test_the_view_has_the_columns_of_the_ledger(charged: DataDir, exported: bool) -> None:
    if exported:
        export_ledger(charged.ledger)
    build_warehouse(charged)
    with duckdb.connect(str(charged.warehouse), read_only=True) as connection:
        columns = connection.execute("DESCRIBE judge_calls").fetchall()
        assert [(name, dtype) for name, dtype, *_ in columns] == [
            (name, column_type(dtype)) for name, dtype in JUDGE_CALLS.items()
        ]
        rows = connection.execute("SELECT count(*) FROM judge_calls").fetchone()
        assert rows == (3 if exported else 0,)
