"""Annotations: appended atomically, read as of an instant, and a bad file harms no other."""

from __future__ import annotations

import logging
import os
from datetime import UTC, datetime, timedelta, timezone

import orjson
import pytest
from pydantic import ValidationError

from pipeline.review import (
    ANNOTATIONS,
    Annotation,
    axis_labels,
    collect_annotations,
    read_annotations,
    write_annotation,
)

NOON = datetime(2026, 11, 3, 12, tzinfo=UTC)
LATER = datetime(2027, 1, 1, tzinfo=UTC)
SECRET = "Mrs Example lives at 1 Test Street"


def annotation(**changes) -> Annotation:
    base = {
        "trace_id": "a" * 32,
        "verdict": "bad",
        "axes": {"tone": "fail", "helpfulness": "pass"},
        "note": SECRET,
        "annotator_id": "reviewer-1",
        "annotated_at": NOON,
        "blind": True,
        "queue_reason": "random",
        "inclusion_probability": 0.25,
    }
    return Annotation.model_validate(base | changes)


def test_what_is_written_is_read(tmp_path):
    path = write_annotation(tmp_path, annotation())
    assert path.parent.name == "2026-11-03"
    frame = read_annotations(tmp_path, LATER)
    assert frame.schema == ANNOTATIONS
    (row,) = frame.to_dicts()
    assert row["annotation_id"] == path.stem == annotation().annotation_id
    assert row["axes"] == [
        {"axis": "helpfulness", "verdict": "pass"},
        {"axis": "tone", "verdict": "fail"},
    ]
    assert (row["verdict"], row["annotated_at"], row["note"]) == ("bad", NOON, SECRET)


def test_notes_are_readable_by_their_owner_alone(tmp_path):
    assert write_annotation(tmp_path, annotation()).stat().st_mode & 0o777 == 0o600


def test_writing_twice_leaves_one_file_and_nothing_beside_it(tmp_path):
    first, second = (write_annotation(tmp_path, annotation()) for _ in range(2))
    assert first == second
    assert [p for p in tmp_path.rglob("*") if p.is_file()] == [first]


def test_a_change_of_mind_is_a_second_file_and_the_latest_vote_counts(tmp_path):
    write_annotation(tmp_path, annotation())
    write_annotation(
        tmp_path, annotation(axes={"tone": "pass"}, annotated_at=NOON + timedelta(hours=1))
    )
    frame = read_annotations(tmp_path, LATER)
    assert frame.height == 2
    labels = axis_labels(frame).sort("axis")
    assert list(zip(labels["axis"], labels["axis_verdict"], strict=True)) == [
        ("helpfulness", "pass"),
        ("tone", "pass"),
    ]


def test_only_what_was_said_before_the_windows_end_counts(tmp_path):
    write_annotation(tmp_path, annotation())
    assert read_annotations(tmp_path, NOON).height == 0
    assert read_annotations(tmp_path, NOON + timedelta(seconds=1)).height == 1


def test_other_time_zones_are_the_same_instant(tmp_path):
    east = NOON.astimezone(timezone(timedelta(hours=14)))
    assert annotation(annotated_at=east).annotation_id == annotation().annotation_id
    assert write_annotation(tmp_path, annotation(annotated_at=east)).parent.name == "2026-11-03"


def test_a_folder_that_does_not_exist_holds_no_annotations(tmp_path):
    frame = read_annotations(tmp_path / "none", LATER)
    assert frame.height == 0
    assert frame.schema == ANNOTATIONS


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"{", "not JSON"),
        (b'{"a": "\\ud800"}', "not JSON"),
        (b"[]", "field '(all)'"),
        (b"{}", "field 'trace_id'"),
        (b" " * (2**20 + 1), "larger than"),
    ],
)
def test_a_bad_file_is_named_and_the_others_count(tmp_path, caplog, content, reason):
    write_annotation(tmp_path, annotation())
    (tmp_path / "2026-11-03" / "bad.json").write_bytes(content)
    found = collect_annotations(tmp_path, LATER)
    assert found.frame.height == 1
    (problem,) = found.problems
    assert problem.file == "2026-11-03/bad.json"
    assert problem.reason.startswith(reason)
    with caplog.at_level(logging.WARNING):
        read_annotations(tmp_path, LATER)
    assert "2026-11-03/bad.json" in caplog.text


@pytest.mark.parametrize(
    "wrong",
    [
        {"verdict": SECRET},
        {"axes": {SECRET: "maybe"}},
        {"annotated_at": "2026-11-03T12:00:00"},
        {"annotated_at": "9999-12-31T23:59:59-05:00"},
        {"action": "no-such"},
        {"supersedes": "x"},
        {"inclusion_probability": 0},
        {"annotation_id": "../" + SECRET},
    ],
)
def test_a_wrong_field_is_named_but_never_shown(tmp_path, caplog, wrong):
    path = write_annotation(tmp_path, annotation())
    path.write_bytes(orjson.dumps(orjson.loads(path.read_bytes()) | wrong))
    with caplog.at_level(logging.DEBUG):
        assert read_annotations(tmp_path, LATER).height == 0
    assert next(iter(wrong)) in caplog.text
    assert SECRET not in caplog.text


def test_an_annotation_that_is_wrong_from_the_start_does_not_show_its_text():
    with pytest.raises(ValidationError) as caught:
        annotation(verdict=SECRET)
    assert SECRET not in str(caught.value)


def test_the_same_id_in_two_files_counts_once(tmp_path):
    path = write_annotation(tmp_path, annotation())
    (tmp_path / "copied").mkdir()
    (tmp_path / "copied" / path.name).write_bytes(path.read_bytes())
    assert read_annotations(tmp_path, LATER).height == 1


def test_a_named_pipe_or_a_directory_is_no_annotation_and_waits_for_nobody(tmp_path):
    write_annotation(tmp_path, annotation())
    os.mkfifo(tmp_path / "2026-11-03" / "pipe.json")
    (tmp_path / "2026-11-03" / "folder.json").mkdir()
    found = collect_annotations(tmp_path, LATER)
    assert found.frame.height == 1
    assert {problem.reason for problem in found.problems} == {"no regular file"}
    assert len(found.problems) == 2


def test_leftovers_of_a_killed_writer_are_not_read(tmp_path):
    path = write_annotation(tmp_path, annotation())
    (path.parent / f".{path.name}.99.ab.tmp").write_bytes(b"{")
    assert collect_annotations(tmp_path, LATER).problems == ()
