"""Every finding can fail: a published week is damaged in one way, and one finding says so."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from assets import findings, mode_findings, suite_findings
from pipeline.datadir import DataDir
from pipeline.lake import Lake
from pipeline.provenance import Counts, Provenance
from pipeline.redaction import PiiPolicy
from pipeline.registry import Fix, NamedMode, Registry, load_registry
from pipeline.suite import parse_suite, render_suite
from pipeline.tables import (
    EVAL_SUITE,
    FAILURE_MODE_CLUSTERS,
    FAILURE_MODES,
    GRADES,
    JUDGE_CALIBRATION_REPORTS,
    MODE_RATES,
    MODE_STATES,
    PROMOTED_CASES,
    RAW_TRACES,
    REDACTED_TRACES,
    SLOW_FAILURES,
    STRATIFIED_SAMPLES,
    Table,
)
from pipeline.windows import Window, day, week
from tests.assets.conftest import Lineage

SATURDAY = day("2026-11-07")
WEEK = week("2026-11-02")
NEXT_WEEK = week("2026-11-09")


@pytest.fixture
def lake(closed_week: Lineage, tmp_path: Path) -> Lake:
    """A copy of the published week that a test may damage."""
    root = tmp_path / "damaged"
    for room in ("lake", "raw", "reports", "eval"):
        shutil.copytree(closed_week.place.root / room, root / room)
    return Lake(DataDir(root))


@pytest.fixture
def registry(lake: Lake) -> Registry:
    return load_registry(lake.place.registry, WEEK)


def rewrite(
    lake: Lake, table: Table, window: Window | None, change: Callable[[pl.DataFrame], pl.DataFrame]
) -> None:
    frame = change(lake.read(table, window))
    rows = Counts("rows", frame.height, frame.height)
    lake.publish(table, window, frame, Provenance(rows))


def all_but_one(frame: pl.DataFrame) -> pl.DataFrame:
    assert not frame.is_empty()
    return frame.slice(1)


def test_altered_bytes_are_found(lake: Lake) -> None:
    assert findings.is_intact(GRADES, lake, SATURDAY).passed
    shutil.copy(*(lake.files(GRADES, d)[0] for d in (day("2026-11-06"), SATURDAY)))
    found = findings.is_intact(GRADES, lake, SATURDAY)
    assert not found.passed
    assert found.facts == {"bytes_as_published": False, "columns_of_today": True}


def test_a_footer_that_does_not_add_up_is_found(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert findings.conserves_records(GRADES, lake, SATURDAY).passed
    honest = lake.footer(GRADES, SATURDAY)
    lost = honest | {"counts": honest["counts"] | {"records_in": 9999}}
    monkeypatch.setattr(Lake, "footer", lambda *_: lost)
    assert not findings.conserves_records(GRADES, lake, SATURDAY).passed


def test_a_large_quarantine_is_found(lake: Lake, registry: Registry) -> None:
    assert findings.quarantine_is_small(lake, registry, SATURDAY).passed
    strict = registry.settings.ingest.model_copy(update={"quarantine_ratio": -1.0})
    settings = registry.settings.model_copy(update={"ingest": strict})
    object.__setattr__(registry, "settings", settings)
    assert not findings.quarantine_is_small(lake, registry, SATURDAY).passed


@pytest.mark.parametrize(
    "change",
    [
        pl.col("inclusion_probability") * 0.0,
        pl.col("inclusion_probability") + 1.0,
        pl.col("weight") + 1.0,
        (pl.col("population") + 1).alias("sample"),
    ],
)
def test_unsound_probabilities_are_found(lake: Lake, registry: Registry, change: pl.Expr) -> None:
    assert findings.probabilities_are_sound(lake, registry, SATURDAY).passed
    rewrite(lake, STRATIFIED_SAMPLES, SATURDAY, lambda frame: frame.with_columns(change))
    assert not findings.probabilities_are_sound(lake, registry, SATURDAY).passed


@pytest.mark.parametrize(
    ("finding", "table"),
    [
        (findings.every_sample_is_redacted, REDACTED_TRACES),
        (findings.every_sample_is_redacted, STRATIFIED_SAMPLES),
        (findings.every_trace_is_graded, REDACTED_TRACES),
        (findings.every_failure_has_a_mode, FAILURE_MODE_CLUSTERS),
        (findings.every_failure_is_decided, PROMOTED_CASES),
    ],
)
def test_a_lost_row_is_found(
    lake: Lake,
    registry: Registry,
    finding: Callable[[Lake, Registry, Window], findings.Finding],
    table: Table,
) -> None:
    fullest = max(lake.windows(table), key=lambda window: lake.read(table, window).height)
    assert finding(lake, registry, fullest).passed
    rewrite(lake, table, fullest, all_but_one)
    assert not finding(lake, registry, fullest).passed


def test_grader_errors_are_found(lake: Lake, registry: Registry) -> None:
    assert findings.graders_work(lake, registry, SATURDAY).passed
    broken = pl.lit("error").alias("verdict")
    rewrite(lake, GRADES, SATURDAY, lambda frame: frame.with_columns(broken))
    assert not findings.graders_work(lake, registry, SATURDAY).passed


def test_a_missing_page_is_found(lake: Lake, registry: Registry) -> None:
    assert findings.page_exists(lake, registry, SATURDAY).passed
    (lake.place.reports / str(SATURDAY) / "summary.md").unlink()
    assert findings.page_exists(lake, registry, SATURDAY).facts == {"pages": 1}


def test_a_lost_mode_is_found(lake: Lake, registry: Registry) -> None:
    lake.publish(
        FAILURE_MODES, NEXT_WEEK, lake.read(FAILURE_MODES, WEEK), Provenance(Counts("rows", 0, 0))
    )
    assert mode_findings.modes_persist(lake, registry, NEXT_WEEK).passed
    rewrite(lake, FAILURE_MODES, NEXT_WEEK, all_but_one)
    assert mode_findings.modes_persist(lake, registry, NEXT_WEEK).facts["lost"] == 1


@pytest.mark.parametrize(
    "change",
    [pl.col("n") + 1, (pl.col("seen") * 0).alias("seen")],
    ids=["another number of traces", "failures lost"],
)
def test_rates_that_leave_traffic_or_failures_out_are_found(
    lake: Lake, registry: Registry, change: pl.Expr
) -> None:
    assert mode_findings.rates_cover_the_traffic(lake, registry, WEEK).passed
    rewrite(lake, MODE_RATES, WEEK, lambda frame: frame.with_columns(change))
    assert not mode_findings.rates_cover_the_traffic(lake, registry, WEEK).passed


def test_a_mode_without_a_state_is_found(lake: Lake, registry: Registry) -> None:
    assert mode_findings.every_mode_has_a_state(lake, registry, WEEK).passed
    rewrite(lake, MODE_STATES, WEEK, all_but_one)
    assert mode_findings.every_mode_has_a_state(lake, registry, WEEK).facts["without_a_state"] == 1


def test_a_claim_on_no_mode_is_found(lake: Lake, registry: Registry) -> None:
    known = lake.read(FAILURE_MODES, WEEK)["failure_mode_id"][0]
    claims = [Fix(mode=mode, release="2", effective_from=WEEK.first) for mode in (known, "typo")]
    object.__setattr__(registry, "fixes", tuple(claims[:1]))
    assert mode_findings.claims_name_modes(lake, registry, WEEK).passed
    object.__setattr__(registry, "fixes", tuple(claims))
    found = mode_findings.claims_name_modes(lake, registry, WEEK)
    assert found.facts == {"claims": 2, "of_no_mode": 1}


def test_an_entry_for_a_mode_that_lives_on_as_another_is_found(
    lake: Lake, registry: Registry
) -> None:
    folded = pl.lit(pl.Series([["fm-gone"]])).alias("merged_from")
    rewrite(lake, FAILURE_MODES, WEEK, lambda frame: frame.head(1).with_columns(folded))
    for entry, passed in (
        (NamedMode(id="fm-gone", name="A", checks=("tone",)), True),
        (NamedMode(id="fm-gone", name="A", state="ignored"), False),
    ):
        object.__setattr__(registry, "failure_modes", (entry,))
        found = mode_findings.entries_reach_modes(lake, registry, WEEK)
        assert (found.passed, found.facts["of_folded"]) == (passed, int(not passed))


def test_a_trend_that_is_none_is_found(lake: Lake, registry: Registry) -> None:
    assert mode_findings.trends_are_sound(lake, registry, WEEK).passed
    certain = pl.lit(True).alias("creeping")
    rewrite(lake, SLOW_FAILURES, WEEK, lambda frame: frame.with_columns(certain))
    assert not mode_findings.trends_are_sound(lake, registry, WEEK).passed


def test_unearned_trust_is_found(lake: Lake, registry: Registry) -> None:
    assert findings.trust_is_earned(lake, registry, WEEK).passed
    praise = (pl.lit(True).alias("trusted"), pl.lit(1, pl.Int64).alias("n"))
    rewrite(lake, JUDGE_CALIBRATION_REPORTS, WEEK, lambda frame: frame.with_columns(praise))
    assert not findings.trust_is_earned(lake, registry, WEEK).passed


def test_a_suite_that_lost_a_case_is_found(lake: Lake, registry: Registry) -> None:
    assert suite_findings.suite_holds_its_index(lake, registry, None).passed
    rewrite(lake, EVAL_SUITE, None, all_but_one)
    assert suite_findings.suite_holds_its_index(lake, registry, None).facts["not_in_index"] == 1


def edit_suite(lake: Lake, change: Callable[[list[dict[str, Any]]], None]) -> None:
    """Change the suite's cases as a person would, in a copy of the file."""
    path = lake.place.root / "eval" / "cases_from_prod.yaml"
    cases = list(parse_suite(path.read_text("utf-8")).values())
    change(cases)
    path.write_text(render_suite(cases), "utf-8")


