"""What a person takes back or replaces counts no more; nobody takes back another's word."""

from __future__ import annotations

from datetime import timedelta

import pytest
from pydantic import ValidationError

from pipeline.datadir import DataDir
from pipeline.review import Annotation, collect_annotations, read_annotations
from tests.pipeline.review.small_lake import NOW, say

LATER = NOW + timedelta(days=1)


def verdicts(place: DataDir) -> list[str]:
    """The verdicts that the pipeline counts, by time."""
    return read_annotations(place.annotations, LATER)["verdict"].to_list()


def undo(place: DataDir, *ids: str, **more) -> Annotation:
    return say(place, "t1", None, action="undo", supersedes=ids, annotated_at=NOW, **more)


def test_what_was_undone_is_not_counted_and_not_lost(place: DataDir) -> None:
    first = say(place, "t1", "bad")
    undo(place, first.annotation_id)
    assert verdicts(place) == []
    actions = collect_annotations(place.annotations, LATER).actions
    assert actions.select("action", "stands").rows() == [("verdict", False), ("undo", True)]


def test_to_undo_the_undoing_brings_the_verdict_back(place: DataDir) -> None:
    back = undo(place, say(place, "t1", "bad").annotation_id)
    undo(place, back.annotation_id, note="no, it was right")
    assert verdicts(place) == ["bad"]


def test_undoing_counts_from_its_own_time_on(place: DataDir) -> None:
    """A week that closed before it keeps its bytes."""
    undo(place, say(place, "t1", "bad").annotation_id)
    assert read_annotations(place.annotations, NOW)["verdict"].to_list() == ["bad"]


@pytest.mark.parametrize("other", [{"annotator_id": "ben"}, {"trace_id": "t2"}])
def test_nobody_undoes_the_word_of_another_or_on_another_trace(place: DataDir, other) -> None:
    undo(place, say(place, "t1", "bad").annotation_id, **other)
    assert verdicts(place) == ["bad"]


def test_a_clock_that_went_back_does_not_bring_the_old_word_back(place: DataDir) -> None:
    first = say(place, "t1", "bad", annotated_at=NOW)
    say(place, "t1", "good", annotated_at=NOW - timedelta(days=1), supersedes=[first.annotation_id])
    assert verdicts(place) == ["good"]


def test_a_ring_made_by_hand_takes_nothing_back(place: DataDir) -> None:
    folder = place.annotations / "2026-11-09"
    folder.mkdir(parents=True)
    for own, other in (("a" * 24, "b" * 24), ("b" * 24, "a" * 24)):
        said = say(place, "t1", "bad", supersedes=[other])
        path = place.annotations / "2026-11-10" / f"{said.annotation_id}.json"
        body = path.read_text().replace(said.annotation_id, own)
        path.unlink()
        (folder / f"{own}.json").write_text(body)
    assert verdicts(place) == ["bad", "bad"]


def test_a_skip_is_no_verdict(place: DataDir) -> None:
    say(place, "t1", None, action="skip", note="not my field")
    assert verdicts(place) == []


@pytest.mark.parametrize("wrong", [{"verdict": None}, {"action": "skip"}])
def test_only_a_verdict_has_a_verdict(place: DataDir, wrong) -> None:
    with pytest.raises(ValidationError, match="verdict"):
        say(place, "t1", **wrong)


def test_fields_that_came_later_leave_old_ids_as_they_were(place: DataDir) -> None:
    """Computed before there was `action` and `supersedes`."""
    said = Annotation(trace_id="t1", verdict="good", annotator_id="anna", annotated_at=NOW)
    assert said.annotation_id == "8c583a9e72f15e2ce9b6f447"
