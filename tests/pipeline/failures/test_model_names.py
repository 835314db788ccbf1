"""A model names new modes: asked once, over a real server, and never trusted with the form."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from pipeline.failures import ModelNamer, consolidate_modes
from pipeline.failures.model_names import NamesPending, as_name
from pipeline.registry import NamedMode, Registry, Settings
from pipeline.registry.settings import Failures, Judge
from tests.pipeline.failures.hand_made import frame, grade, on_day, weeks
from tests.pipeline.grading.judge_server import Answer, serve

PLAIN = Registry(Settings(), (), (), (), (), {})
ROWS = frame(on_day(0, grade("a", reason="Order 5550001 of PERSON_KQXZBTRWMNPD was left out.")))


def namer(url, tmp_path):
    free = Judge(input_usd_per_million=0, output_usd_per_million=0)
    model = Failures(naming_model="openai/namer-1", naming_api_base=url)
    return ModelNamer(Settings(judge=free, failures=model), tmp_path)


def only_name(modes):
    (row,) = modes.frame.to_dicts()
    return row["name"], row["named_by"]


def test_a_new_mode_is_named_once_from_masked_descriptions(embedder, tmp_path):
    one, two = weeks(2)
    with serve(lambda n, request: Answer(content='"Second question left unanswered."')) as server:
        asks = namer(server.url, tmp_path)
        first = consolidate_modes(ROWS, None, PLAIN, embedder, one, asks)
        assert only_name(first) == ("Second question left unanswered", "model")
        later = frame(on_day(7, grade("b")))
        second = consolidate_modes(later, first.frame, PLAIN, embedder, two, asks)
        assert only_name(second) == ("Second question left unanswered", "model")
        assert len(server.requests) == 1  # the mode has its name
        assert "Order # of PERSON was left out" in server.requests[0].text
    # the server is gone; the week made again has the same bytes
    again = consolidate_modes(ROWS, None, PLAIN, embedder, one, namer(server.url, tmp_path))
    assert again.frame.equals(first.frame)


def test_two_modes_that_a_model_calls_the_same_are_told_apart(embedder, tmp_path):
    rows = frame(on_day(0, grade("a"), grade("b", check="tone", error_class="cold")))
    with serve(lambda n, request: Answer(content="Something went wrong")) as server:
        asks = namer(server.url, tmp_path)
        made = consolidate_modes(rows, None, PLAIN, embedder, weeks(1)[0], asks).frame
    assert made["name"].to_list() == [
        f"Something went wrong ({mode[-4:]})" for mode in made["failure_mode_id"]
    ]


def test_a_person_is_not_overruled(embedder, tmp_path):
    word = NamedMode(id="half", name="Half", checks=("completeness",), effective_from=date.min)
    named = Registry(Settings(), (), (), (), (word,), {})
    with serve(lambda n, request: Answer(content="Something else")) as server:
        asks = namer(server.url, tmp_path)
        assert only_name(consolidate_modes(ROWS, None, named, embedder, weeks(1)[0], asks)) == (
            "Half", "person",
        )  # fmt: skip
        assert server.requests == []


@pytest.mark.parametrize(
    "answer",
    ["", "see https://evil.example", "a name\nand another", "x" * 61, "![](x)", "<b>name</b>"],
)
def test_what_is_no_name_leaves_the_terms(embedder, tmp_path, answer):
    with serve(lambda n, request: Answer(content=answer)) as server:
        asks = namer(server.url, tmp_path)
        modes = consolidate_modes(ROWS, None, PLAIN, embedder, weeks(1)[0], asks)
    assert only_name(modes) == ("completeness, missed part: track_parcel", "terms")


def test_numbers_are_masked_in_a_name_too():
    assert as_name("Order 5550001 left out") == "Order # left out"
    assert as_name("Wrong order, twice") == "Wrong order, twice"


def test_a_model_that_is_down_leaves_the_week_pending(embedder, tmp_path):
    with serve(lambda n, request: Answer(status=500)) as server:
        asks = namer(server.url, tmp_path)
        with pytest.raises(NamesPending, match=r"has no name yet.*make backfill"):
            consolidate_modes(ROWS, None, PLAIN, embedder, weeks(1)[0], asks)


def test_a_week_without_failures_asks_nobody(embedder, tmp_path):
    none = frame([]).with_columns(pl.lit(None, pl.Date).alias("day"))
    with serve(lambda n, request: Answer(content="x")) as server:
        asks = namer(server.url, tmp_path)
        assert consolidate_modes(none, None, PLAIN, embedder, weeks(1)[0], asks).frame.is_empty()
        assert server.requests == []