def test_a_case_in_words_that_there_are_not_is_found(lake: Lake, registry: Registry) -> None:
    assert suite_findings.cases_are_sound(lake, registry, None).passed
    edit_suite(lake, lambda cases: cases[0].update(status="retierd", checks=[{"kind": "magic"}]))
    assert suite_findings.cases_are_sound(lake, registry, None).facts["problems"] == 2


def test_a_holdout_text_among_the_examples_is_found(lake: Lake, registry: Registry) -> None:
    assert suite_findings.holdout_stays_apart(lake, registry, None).passed

    def tear(cases: list[dict[str, Any]]) -> None:
        cases[0]["split"] = "holdout"
        cases.append(cases[0] | {"id": "case-copy", "split": "example", "provenance": {}})

    edit_suite(lake, tear)
    found = suite_findings.holdout_stays_apart(lake, registry, None)
    assert not found.passed
    assert found.facts["near: example"] == 1


def test_personal_data_at_rest_is_found(lake: Lake, closed_week: Lineage) -> None:
    redacted = lake.read(REDACTED_TRACES, SATURDAY)
    assert findings.residue_at_rest(redacted, PiiPolicy()) == []
    raw = lake.read(RAW_TRACES, lake.windows(RAW_TRACES))
    unsafe = raw.select(column for column in REDACTED_TRACES.columns if column in raw.columns)
    leaked = REDACTED_TRACES.empty().select(unsafe.columns).vstack(unsafe)
    assert "EMAIL_ADDRESS" in findings.residue_at_rest(leaked, PiiPolicy())
