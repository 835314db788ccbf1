"""The macros give what the pipeline gives, on the same rows."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import duckdb
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.catalog import SQL
from pipeline.estimation import Estimate, rate
from pipeline.report.estimates import weighted_count, weighted_total

_TOLERANCE = 2e-6  # the macros keep six decimals, and round bounds outwards

probabilities = st.one_of(st.just(1.0), st.floats(0.01, 1.0))
samples = st.lists(st.tuples(st.booleans(), probabilities), min_size=1, max_size=60)


@pytest.fixture(scope="module")
def macros() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    connection.execute((SQL / "macros.sql").read_text("utf-8"))
    return connection


def run(macros: duckdb.DuckDBPyConnection, call: str, first: list[Any], second: list[Any]) -> Any:
    row = macros.execute(
        f"SELECT {call} FROM (SELECT unnest(?) AS a, unnest(?::DOUBLE[]) AS p)", [first, second]
    ).fetchone()
    return row and row[0]


def assert_same(found: dict[str, Any], expected: Estimate) -> None:
    assert found["n"] == expected.n
    for name in ("value", "low", "high"):
        wanted = asdict(expected)[name]
        if wanted is None:
            assert found[name] is None
        else:
            assert found[name] == pytest.approx(wanted, rel=1e-6, abs=_TOLERANCE)


def test_half_of_two_equal_traces_fails(macros: duckdb.DuckDBPyConnection) -> None:
    # Each stands for two: p = 2/4. (1 - pi) w² is 2 for each, so v = 2 · (2 · 0.25) / 16 = 1/16,
    # n_design = 0.25 / (1/16) = 4, n_weights = 16 / 4 = 4. Wilson's bounds at p = 1/2, n = 4:
    # 1/2 ± 1.96 / (1 + 3.8415/4) · sqrt(0.25/4 + 3.8415/64) = 1/2 ± 0.349961.
    found = run(macros, "hajek_rate(a, p)", [True, False], [0.5, 0.5])
    assert found["value"] == 0.5
    assert (found["low"], found["high"]) == (0.150038, 0.849962)  # rounded outwards
    assert found["n"] == 2


@given(samples)
def test_hajek_rate_is_that_of_the_pipeline(
    macros: duckdb.DuckDBPyConnection, rows: list[tuple[bool, float]]
) -> None:
    failed, probability = map(list, zip(*rows, strict=True))
    assert_same(run(macros, "hajek_rate(a, p)", failed, probability), rate(failed, probability))


@given(samples)
def test_weighted_count_is_that_of_the_summary(
    macros: duckdb.DuckDBPyConnection, rows: list[tuple[bool, float]]
) -> None:
    failed, probability = map(list, zip(*rows, strict=True))
    expected = weighted_count(pl.DataFrame({"failed": failed, "probability": probability}))
    assert_same(run(macros, "weighted_count(a, p)", failed, probability), expected)
    assert expected.low is not None
    assert expected.low >= sum(failed)


@given(st.lists(st.tuples(st.floats(0.001, 10), st.sampled_from([1.0, 0.5, 0.1])), min_size=1))
def test_weighted_total_is_that_of_the_summary(
    macros: duckdb.DuckDBPyConnection, rows: list[tuple[float, float]]
) -> None:
    amounts, probability = map(list, zip(*rows, strict=True))
    found = run(macros, "weighted_total(a, p)", amounts, probability)
    expected = weighted_total(amounts, probability)
    assert found["value"] == pytest.approx(expected.value, rel=1e-6)
    for name in ("low", "high"):
        if asdict(expected)[name] is None:
            assert found[name] is None
        else:  # the square root magnifies what rounding leaves of a spread of zero
            assert found[name] == pytest.approx(asdict(expected)[name], rel=1e-5, abs=1e-4)


@pytest.mark.parametrize("macro", ["hajek_rate", "weighted_count"])
def test_no_row_gives_no_number(macros: duckdb.DuckDBPyConnection, macro: str) -> None:
    found = run(macros, f"{macro}(a::BOOLEAN, p)", [], [])
    assert (found["value"], found["low"], found["high"], found["n"]) == (None, None, None, 0)


def test_a_census_has_no_width(macros: duckdb.DuckDBPyConnection) -> None:
    found = run(macros, "hajek_rate(a, p)", [True, False, False, False], [1.0] * 4)
    assert (found["value"], found["low"], found["high"]) == (0.25, 0.25, 0.25)
