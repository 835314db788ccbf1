"""What only all days and people know of a case: corrections, lapsed policies, cases ready."""

from __future__ import annotations

import json
from datetime import timedelta

import polars as pl

from pipeline.suite import assemble_suite, parse_suite
from pipeline.suite.folding import read_entries
from pipeline.suite.patterns import Patterns
from tests.pipeline.promotion.hand_made import MONDAY, all_days, annotations, apart, decisions
from tests.pipeline.promotion.hand_made import registry as make_registry

NOBODY = annotations()
PATTERN = decisions([apart(n) for n in range(3)])  # get_order was called, track_shipment is right


def calling(tool: str) -> str:
    return json.dumps({"content": "On its way.", "tool_calls": [{"name": tool, "arguments": {}}]})


def suite(promoted: pl.DataFrame, people: pl.DataFrame = NOBODY, existing: str | None = None):
    registry = make_registry(cases_per_variant=1)
    return assemble_suite(promoted, people, None, existing, registry)


def test_a_correction_that_the_checks_pass_proves_the_case():
    people = annotations(("t0", "bad"), corrected=calling("track_shipment"))
    made = suite(all_days(PATTERN), people)
    assert made.frame["self_check"].to_list() == ["proved"]
    (case,) = parse_suite(made.text).values()
    assert "On its way." not in json.dumps(case["birth"])


def test_a_case_that_fails_its_own_correction_waits_even_if_it_was_asked_for():
    wrong = annotations(("t0", "bad"), corrected=calling("get_order"))
    made = suite(all_days(PATTERN), wrong)
    assert made.counts.filtered["waiting_for_review"] == 1
    assert "t0" not in {c["provenance"]["trace_id"] for c in parse_suite(made.text).values()}


def test_a_published_case_that_fails_its_correction_stays_and_shows_it():
    published = suite(all_days(PATTERN))
    wrong = annotations(("t0", "bad"), corrected=calling("get_order"))
    again = suite(all_days(PATTERN), wrong, published.text)
    assert again.frame["case_id"].to_list() == published.frame["case_id"].to_list()
    assert again.frame["self_check"].to_list() == ["fails_on_good"]


def test_a_case_expires_with_its_policy_until_it_fails_under_the_new_one():
    later = decisions([apart(5)]).frame
    later = later.with_columns(
        day=pl.lit(MONDAY + timedelta(days=30)), policy_version=pl.lit("r2")
    ).with_columns(failure_mode_id=pl.lit("fm-other"), intent=pl.lit("order_status"))
    gone = suite(pl.concat([all_days(PATTERN), later], how="diagonal"))
    expired = gone.frame.filter(pl.col("expired").is_not_null())
    assert expired.height == 1
    assert "r2" in expired["expired"][0]
    same = PATTERN.frame.with_columns(
        day=pl.lit(MONDAY + timedelta(days=30)), policy_version=pl.lit("r2")
    )
    seen_again = suite(pl.concat([all_days(PATTERN), same], how="diagonal"))
    assert seen_again.frame["expired"].drop_nulls().is_empty()


def test_what_may_be_personal_stays_out_whoever_asks_for_it():
    promoted = all_days(PATTERN).with_columns(
        decision=pl.lit("review"), blocked_by=pl.lit(["residue"], pl.List(pl.String))
    )
    assert suite(promoted, annotations(("t0", "bad"))).frame.is_empty()


def test_a_failure_that_a_case_stood_ready_for_was_not_missed():
    blocked = all_days(PATTERN).with_columns(
        decision=pl.lit("rejected"), blocked_by=pl.lit(["no_pattern"], pl.List(pl.String)),
        missed_offline=pl.lit(1.0),
    )  # fmt: skip
    entries = read_entries(blocked, {})
    ready = {
        "case-1": {
            "status": "active", "intent": entries[0].intent, "mode": {"id": entries[0].mode_id},
            "history": {"first_day": "2026-10-01"},
        }
    }  # fmt: skip
    alone, beside = Patterns(entries, {}), Patterns(entries, ready)
    mean = next(
        n / 100 for n in range(100, 0, -1)
        if alone.lift(entries[0], frozenset(), make_registry(threshold=n / 100).settings.promotion)
    )  # fmt: skip
    limits = make_registry(threshold=mean).settings.promotion
    assert alone.lift(entries[0], frozenset(), limits)
    assert not beside.lift(entries[0], frozenset(), limits)


def test_one_blind_good_does_not_take_a_published_case_out_and_two_do():
    published = suite(all_days(PATTERN))
    for votes, left in ((1, 1), (2, 0)):
        said = [("t0", "good"), ("t1", "good"), ("t2", "good")] * votes
        again = suite(all_days(PATTERN), annotations(*said, blind=True), published.text)
        assert again.frame.height == left
    seen = annotations(("t0", "good"))
    (case,) = parse_suite(published.text).values()
    assert case["provenance"]["trace_id"] == "t0"
    after = suite(all_days(PATTERN), seen, published.text)
    assert case["id"] not in after.frame["case_id"].to_list()
