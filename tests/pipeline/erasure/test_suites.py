"""Cases that go leave a tombstone; every other line of the file stays as people left it."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest
import yaml

from pipeline.erasure.suites import erase_cases
from pipeline.suite import SuiteFileError, assemble_suite, parse_suite
from pipeline.suite.file import read_tombstones, render_suite
from tests.pipeline.promotion.hand_made import all_days, annotations, apart, decisions, registry

NOBODY = annotations()
DAYS = all_days(decisions([apart(n) for n in range(3)]))


def case(name: str, *traces: str) -> dict[str, Any]:
    """A case of the first trace; its history lists all."""
    return {"id": name, "title": f"of {traces[0]}", "input": {"messages": [{"content": "said"}]},
            "provenance": {"trace_id": traces[0]},
            "history": {"occurrences": len(traces), "traces": list(traces)}}  # fmt: skip


def erase(text: str, *traces: str, founded: frozenset[str] = frozenset()) -> str:
    done = erase_cases(text, lambda trace: trace in traces, founded)
    assert read_tombstones(done.text) == read_tombstones(text) | done.cases
    return done.text


@pytest.mark.parametrize("gone", ["t1", "t2", "t3"])
def test_whichever_case_goes_the_comments_of_the_others_stay(gone: str) -> None:
    text = render_suite([case(f"c{n}", f"t{n}") for n in (1, 2, 3)])
    for name in ("c1", "c2", "c3"):
        text = text.replace(f'- id: "{name}"', f'\n# on {name}\n- id: "{name}"  # beside {name}')
    after = erase(text, gone)
    left = {"t1", "t2", "t3"} - {gone}
    assert set(parse_suite(after)) == {f"c{trace[1]}" for trace in left}
    for trace in ("t1", "t2", "t3"):
        comments = (f"# on c{trace[1]}", f"# beside c{trace[1]}", f"of {trace}")
        assert [one in after for one in comments] == [trace in left] * 3


def test_the_last_case_leaves_an_empty_suite_that_can_be_read() -> None:
    after = erase(render_suite([case("c1", "t1")]), "t1")
    assert parse_suite(after) == {}
    assert erase(after, "t9") == after


def test_a_trace_in_another_cases_history_is_no_longer_listed() -> None:
    after = erase(render_suite([case("c1", "t1", "t2", "t3")]), "t2")
    assert parse_suite(after)["c1"]["history"]["traces"] == ["t1", "t3"]


def test_a_case_that_their_trace_founded_goes_whatever_it_is_written_from() -> None:
    text = render_suite([case("c1", "t2"), case("c2", "t3")])
    assert list(parse_suite(erase(text, "t1", founded=frozenset({"c1"})))) == ["c2"]


def test_tombstones_add_up() -> None:
    text = render_suite([case("c1", "t1"), case("c2", "t2"), case("c3", "t3")])
    assert read_tombstones(erase(erase(text, "t1"), "t3")) == {"c1", "c3"}


def test_a_file_in_another_style_is_written_anew_with_the_same_cases() -> None:
    """Flow style, two documents' worth on one line: no line belongs to one case."""
    flow = yaml.safe_dump(
        {"format": 1, "cases": [case("c1", "t1"), case("c2", "t2")]}, default_flow_style=True
    )
    after = erase(flow, "t1")
    assert parse_suite(after) == {"c2": case("c2", "t2")}


def test_publishing_again_never_uses_a_tombstone() -> None:
    made = assemble_suite(DAYS, NOBODY, None, None, registry())
    gone = made.frame["case_id"][0]
    source = parse_suite(made.text)[gone]["provenance"]["trace_id"]
    text = erase(made.text, source)
    again = assemble_suite(DAYS, NOBODY, None, text, registry())
    again.counts.check("eval_suite")
    assert gone not in again.frame["case_id"]
    assert again.counts.filtered["erased"] == 1
    assert read_tombstones(again.text) == {gone}
    people = annotations((source, "bad"))
    assert gone not in assemble_suite(DAYS, people, None, text, registry()).frame["case_id"]


def test_a_file_put_back_from_before_does_not_bring_the_case_back() -> None:
    """As `git checkout` would: the list of who was erased knows better."""
    made = assemble_suite(DAYS, NOBODY, None, None, registry())
    gone = made.frame["case_id"][0]
    again = assemble_suite(pl.DataFrame(DAYS), NOBODY, None, made.text, registry(), {gone})
    assert gone not in again.text.replace(f'- "{gone}"', "")
    assert read_tombstones(again.text) == {gone}


@pytest.mark.parametrize("stones", ["1", "[1]", "{a: b}"])
def test_broken_tombstones_are_said_to_be(stones: str) -> None:
    with pytest.raises(SuiteFileError, match="`tombstones` is no list of ids"):
        read_tombstones(f"cases: []\ntombstones: {stones}\n")
