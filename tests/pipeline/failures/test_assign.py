"""A day's failures get their modes: a person's word, a known signature, likeness, or a new mode."""

from __future__ import annotations

import random
import time

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.embedding import word_embedder
from pipeline.failures import assign_modes, consolidate_modes
from pipeline.registry import NamedMode, Registry, Settings
from pipeline.tables import FAILURE_MODE_CLUSTERS
from tests.pipeline.failures.hand_made import frame, grade, on_day, weeks

PLAIN = Registry(Settings(), (), (), (), (), {})


def modes_of(clusters: pl.DataFrame) -> dict[str, str]:
    return dict(clusters.select("trace_id", "failure_mode_id").iter_rows())


def test_every_fail_is_a_row_and_nothing_else_is(embedder):
    clusters = assign_modes(
        frame(
            [
                grade("a"),
                grade("a", check="right_tool", error_class="wrong_tool", layer="rule"),
                grade("b", verdict="unknown"),
                grade("c", verdict="error"),
                grade("d", verdict="pass"),
                # a second judge fails the same trace on the same check: folded
                grade("a", grader_id="judge-2", severity="high"),
            ]
        ),
        None,
        PLAIN,
        embedder,
    )
    assert clusters.frame.select("trace_id", "check").rows() == [
        ("a", "completeness"),
        ("a", "right_tool"),
    ]
    assert clusters.frame["severity"].to_list() == ["high", "medium"]  # the gravest speaks
    assert (clusters.counts.records_in, clusters.counts.records_out) == (3, 2)
    clusters.counts.check("failure_mode_clusters")


def test_a_day_without_failures_is_an_empty_typed_frame(embedder):
    clusters = assign_modes(frame([grade("a", verdict="pass")]), None, PLAIN, embedder)
    assert clusters.frame.schema == FAILURE_MODE_CLUSTERS.schema
    assert clusters.frame.height == 0
    clusters.counts.check("failure_mode_clusters")


def test_the_failures_of_one_axis_do_not_all_land_in_one_mode(embedder):
    modes = modes_of(
        assign_modes(
            frame(
                [
                    grade("half", intent="track_parcel"),
                    grade("half too", intent="refund_request"),
                    grade("silent", error_class="no_answer"),
                    grade("customs", intent="unknown"),
                ]
            ),
            None,
            PLAIN,
            embedder,
        ).frame
    )
    assert modes["half"] == modes["half too"]  # one kind of failure in two intents
    assert len({modes["half"], modes["silent"], modes["customs"]}) == 3


def test_a_new_mode_has_a_name_that_people_can_read(embedder):
    clusters = assign_modes(
        frame(
            [
                grade(
                    "a",
                    check="right_tool",
                    error_class="wrong_tool",
                    subject="get_order",
                    reason="None of the tools that this intent needs was called.",
                ),
                grade("b", error_class="missed_part"),
                grade("c", error_class="missed_part", intent="newsletter"),
                grade("d", error_class="missed_part", intent="price_match"),
            ]
        ),
        None,
        PLAIN,
        embedder,
    ).frame
    names = dict(clusters.select("trace_id", "name").iter_rows())
    assert names["a"] == "wrong tool: track_parcel, get_order"
    assert names["b"] == "completeness, missed part: in 3 intents"
    assert clusters["provisional"].all()


def test_a_named_mode_claims_and_the_narrowest_claim_wins(embedder):
    broad = NamedMode(id="incomplete", name="Incomplete", checks=("completeness",))
    narrow = NamedMode(
        id="half_refund",
        name="Half",
        checks=("completeness",),
        intents=("refund_request",),
    )
    registry = Registry(Settings(), (), (), (), (broad, narrow), {})
    clusters = assign_modes(
        frame([grade("a"), grade("b", intent="refund_request")]), None, registry, embedder
    ).frame
    assert modes_of(clusters) == {"a": "incomplete", "b": "half_refund"}
    assert not clusters["provisional"].any()
    assert clusters["similarity"].to_list() == [1.0, 1.0]


def test_known_modes_are_met_by_signature_and_by_likeness(embedder):
    before = consolidate_modes(
        frame(on_day(0, grade("a"))), None, PLAIN, embedder, weeks(1)[0]
    ).frame
    (known,) = before["failure_mode_id"]
    today = assign_modes(
        frame(
            [
                grade("same"),
                grade("like", intent="refund_request"),
                grade("other", check="tone", error_class="cold"),
            ]
        ),
        before,
        PLAIN,
        embedder,
    ).frame
    by_trace = {row["trace_id"]: row for row in today.to_dicts()}
    assert by_trace["same"]["failure_mode_id"] == known
    assert by_trace["same"]["similarity"] == 1.0
    assert by_trace["like"]["failure_mode_id"] == known
    assert 0.72 <= by_trace["like"]["similarity"] < 1
    assert by_trace["other"]["provisional"]


def test_a_mode_that_rests_since_another_embedder_does_not_hide_those_of_this_one(embedder):
    before = consolidate_modes(
        frame(on_day(0, grade("a"))), None, PLAIN, embedder, weeks(1)[0]
    ).frame
    (known,) = before["failure_mode_id"]
    longer = [0.1] * (len(before["centroid"][0]) + 1)
    resting = before.with_columns(
        failure_mode_id=pl.lit("fm-resting"), centroid=pl.lit(pl.Series([longer])),
        signatures=pl.lit(pl.Series([["another"]])), state=pl.lit("archived"),
    )  # fmt: skip
    like = frame([grade("like", intent="refund_request")])
    today = assign_modes(like, pl.concat([before, resting]), PLAIN, embedder).frame
    assert today["failure_mode_id"].to_list() == [known]


CODES = st.sampled_from(["missed_part", "no_answer", "cold", None])
INTENTS = st.sampled_from(["track_parcel", "refund_request", "unknown", "newsletter"])
CHECKS = st.sampled_from(["completeness", "tone", "right_tool"])


@settings(max_examples=25, deadline=None)
@given(
    parts=st.lists(st.tuples(CHECKS, INTENTS, CODES), min_size=1, max_size=30),
    seed=st.randoms(use_true_random=False),
)
def test_neither_the_rows_order_nor_repetition_changes_a_byte(parts, seed):
    rows = [
        grade(f"t{n}", check=check, intent=intent, error_class=code)
        for n, (check, intent, code) in enumerate(parts)
    ]
    shuffled = list(rows)
    seed.shuffle(shuffled)
    first = assign_modes(frame(rows), None, PLAIN, word_embedder()).frame
    again = assign_modes(frame(shuffled), None, PLAIN, word_embedder()).frame
    assert first.equals(again)


def test_five_thousand_failures_take_seconds_not_minutes(embedder):
    draw = random.Random(1)
    rows = [
        grade(
            f"t{n}",
            check=draw.choice(["completeness", "tone", "helpfulness", "right_tool"]),
            intent=f"intent_{draw.randrange(60)}",
            error_class=f"error_{draw.randrange(15)}",
            subject=f"tool_{draw.randrange(12)}",
        )
        for n in range(5000)
    ]
    start = time.monotonic()
    clusters = assign_modes(frame(rows), None, PLAIN, embedder)
    print(f"5,000 failures: {time.monotonic() - start:.1f} s")
    assert clusters.frame.height == 5000
    # 4 checks x 15 error classes, and no intent or tool splits them
    assert clusters.frame["failure_mode_id"].n_unique() == 60
