"""`caselaw modes`: what is read from the lake, and what people write into the registry."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
import yaml

from pipeline.cli.main import main
from pipeline.cli.modes_page import mode_lines
from pipeline.datadir import COMMITTED, DataDir
from pipeline.failures.lifecycle.drafts import Known, WordRefused
from pipeline.failures.lifecycle.reading import read_lives
from pipeline.failures.slow import slow_mode_id
from pipeline.lake import Lake
from pipeline.provenance import Counts, Provenance
from pipeline.registry import RegistryError, load_registry
from pipeline.registry.writing import RegistryEdited, change_file
from pipeline.tables import SLOW_FAILURES
from pipeline.windows import week
from tests.hand_made_lake import publish_hand_made_lake

Run = Callable[..., tuple[int, str]]

DAY = date(2026, 12, 1)


@pytest.fixture
def place(tmp_path: Path) -> DataDir:
    """The hand-made lake, with a registry of its own."""
    place = DataDir(tmp_path / "data")
    publish_hand_made_lake(Lake(place))
    shutil.copytree(COMMITTED / "registry", place.root / "registry")
    return place


@pytest.fixture
def run(place: DataDir, capsys: pytest.CaptureFixture[str]) -> Run:
    def run(*words: str) -> tuple[int, str]:
        with pytest.raises(SystemExit) as ended:
            main(["--data", str(place.root), "modes", *words])
        printed = capsys.readouterr()
        return int(ended.value.code or 0), " ".join((printed.out + printed.err).split())

    return run


def entries(place: DataDir) -> dict[str, list[dict[str, object]]]:
    return yaml.safe_load((place.registry / "failure_modes.yaml").read_text("utf-8"))


def text_of(place: DataDir) -> str:
    return (place.registry / "failure_modes.yaml").read_text("utf-8")


def test_ls_lists_the_modes_with_state_rate_and_cases(run: Run) -> None:
    code, said = run("ls")
    assert code == 0
    for word in ("m-old", "Refund with the wrong tool", "regressed", "0.1", "active_cases", "1"):
        assert word in said
    assert "rate: Hajek, weights 1/inclusion_probability; 95 % interval" in said
    assert run("ls", "--state", "verified")[1].endswith("No rows.")


@pytest.mark.parametrize("width", [60, 80, 100])
def test_in_a_terminal_of_any_width_no_line_is_cut(place: DataDir, width: int) -> None:
    states = read_lives(Lake(place)).states
    lines = list(mode_lines(states, width))
    assert max(map(len, lines)) <= width
    said = " ".join(" ".join(lines).split())
    assert said.startswith(
        "regressed m-old Refund with the wrong tool 10.0 % (3.0 to 25.0), 3 of 30 seen, the last "
        "on 2026-11-06; since 2026-11-02, fix claimed in r0; 1 case"
    )
    assert next(mode_lines(states.clear(), width)) == "No rows."


def test_in_a_pipe_a_mode_is_a_line(run: Run, place: DataDir, capsys) -> None:
    with pytest.raises(SystemExit):
        main(["--data", str(place.root), "modes", "ls"])
    header, row, *_ = capsys.readouterr().out.splitlines()[1:]
    assert header.split()[0] == "failure_mode_id"
    assert header.split()[-1] == "active_cases"
    assert row.startswith("m-old  ")


def test_show_tells_the_life_the_releases_and_the_cases_of_a_mode(run: Run) -> None:
    code, said = run("show", "m-ancient")
    assert code == 0
    assert said.startswith("m-ancient lives on as m-old, since week 2026-11-02.")
    assert "caselaw modes unmerge m-ancient" in said
    for word in ("failed again from 2026-11-03", "r0", "0.15", "c1", "regression"):
        assert word in said
    assert run("show", "no_such")[0] == 2


def test_what_creeps_up_is_listed_and_shown_under_the_id_of_its_cases(
    run: Run, place: DataDir
) -> None:
    mode = slow_mode_id("refund", "turns")
    listed = run("ls")[1].partition("Creeping up without a failed check")[2]
    for word in (mode, "refund", "turns", "2026-11-02", "3.5"):
        assert word in listed
    assert slow_mode_id("refund", "tokens") not in listed  # steady
    code, said = run("show", mode)
    assert code == 0
    assert said.startswith(f"{mode}: turns of refund, which no check fails on.")
    assert run("ignore", mode, "--from", DAY.isoformat())[0] == 0
    assert entries(place)["failure_modes"][-1]["state"] == "ignored"
    before = text_of(place)
    for words in (("fix", mode, "2.6.0"), ("merge", mode, "m-old"), ("merge", "m-old", mode)):
        code, said = run(*words)
        assert (code, text_of(place)) == (2, before)
        assert f"Its weeks: caselaw modes show {mode}" in said


def test_the_cases_of_a_slow_failure_can_be_shut_though_its_intent_has_another_name_by_now(
    run: Run, place: DataDir
) -> None:
    nothing = Provenance(Counts("measures", 0, 0))
    Lake(place).publish(SLOW_FAILURES, week("2026-11-09"), SLOW_FAILURES.empty(), nothing)
    mode = slow_mode_id("refund", "turns")
    assert run("ignore", mode, "--from", DAY.isoformat())[0] == 0
    assert entries(place)["failure_modes"][-1]["id"] == mode


def test_before_a_week_was_closed_it_says_what_to_run(tmp_path: Path, capsys) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--data", str(tmp_path), "modes", "ls"])
    assert ended.value.code == 3
    assert "make backfill" in capsys.readouterr().err


def test_a_name_is_a_dated_entry_and_nothing_else_changes(run: Run, place: DataDir) -> None:
    before = text_of(place)
    code, said = run("name", "m-half", 'Half "an" answer', "--from", "2026-12-01")
    assert code == 0
    assert text_of(place).startswith(before)
    assert entries(place)["failure_modes"][-1] == {
        "id": "m-half", "name": 'Half "an" answer', "effective_from": DAY,
    }  # fmt: skip
    assert 'name: "Half \\"an\\" answer"' in said
    assert "the first on 2026-12-01" in said
    names = [m.name for m in load_registry(place.registry, DAY).failure_modes if m.id == "m-half"]
    assert names == ['Half "an" answer']
    assert all(
        m.id != "m-half" for m in load_registry(place.registry, date(2026, 11, 30)).failure_modes
    )


@pytest.mark.parametrize(
    "name",
    ["two \U0001f468\u200d\U0001f469 \u202e", '"quoted" \\ {{x}}', "\x1b[31m", "!!bool", "a\nb: c"],
)
def test_any_name_is_read_back_as_it_was_given(run: Run, place: DataDir, name: str) -> None:
    assert run("name", "late_drift", name, "--from", DAY.isoformat())[0] == 0
    assert entries(place)["failure_modes"][-1]["name"] == name
    load_registry(place.registry, DAY)


@pytest.mark.parametrize("name", ["", " \t", "half a character: \udcff"])
def test_what_is_no_name_is_refused_and_nothing_is_written(
    run: Run, place: DataDir, name: str
) -> None:
    before = text_of(place)
    code, said = run("name", "late_drift", name)
    assert code == 2
    assert "nothing was written" in said
    assert text_of(place) == before


def test_an_entry_in_force_is_retired_and_its_fields_are_carried_over(
    run: Run, place: DataDir
) -> None:
    before = text_of(place)
    code, said = run("ignore", "wrong_tool", "--from", "2026-12-01")
    assert code == 0
    assert "The entry that wrong_tool had until then is kept, retired on 2026-12-01." in said
    old, new = [e for e in entries(place)["failure_modes"] if e["id"] == "wrong_tool"]
    assert old["retired_on"] == DAY
    assert (new["state"], new["checks"], new["error_classes"]) == (
        "ignored", ["right_tool"], ["wrong_tool"],
    )  # fmt: skip
    assert new["description"] == old["description"]
    # of what stood there, not a line is gone
    after = text_of(place).splitlines()
    assert [line for line in before.splitlines() if line not in after] == []
    on_the_day, the_day_before = (
        {m.id: m.state for m in load_registry(place.registry, d).failure_modes}
        for d in (DAY, date(2026, 11, 30))
    )
    assert (the_day_before["wrong_tool"], on_the_day["wrong_tool"]) == ("open", "ignored")
    assert run("reopen", "wrong_tool", "--from", "2026-12-08")[0] == 0
    assert run("close", "wrong_tool", "--from", "2026-12-09")[0] == 0


def test_a_day_before_a_later_entry_is_refused_with_the_day_to_give(
    run: Run, place: DataDir
) -> None:
    assert run("name", "wrong_tool", "Wrong tool taken", "--from", "2026-12-08")[0] == 0
    before = text_of(place)
    code, said = run("name", "wrong_tool", "Another tool", "--from", "2026-12-01")
    assert code == 2
    assert "nothing was written" in said
    assert "--from 2026-12-08" in said
    assert ".tmp" not in said
    assert text_of(place) == before


def test_what_runs_again_is_said_where_days_were_run(run: Run, place: DataDir) -> None:
    said = run("close", "m-old", "--from", "2026-11-10")[1]
    assert f"make restate CASELAW_DATA={place.root} FROM=2026-11-10" in said


def test_a_fix_is_claimed_under_fixes(run: Run, place: DataDir) -> None:
    assert run("fix", "m-old", "2.6.0", "--from", "2026-12-01", "--note", "stricter prompt")[0] == 0
    assert run("fix", "loop", "2.7.0", "--from", "2026-12-02")[0] == 0
    assert entries(place)["fixes"] == [
        {"mode": "m-old", "release": "2.6.0", "effective_from": DAY, "note": "stricter prompt"},
        {"mode": "loop", "release": "2.7.0", "effective_from": date(2026, 12, 2)},
    ]
    assert [f.release for f in load_registry(place.registry, DAY).fixes] == ["2.6.0"]
    code, said = run("fix", "m-old", "2.6.0", "--from", "2026-12-03")
    assert code == 2
    assert "is claimed to mend 'm-old' already; nothing was written" in said


def test_show_tells_what_was_said_and_has_not_been_run_yet(run: Run) -> None:
    assert "In the registry" not in run("show", "m-old")[1]
    run("fix", "m-old", "9.9.9", "--from", "2026-12-01")
    run("merge", "m-old", "loop", "--from", "2026-12-02")
    said = run("show", "m-old")[1]
    assert "from 2026-12-01 on: release 9.9.9 mends it" in said
    assert "from 2026-12-02 on: part of loop" in said


def test_an_id_may_be_cut_short_while_it_means_one_mode(run: Run, place: DataDir) -> None:
    assert "lives on as m-old" in run("show", "m-anci")[1]
    assert run("unmerge", "m-anci", "--from", "2026-12-01")[0] == 0
    assert entries(place)["failure_modes"][-1]["id"] == "m-ancient"
    code, said = run("show", "m-anc")  # five characters: a slip, or an id of that name
    assert (code, "no failure mode 'm-anc'" in said) == (2, True)


def test_of_an_id_that_begins_two_modes_both_are_named() -> None:
    with pytest.raises(WordRefused, match="2 failure modes begin with 'fm-1a2': fm-1a2b, fm-1a2c"):
        Known({"fm-1a2b": "A", "fm-1a2c": "B"}).whole("fm-1a2")


def test_merge_writes_an_entry_for_both(run: Run, place: DataDir) -> None:
    assert run("merge", "m-half", "m-old", "--from", "2026-12-01")[0] == 0
    added = entries(place)["failure_modes"][-2:]
    assert [(e["id"], e.get("merged_into")) for e in added] == [
        ("m-old", None), ("m-half", "m-old"),
    ]  # fmt: skip
    assert added[0]["name"] == "Refund with the wrong tool"


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("merge", "m-half", "m-half"), "cannot be merged into itself"),
        (("merge", "m-half", "no_such"), "no failure mode has the id 'no_such'"),
        (("merge", "m-ancient", "loop"), "'m-ancient' lives on as 'm-old'"),
        (("merge", "asked_again", "m-half"), "'asked_again' was merged into 'loop'"),
        (("merge", "loop", "asked_again"), "a ring"),
        (("merge", "m-half", "asked_again"), "was itself merged into 'loop'"),
        (("name", "no_such", "A"), "no failure mode has the id"),
        (("name", "loop", "Goes round in circles"), "that is what stands of 'loop' already"),
        (("fix", "no_such", "2.6.0"), "no failure mode has the id"),
        (("fix", "loop", " "), "the release is empty"),
    ],
)
def test_what_makes_no_sense_is_refused_and_nothing_is_written(
    run: Run, place: DataDir, words: tuple[str, ...], complaint: str
) -> None:
    assert run("merge", "asked_again", "loop", "--from", "2026-11-20")[0] == 0
    before = text_of(place)
    code, said = run(*words, "--from", "2026-12-01")
    assert code == 2
    assert complaint in said
    assert text_of(place) == before


def test_a_merge_is_taken_back_by_an_entry_that_claims_what_the_mode_had(
    run: Run, place: DataDir
) -> None:
    code, said = run("unmerge", "m-ancient", "--from", "2026-12-01")
    assert code == 0
    assert entries(place)["failure_modes"][-1] == {
        "id": "m-ancient", "name": "tools, wrong", "effective_from": DAY,
        "checks": ["wrong_tool"], "error_classes": [""], "intents": ["refund"],
    }, said  # fmt: skip
    assert run("unmerge", "m-ancient", "--from", "2026-12-02")[0] == 2


def test_a_persons_merge_is_taken_back_with_the_fields_from_before_it(
    run: Run, place: DataDir
) -> None:
    assert run("merge", "asked_again", "loop", "--from", "2026-11-20")[0] == 0
    code, said = run("name", "asked_again", "Again", "--from", "2026-12-01")
    assert (code, "caselaw modes unmerge asked_again" in said) == (2, True)
    assert run("unmerge", "asked_again", "--from", "2026-12-01")[0] == 0
    first, merged, now = [e for e in entries(place)["failure_modes"] if e["id"] == "asked_again"]
    assert (merged["merged_into"], merged["retired_on"]) == ("loop", DAY)
    assert now == {k: v for k, v in first.items() if k != "retired_on"} | {"effective_from": DAY}


@pytest.mark.parametrize(
    ("mode", "complaint"),
    [("m-old", "'m-old' was not merged"), ("no_such", "'no_such' was not merged")],
)
def test_what_was_not_merged_is_not_taken_back(
    run: Run, place: DataDir, mode: str, complaint: str
) -> None:
    before = text_of(place)
    code, said = run("unmerge", mode)
    assert (code, complaint in said) == (2, True), said
    assert text_of(place) == before


def test_a_broken_registry_is_told_before_anything_is_written(run: Run, place: DataDir) -> None:
    path = place.registry / "failure_modes.yaml"
    path.write_text("failure_modes:\n  - id: a\n    nme: A\n")
    code, said = run("close", "m-old")
    assert code == 2
    assert "line 2: failure_modes[0]" in said
    assert path.read_text() == "failure_modes:\n  - id: a\n    nme: A\n"


def test_an_entry_that_is_still_to_come_is_not_run_into(run: Run, place: DataDir) -> None:
    assert run("name", "m-half", "Later", "--from", "2026-12-20")[0] == 0
    code, said = run("name", "m-half", "Sooner", "--from", "2026-12-01")
    assert code == 2
    assert "'m-half' stands twice" in said


def test_a_data_directory_without_a_registry_says_how_to_get_one(run: Run, place: DataDir) -> None:
    shutil.rmtree(place.root / "registry")
    code, said = run("close", "m-old")
    assert code == 2
    assert f"cp -r {COMMITTED / 'registry'} {place.root / 'registry'}" in said


def test_a_file_that_somebody_saves_meanwhile_is_left_as_they_saved_it(place: DataDir) -> None:
    path = place.registry / "failure_modes.yaml"
    saved = text_of(place) + "# a thought of somebody else's\n"

    def write_while_somebody_saves() -> None:
        with change_file(path, lambda aside: None) as change:
            change.append("fixes", {"mode": "loop", "release": "1"})
            path.write_text(saved)

    with pytest.raises(RegistryEdited, match="Run the command again"):
        write_while_somebody_saves()
    assert path.read_text() == saved
    assert [p.name for p in path.parent.iterdir() if p.name.endswith(".tmp")] == []


def test_two_who_write_at_once_take_turns(place: DataDir) -> None:
    path = place.registry / "failure_modes.yaml"

    def write(number: int) -> None:
        with change_file(path, lambda aside: None) as change:
            change.append("fixes", {"mode": "loop", "release": str(number)})

    threads = [threading.Thread(target=write, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(fix["release"] for fix in entries(place)["fixes"]) == [str(n) for n in range(8)]


@pytest.mark.parametrize(
    "text",
    [
        "failure_modes:\n- {id: a, name: A}  # why\n# the end",
        "failure_modes:\n  - id: a\n    name: A\n    description: |\n      Two\n      lines.\n\n"
        "# end\n",
        "fixes:\n  - {mode: a, release: '1', effective_from: 2026-01-05}\n\n"
        "# names\nfailure_modes:\n    -   id: a\n        name: A # a comment\n",
        "failure_modes:\n  - name: >-\n      A long\n      name\n    id: a\n",
    ],
)
def test_any_way_of_writing_the_list_is_added_to(place: DataDir, run: Run, text: str) -> None:
    path = place.registry / "failure_modes.yaml"
    path.write_text(text)
    before = entries(place)["failure_modes"][0]
    assert run("ignore", "a", "--from", "2026-12-01")[0] == 0
    assert run("fix", "a", "2.0", "--from", "2026-12-01")[0] == 0
    old, new = entries(place)["failure_modes"]
    assert old == before | {"retired_on": DAY}
    assert new == before | {"effective_from": DAY, "state": "ignored"}
    assert entries(place)["fixes"][-1]["release"] == "2.0"
    comments = [line for line in text.splitlines() if line.startswith("#")]
    assert all(line in text_of(place) for line in comments)


def test_a_list_in_one_line_is_left_to_a_person(place: DataDir) -> None:
    path = place.registry / "failure_modes.yaml"
    path.write_text("failure_modes: [{id: a, name: A}]\n")
    with (
        pytest.raises(RegistryError, match="line 1: failure_modes is written in one line"),
        change_file(path, lambda aside: None) as change,
    ):
        change.append("failure_modes", {"id": "b", "name": "B"})
    path.write_text("failure_modes: []\n")
    with change_file(path, lambda aside: None) as change:
        change.append("failure_modes", {"id": "b", "name": "B"})
    assert entries(place) == {"failure_modes": [{"id": "b", "name": "B"}]}
