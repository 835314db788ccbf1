"""The stage as a whole: a day of traces in, the sample with its chances out."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from pipeline.embedding import sentence_embedder
from pipeline.sampling import draw_sample
from pipeline.sampling.conversations import read_conversations
from pipeline.sampling.stakes import Stakes
from pipeline.tables import STRATIFIED_SAMPLES


@pytest.fixture(scope="module")
def day(trace):
    """A day of 134 traces: two frequent intents, one of high stakes, one nobody planned for."""
    return [
        *(trace(f"track-{n}", "Where is my parcel?", "Near.", release="r1") for n in range(80)),
        *(trace(f"stock-{n}", "Is this item in stock?", "Yes.", release="r2") for n in range(40)),
        *(trace(f"money-{n}", "I want my money back", "Done.", input_tokens=9) for n in range(8)),
        *(trace(f"poem-{n}", "Write a poem about the sea", "No.") for n in range(4)),
        *(trace(f"shy-{n}", "Where is my parcel?", "Near.", opted_out=True) for n in range(2)),
    ]


@pytest.fixture
def with_settings(registry):
    def make(**changes):
        sampling = registry.settings.sampling.model_copy(update=changes)
        settings = registry.settings.model_copy(update={"sampling": sampling})
        return replace(registry, settings=settings)

    return make


def test_the_sample_fits_its_table_and_loses_nobody(day, frame, with_settings):
    sample = draw_sample(frame(day), with_settings(budget_per_day=40), sentence_embedder())
    sample.counts.check("sample")
    assert sample.frame.schema == STRATIFIED_SAMPLES.schema
    assert sample.counts.records_in == 134
    assert sample.counts.filtered["opted_out"] == 2
    assert sample.counts.records_out == sample.frame.height <= 40
    assert not any(name.startswith("shy") for name in sample.frame["trace_id"])


def test_strata_sizes_chances_and_weights(day, frame, with_settings):
    # no trace is odd; the census takes 8 of 40, the second draw has int(0.15 · 32) = 4 places and
    # nobody to take, 28 places are left: the poems get their floor of 2, and the averages
    # 80/(2k-1) and 40/(2k-1) split the other 26 into 17 and 9
    sample = draw_sample(frame(day), with_settings(budget_per_day=40), sentence_embedder())
    strata = {
        row["stratum"]: (row["population"], row["sample"], row["reason"], row["weight"])
        for row in sample.frame.iter_rows(named=True)
    }
    assert strata == {
        "refund_request/high": (8, 8, "census", 1.0),
        "track_parcel/low": (80, 17, "proportional", pytest.approx(80 / 17, rel=1e-5)),
        "stock_question/low": (40, 9, "proportional", pytest.approx(40 / 9, rel=1e-5)),
        "unknown/medium": (4, 2, "proportional", 2.0),
    }
    assert sample.frame["weight"].sum() == pytest.approx(132, rel=1e-4)


def test_all_grades_every_trace(day, frame, with_settings):
    sample = draw_sample(frame(day), with_settings(budget_per_day="all"), sentence_embedder())
    assert sample.frame.height == 132
    assert set(sample.frame["inclusion_probability"]) == {1.0}


def test_the_order_of_rows_does_not_matter(day, frame, with_settings):
    shuffled = list(day)
    random.Random(1).shuffle(shuffled)
    registry = with_settings(budget_per_day=40)
    one, other = (draw_sample(frame(d), registry, sentence_embedder()) for d in (day, shuffled))
    assert one.frame.equals(other.frame)
    assert one.counts == other.counts


def test_an_empty_day_is_a_typed_empty_sample(frame, registry):
    sample = draw_sample(frame([]), registry, sentence_embedder())
    assert sample.frame.height == 0
    assert sample.frame.schema == STRATIFIED_SAMPLES.schema
    assert sample.counts.records_in == 0


def test_odd_traces_are_drawn_far_more_often(trace, frame, with_settings):
    failing = {"name": "check_stock", "status": "timeout"}
    asked = "Is this item in stock?"
    rows = [trace(f"t{n}", asked, tools=[failing] if n < 10 else []) for n in range(300)]
    sample = draw_sample(frame(rows), with_settings(budget_per_day=40), sentence_embedder()).frame
    odd = sample.filter(sample["signals"].list.contains("tool_error"))
    # int(0.15 · 40) = 6 of the 10 by the second draw
    assert odd.height >= 6
    assert set(odd["anomaly_score"]) == {0.4}
    assert odd["weight"].max() < 3 < sample["weight"].max()


# --- stakes ----------------------------------------------------------------------------------


@pytest.fixture
def stakes_of(trace, frame, registry):
    stakes = Stakes(registry.intents, "medium")

    def find(intent, *said, tools=()):
        (one,) = read_conversations(frame([trace("t", *said, tools=tools)]))
        return stakes.of(one, intent)

    return find


def test_stakes_come_from_the_intent(stakes_of):
    assert stakes_of("track_parcel", "hi") == "low"
    assert stakes_of("refund_request", "hi") == "high"
    assert stakes_of("unknown", "hi") == "medium"


def test_a_tool_lends_its_stakes(stakes_of):
    assert stakes_of("track_parcel", "hi", tools=["cancel_order"]) == "medium"
    assert stakes_of("track_parcel", "hi", tools=["issue_refund"]) == "high"
    assert stakes_of("complaint", "hi", tools=["check_stock"]) == "high"


@pytest.mark.parametrize(
    ("said", "stakes"),
    [
        ("I paid 250 EUR", "high"),
        ("It was $1,299.00", "high"),
        ("Es waren 1.299,00 €", "high"),
        ("I paid 49,90 €", "medium"),
        ("order 99887766", "medium"),
    ],
)
def test_large_sums_raise_the_stakes(stakes_of, said, stakes):
    assert stakes_of("return_item", said) == stakes


def test_sums_of_tools_count_too(stakes_of):
    call = {"name": "get_order", "result": '{"order_id": "1", "total": 412.5}'}
    assert stakes_of("return_item", "back it goes", tools=[call]) == "high"
    assert stakes_of("track_parcel", "where is it", tools=[call]) == "low"
