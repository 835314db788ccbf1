"""Which suites can be exported: people's files are read with care, and errors name the case."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.exports import ExportError, read_cases, select_cases, tally
from tests.pipeline.exports.reading import as_yaml, cases_of
from tests.pipeline.exports.toy import case, toy_suite

SAYS = {"kind": "contains", "any_of": ["yes"]}


def test_both_files_are_one_suite_in_the_order_of_ids():
    by_hand = as_yaml([{"id": "by-hand", "input": "Hi", "checks": [SAYS]}])
    read = read_cases(as_yaml([case("case-b", "b", SAYS), case("case-a", "a", SAYS)]), by_hand)
    assert [one.case_id for one in read] == ["by-hand", "case-a", "case-b"]
    # A case by hand may be three fields: a text is what the user says.
    assert read[0].messages == ({"role": "user", "content": "Hi"},)
    assert (read[0].split, read[0].status, read[0].title) == ("regression", "active", "by-hand")


def test_no_files_are_no_cases():
    assert read_cases(None, None) == ()


def test_an_id_in_both_files_is_an_error_that_names_it():
    twice = as_yaml([case("case-a", "a", SAYS)])
    with pytest.raises(ExportError, match=r"cases_by_hand.yaml: the id 'case-a' stands in"):
        read_cases(twice, twice)


def test_a_broken_file_is_called_by_its_own_name():
    with pytest.raises(ExportError, match=r"^cases_by_hand.yaml cannot be read: line 2"):
        read_cases(None, "cases: [{")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"id": "../../etc"}, "its id has to be letters"),
        ({"id": "file:x"}, "its id has to be letters"),
        ({"input": {"messages": []}}, "has to end with a message of the user"),
        ({"input": {"messages": [{"role": "assistant", "content": "x"}]}}, "has to end with"),
        ({"input": {"messages": [{"role": "boss", "content": "x"}]}}, "a message needs a role"),
        ({"input": {"messages": [{"role": "user", "content": 7}]}}, "a message needs a role"),
        ({"input": {"messages": "x"}}, "input.messages: is no list of mappings"),
        ({"checks": [{"kind": "contains"}]}, "checks.0.contains.any_of: missing"),
        ({"checks": [{"kind": "secret words"}]}, "checks.0: union tag invalid"),
        ({"tools": {"fixtures": ["x"]}}, "tools.fixtures: is no list of mappings"),
        ({"split": 7}, "split and status are texts"),
        ({"weight": 2**70}, "holds what JSON cannot"),
    ],
)
def test_what_cannot_be_exported_is_told_without_the_text(change: dict[str, Any], said: str):
    with pytest.raises(ExportError) as refused:
        cases_of([case("case-a", "hidden words", SAYS) | change])
    assert str(refused.value).startswith("cases_from_prod.yaml: case number 1")
    assert said in str(refused.value)
    assert "hidden" not in str(refused.value)
    assert "secret" not in str(refused.value)


def test_splits_and_statuses_are_chosen_and_the_rest_is_counted():
    cases = [
        *toy_suite(),
        case("case-x", "x", SAYS, split="example"),
        case("case-y", "y", SAYS, status="retired"),
        case("case-z", "z", SAYS, status="stale", split="example"),
    ]
    chosen = select_cases(cases_of(cases), ["regression"], ["active"])
    assert len(chosen.cases) == len(toy_suite()) - 1
    assert chosen.left_out == (("example", 1), ("holdout", 1), ("retired", 1), ("stale", 1))


def test_checks_for_a_judge_and_cases_without_another_are_counted():
    sums = tally(cases_of([*toy_suite()[:3], case("case-none", "Hi")]))
    # refund has two, tool one and a rubric, judged a rubric alone; the last has no check at all
    assert (sums.checks, sums.judged, sums.idle) == (5, 2, 2)
