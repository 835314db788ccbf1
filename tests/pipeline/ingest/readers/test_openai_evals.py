"""OpenAI Evals: records of runs, sets of samples, output items."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.pipeline.ingest.readers.conversations import reasons, records, said, traces, write

SPEC = {
    "spec": {"completion_fns": ["gpt-4o", "grader"], "eval_name": "sums.dev.v0",
             "base_eval": "sums", "split": "dev", "run_id": "r1", "created_by": "PERSON"}
}  # fmt: skip
ASKED = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "1+1?"}]


def event(number: int, kind: str, sample: str = "sums.dev.0", **data: Any) -> dict[str, Any]:
    """One event of the record, a second after the one before it."""
    written = {"created_by": "PERSON", "created_at": f"2026-11-02 10:00:{number:02}.5+00:00"}
    about = {"run_id": "r1", "event_id": number, "sample_id": sample, "type": kind}
    return about | {"data": data} | written


USAGE = {"prompt_tokens": 10, "completion_tokens": 2, "total_tokens": 12}
RUN = [
    SPEC,
    event(0, "raw_sample", input=ASKED, ideal="THE-KEY"),
    event(1, "sampling", prompt=ASKED, sampled=["2"], model="gpt-4o-mini", usage=USAGE),
    event(2, "sampling", prompt=[{"role": "user", "content": "Is 2 THE-KEY?"}], sampled=["Y"]),
    event(3, "match", correct=True, expected="THE-KEY", picked="2"),
    event(4, "metrics", choice="Y", score=1.0, ideal="THE-KEY"),
    {"final_report": {"accuracy": 1.0}},
]


def test_the_events_of_a_sample_are_a_conversation(tmp_path: Path) -> None:
    (trace,) = traces(write(tmp_path, *RUN), "openai_evals", None)
    assert said(trace) == [("system", "Be brief."), ("user", "1+1?"), ("assistant", "2")]
    assert (trace.input_tokens, trace.output_tokens, trace.models) == (10, 2, {"gpt-4o-mini"})
    assert (trace.service, trace.complete) == ("sums.dev.v0", True)
    assert (trace.ended_at - trace.started_at).total_seconds() == 4


def test_the_answer_key_the_grader_and_people_stay_out(tmp_path: Path) -> None:
    (trace,) = traces(write(tmp_path, *RUN), "openai_evals")
    assert "THE-KEY" not in repr(trace)
    assert "PERSON" not in repr(trace)


def test_verdicts_are_scores(tmp_path: Path) -> None:
    (trace,) = traces(write(tmp_path, *RUN), "openai_evals")
    assert [(s.name, s.value, s.label, s.source) for s in trace.scores] == [
        ("match", 1.0, None, "code"), ("choice", None, "Y", "model"), ("score", 1.0, None, "model"),
    ]  # fmt: skip


def test_a_turn_that_goes_on_belongs_to_the_conversation(tmp_path: Path) -> None:
    again = [*ASKED, {"role": "assistant", "content": "2"}, {"role": "user", "content": "Sure?"}]
    more = event(2, "sampling", prompt=again, sampled=["Yes."])
    (trace,) = traces(write(tmp_path, SPEC, RUN[2], more), "openai_evals")
    assert [text for _, text in said(trace)][1:] == ["1+1?", "2", "Sure?", "Yes."]


def test_samples_and_runs_are_kept_apart(tmp_path: Path) -> None:
    other = event(2, "sampling", "sums.dev.1", prompt="2+2?", sampled="4")
    failed = event(3, "error", "sums.dev.1", type="TimeoutError", message="PERSON")
    first, second = traces(write(tmp_path, SPEC, other, RUN[2], failed), "openai_evals")
    assert said(first) == [("user", "2+2?"), ("assistant", "4")]
    assert (first.status, first.error, first.complete) == ("error", "TimeoutError", False)
    assert first.models == {"gpt-4o"}, "else of the run's own model"
    assert first.trace_id != second.trace_id


def test_a_sample_not_run_yet_is_partial(tmp_path: Path) -> None:
    samples = [{"input": ASKED, "ideal": "THE-KEY"}, {"input": "2+2?", "ideal": ["THE-KEY"]}]
    first, second = traces(write(tmp_path, *samples), "openai_evals")
    assert said(first) == [("system", "Be brief."), ("user", "1+1?")]
    assert said(second) == [("user", "2+2?")]
    assert not first.complete
    assert "THE-KEY" not in repr([first, second])


ITEM: dict[str, Any] = {
    "object": "eval.run.output_item", "id": "outputitem_1", "created_at": 1793613600,
    "run_id": "evalrun_1", "eval_id": "eval_1", "status": "pass", "datasource_item_id": 5,
    "datasource_item": {"input": "1+1?", "correct_label": "THE-KEY"},
    "results": [
        {"name": "matches-0c8f8b2e-1111-2222-3333-444455556666", "type": "string_check",
         "passed": True, "score": 1.0, "sample": None},
        {"name": "tone", "type": "score_model", "passed": False, "score": 0.25},
    ],
    "sample": {"input": ASKED, "output": [{"role": "assistant", "content": "2"}],
               "finish_reason": "stop", "model": "gpt-4o-mini", "usage": USAGE, "error": None},
}  # fmt: skip


@pytest.mark.parametrize("page", [False, True])
def test_output_items_land_alone_or_as_a_page(tmp_path: Path, page: bool) -> None:
    body = {"object": "list", "data": [ITEM], "has_more": False} if page else ITEM
    (trace,) = traces(write(tmp_path, body), "openai_evals", None)
    assert said(trace)[-1] == ("assistant", "2")
    assert [(s.name, s.value, s.label, s.source) for s in trace.scores] == [
        ("matches", 1.0, "pass", "code"), ("tone", 0.25, "fail", "model"),
    ]  # fmt: skip
    assert (trace.trace_id, trace.input_tokens) == ("outputitem_1", 10)
    assert trace.started_at.isoformat() == "2026-11-02T10:00:00+00:00"
    assert "THE-KEY" not in repr(trace)


@pytest.mark.parametrize(
    "line",
    [7, {"x": 1}, {"input": None, "ideal": "x"}, event(9, "sampling", "s2", prompt=None),
     event(9, "sampling", "s2") | {"data": 7}, ITEM | {"sample": None}],
)  # fmt: skip
def test_an_odd_line_leaves_the_others(tmp_path: Path, line: Any) -> None:
    found = records(write(tmp_path, *RUN, line), "openai_evals")
    assert reasons(found) == ["bad_sample"]
    assert len(found) == 2
