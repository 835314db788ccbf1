"""What the suite can do without, what differs between two states of it, and who opened it."""

from __future__ import annotations

import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from pipeline.datadir import DataDir
from pipeline.suite.differences import compare_cases
from pipeline.suite.edits import stamp
from pipeline.suite.history import NoSuchRevision, text_at
from pipeline.suite.openings import read_openings, record_opening
from pipeline.suite.pruning import Pruned, plan_pruning, retire

DAYS = [date(2026, 11, 2), date(2026, 11, 3)]
ASKED = "The lamp came broken, how do I get a new one sent to me?"


def case(name: str, asked: str, day: str = "2026-11-02", **fields: Any) -> dict[str, Any]:
    made = {
        "id": name, "check": "right_tool", "intent": "replace", "status": "active",
        "input": {"messages": [{"role": "user", "content": asked}]},
        "provenance": {"trace_id": name, "day": day}, "history": {"first_day": day},
    }  # fmt: skip
    return stamp(made | fields)


def by_id(*cases: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {one["id"]: one for one in cases}


def test_an_intent_that_somebody_made_a_list_of_stops_nothing() -> None:
    mangled = {**case("case-a", ASKED), "intent": ["replace", {"of": 1}]}
    plan, edited = plan_pruning(by_id(mangled, case("case-b", ASKED)), (), DAYS, 0.92)
    assert (plan, edited) == ([], [])
    again = {**mangled, "id": "case-c"}
    assert plan_pruning(by_id(mangled, again), (), DAYS, 0.92)[1] == ["case-c"]


def test_of_two_that_ask_the_same_the_older_stays() -> None:
    cases = by_id(
        case("case-b", ASKED, "2026-11-02"),
        case("case-a", f"Hello, {ASKED}", "2026-11-03"),
        case("case-c", ASKED, "2026-11-03", check="tone"),
        case("case-d", ASKED, "2026-11-03", status="retired"),
    )
    assert plan_pruning(cases, (), DAYS, 0.92) == ([Pruned("case-a", "repeats", "case-b")], [])
    (after,) = [one for one in retire(cases, [Pruned("case-a", "repeats", "case-b")], DAYS[-1])
                if one["id"] == "case-a"]  # fmt: skip
    assert (after["status"], after["history"]["retired_on"]) == ("retired", "2026-11-03")
    assert plan_pruning(cases | {"case-a": after}, (), DAYS, 0.92) == ([], [])


def test_what_a_person_edited_is_left_to_that_person() -> None:
    edited = case("case-b", ASKED, "2026-11-03") | {"title": "Ours"}
    plan = plan_pruning(by_id(case("case-a", ASKED), edited), (), DAYS, 0.92)
    assert plan == ([], ["case-b"])


def test_superseded_is_what_its_day_decided_anew_and_nothing_else() -> None:
    cases = by_id(
        case("case-a", "one thing asked here"),
        case("case-b", "another thing that was asked", day="2025-12-31"),
        {"id": "ours-1", "provenance": {"day": "2026-11-02"}},
    )
    plan, _ = plan_pruning(cases, list(cases), DAYS, 0.92)
    assert plan == [Pruned("case-a", "superseded")]


def test_two_states_are_compared_case_by_case() -> None:
    one, two = case("case-1", ASKED), case("case-2", ASKED)
    recurred = one | {"history": {"first_day": "2026-11-02", "occurrences": 3}}
    gone = two | {"status": "retired", "history": {"retired_because": "mode_quiet"}}
    found = {d.case_id: (d.what, d.fields) for d in compare_cases(
        by_id(one, two, case("case-3", ASKED), case("case-5", ASKED)),
        by_id(recurred, gone, case("case-4", ASKED), case("case-5", ASKED, stakes="high")),
    )}  # fmt: skip
    assert found == {
        "case-1": ("recurred", ()), "case-2": ("retired", ()), "case-3": ("removed", ()),
        "case-4": ("added", ()), "case-5": ("changed", ("stakes",)),
    }  # fmt: skip
    assert compare_cases(by_id(gone), by_id(two))[0].what == "returned"
    assert compare_cases(by_id(one), by_id(one)) == []


def git(folder: Path, *words: str) -> None:
    identity = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
    subprocess.run(["git", "-C", folder, *identity, *words], check=True, capture_output=True)


def test_the_file_as_it_was_at_a_revision(tmp_path: Path) -> None:
    repository, path = tmp_path, tmp_path / "eval" / "cases.yaml"
    path.parent.mkdir()
    with pytest.raises(NoSuchRevision, match="no git repository"):
        text_at(path, "HEAD")
    git(repository, "init", "-q")
    git(repository, "commit", "-q", "--allow-empty", "-m", "before")
    git(repository, "tag", "before")
    path.write_bytes(b"cases: []\r\n")
    git(repository, "add", ".")
    git(repository, "commit", "-q", "-m", "after")
    path.write_text("cases: [1]\n")
    assert text_at(path, "before") is None
    assert text_at(path, "HEAD") == "cases: []\n"
    for revision in ("nowhere", "--help", "HEAD:./eval"):
        with pytest.raises(NoSuchRevision, match="no revision"):
            text_at(path, revision)


def test_openings_are_counted_whoever_makes_them_and_a_torn_line_is_said(tmp_path: Path) -> None:
    place = DataDir(tmp_path)
    script = (
        "import sys; from pathlib import Path; from pipeline.datadir import DataDir\n"
        "from pipeline.suite.openings import record_opening\n"
        "for n in range(40): record_opening(DataDir(Path(sys.argv[1])), who='r-2', why='x' * 500, "
        "cases=1, target='promptfoo')\n"
    )
    runs = [subprocess.Popen([sys.executable, "-c", script, str(tmp_path)]) for _ in range(2)]
    assert [run.wait() for run in runs] == [0, 0]
    record_opening(place, who="r-1", why=" final check of 2.6 ", cases=3, target="suite show")
    log = place.ledger / "holdout_openings.jsonl"
    assert log.stat().st_mode & 0o777 == 0o600
    with log.open("ab") as torn:
        torn.write(b'{"at": "2026-')
    found = read_openings(place)
    assert (len(found.found), found.unreadable) == (81, 1)
    assert (found.found[-1].who, found.found[-1].why) == ("r-1", "final check of 2.6")
    with pytest.raises(ValueError, match="without a reason"):
        record_opening(place, who="r-1", why=" ", cases=3, target="suite show")
    assert read_openings(DataDir(tmp_path / "new")).found == ()
