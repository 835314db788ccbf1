"""`caselaw suite`: what a release owner sees, and what happens to what people wrote."""

from __future__ import annotations

import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from pipeline.cli.main import main
from pipeline.datadir import DataDir
from pipeline.lake import Lake
from pipeline.provenance import Counts, Provenance
from pipeline.review.annotations import Annotation, write_annotation
from pipeline.suite import parse_suite, propose_next, render_suite, replace_text
from pipeline.suite.openings import read_openings
from pipeline.tables import EVAL_SUITE, PROMOTED_CASES, REDACTED_TRACES, Table
from pipeline.windows import Window, day
from tests.pipeline.promotion.hand_made import MONDAY, Chat, decisions, redacted

ASKED = (
    "It says delivered but I never got anything, where can it be?",
    "Do you know which carrier has my parcel with the two lamps?",
    "My brother's parcel came on Friday, why is mine still on the way?",
)


@pytest.fixture
def place(tmp_path: Path) -> DataDir:
    """Three promoted cases of one day, published: all fail in the same way."""
    made = DataDir(tmp_path / "data")
    shutil.copytree(made.registry, made.root / "registry")
    with (made.root / "registry" / "settings.yaml").open("a", encoding="utf-8") as settings:
        settings.write("  - promotion: {cases_per_variant: 3}\n")
    chats = [Chat(f"t{n}", asked=text) for n, text in enumerate(ASKED)]
    put(made, PROMOTED_CASES, day(MONDAY), decisions(chats).frame)
    put(made, REDACTED_TRACES, day(MONDAY), REDACTED_TRACES.conform(redacted(chats)))
    publish(made)
    return made


def put(place: DataDir, table: Table, window: Window | None, frame: pl.DataFrame) -> None:
    Lake(place).publish(table, window, frame, Provenance(Counts("rows", 0, 0)))


def publish(place: DataDir) -> None:
    """What the asset does."""
    made = propose_next(place)
    replace_text(made.before, made.suite.text, again="make publish")
    put(place, EVAL_SUITE, None, made.suite.frame)


def suite_file(place: DataDir) -> Path:
    return place.root / "eval" / "cases_from_prod.yaml"


def cases(place: DataDir) -> dict[str, dict[str, Any]]:
    return parse_suite(suite_file(place).read_text("utf-8"))


def write(place: DataDir, changed: dict[str, dict[str, Any]]) -> None:
    suite_file(place).write_text(render_suite(list(changed.values())), "utf-8")


def run(place: DataDir, capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    """Exit code and everything printed."""
    with pytest.raises(SystemExit) as ended:
        main(["--data", str(place.root), "suite", *words])
    printed = capsys.readouterr()
    return int(ended.value.code or 0), printed.out + printed.err


def test_a_published_suite_is_sound_and_nothing_is_to_come(
    place: DataDir, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(place, capsys, "check") == (0, "3 cases checked, 0 problems\n")
    assert run(place, capsys, "diff", "--exit-code") == (
        0, "By the next publication: nothing changes\n",
    )  # fmt: skip
    assert run(place, capsys, "prune") == (0, "Nothing to prune.\n")
    code, told = run(place, capsys, "ls", "--status", "active")
    assert code == 0
    assert told.endswith("3 of 3 cases\n")


def test_diff_says_what_publishing_would_change(
    place: DataDir, capsys: pytest.CaptureFixture[str]
) -> None:
    first, *rest = cases(place)
    left = cases(place)
    del left[first]
    left[rest[0]]["title"] = "Ours"
    left["ours-1"] = {"id": "ours-1"}
    write(place, left)
    before = suite_file(place).read_bytes()
    code, told = run(place, capsys, "diff", "--exit-code")
    assert code == 1
    assert f"added     {first}" in told
    assert "By the next publication: 1 added" in told
    assert "Kept although no candidate stands behind: 1 (ours-1)" in told
    assert suite_file(place).read_bytes() == before


def test_a_conflict_is_shown_and_settled(
    place: DataDir, capsys: pytest.CaptureFixture[str]
) -> None:
    name, changed = next(iter(cases(place))), cases(place)
    # as if the pipeline had written another title before
    changed[name]["generated"]["title"] = "00000000"
    changed[name] |= {"title": "Ours \x1b[2J", "split": "regression"}
    write(place, changed)
    code, told = run(place, capsys, "diff")
    assert code == 1
    assert f"conflict  {name}: title" in told
    assert "mine:     Ours  [2J\n" in told
    assert "suite resolve CASE_ID FIELD --keep mine|pipeline" in told
    assert run(place, capsys, "resolve", name, "expected", "--keep", "mine")[0] == 2
    code, told = run(place, capsys, "resolve", name, "title", "--keep", "pipeline")
    assert (code, f"{name}: title: kept pipeline" in told) == (0, True)
    assert "conflict" not in run(place, capsys, "diff")[1]
    assert cases(place)[name]["title"] != "Ours \x1b[2J"


def test_prune_retires_only_when_told_and_it_lasts(
    place: DataDir, capsys: pytest.CaptureFixture[str]
) -> None:
    # two were published before what asks the same was folded
    name, other, _ = cases(place)
    both = cases(place)
    both[other]["input"] = both[name]["input"]
    from pipeline.suite.edits import stamp

    both[other] = stamp(both[other])
    write(place, both)
    code, told = run(place, capsys, "prune")
    assert code == 0
    assert "nothing was changed. Next: caselaw suite prune --apply" in told
    assert cases(place) == both
    assert "Retired 1 case" in run(place, capsys, "prune", "--apply")[1]
    publish(place)
    publish(place)
    (retired,) = [case for case in cases(place).values() if case["status"] == "retired"]
    assert retired["history"]["retired_because"] == "repeats"


def test_opening_the_holdout_needs_a_reason_and_is_counted(
    place: DataDir, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CASELAW_WHO", "release owner")
    changed = cases(place)
    held, shown, _ = changed
    changed[held]["split"], changed[shown]["split"] = "holdout", "regression"
    write(place, changed)
    assert ASKED[0] not in "".join(run(place, capsys, "diff")[1])
    code, told = run(place, capsys, "show", held)
    assert (code, "opening it is written down" in told) == (2, True)
    assert read_openings(place).found == ()
    code, told = run(place, capsys, "show", held, shown, "--why", "sign-off of 2.6")
    assert (code, told.count("- id:")) == (0, 2)
    (opening,) = read_openings(place).found
    assert (opening.who, opening.why, opening.cases) == ("release owner", "sign-off of 2.6", 1)
    assert run(place, capsys, "show", shown)[0] == 0
    publish(place)
    code, told = run(place, capsys, "stats")
    assert "opened 1 time by a command" in told
    assert "release owner, 1 case, suite show: sign-off of 2.6" in told


def test_stats_count_what_there_is_and_name_verdicts_on_nothing(
    place: DataDir, capsys: pytest.CaptureFixture[str]
) -> None:
    at = datetime(2026, 11, 2, tzinfo=UTC) + timedelta(hours=9)
    for trace in ("t1", "nowhere"):
        write_annotation(
            place.annotations,
            Annotation(trace_id=trace, verdict="bad", annotator_id="r-1", annotated_at=at),
        )
    (place.annotations / "2026-11-02" / "torn.json").write_text("{")
    suite_file(place).with_name("cases_by_hand.yaml").write_text("cases:\n- id: own-1\n")
    publish(place)
    code, told = run(place, capsys, "stats")
    assert code == 0
    assert "3 cases, 3 active; 0 edited, 0 fields in conflict; 1 by hand" in told
    assert "verdicts  on 1 trace not in the lake (never drawn, not run yet, or erased), " in told
    assert "verdicts  1 file cannot be read" in told
    assert "2026-11-02" in told  # the week in which it grew


def test_check_names_each_thing_to_mend(place: DataDir, capsys: pytest.CaptureFixture[str]) -> None:
    one, two, three = changed = cases(place)
    changed[one]["status"] = "retierd"
    changed[two]["checks"] = [{"kind": "magic"}]
    write(place, changed)
    by_hand = suite_file(place).with_name("cases_by_hand.yaml")
    by_hand.write_text(f"cases:\n- id: {three}\n")
    code, told = run(place, capsys, "check")
    assert code == 1
    assert f"{one:<18} `status` is none of active, retired" in told
    assert f"{two:<18} number 1 of `checks` cannot be read" in told
    assert f"{three:<18} cases_by_hand.yaml has a case of this id too" in told
    by_hand.write_text("cases: [\n")
    assert (
        "cases_by_hand.yaml cannot be read, so its cases count nowhere: line 2"
        in (run(place, capsys, "check")[1])
    )


@pytest.mark.parametrize("command", ["check", "diff", "prune", "stats", "ls"])
def test_a_broken_file_is_one_line_that_says_where(
    place: DataDir, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    suite_file(place).write_text("cases:\n- id: a\n\tb: c\n")
    code, told = run(place, capsys, command)
    assert code == 3
    assert told.startswith(f"caselaw: suite: {suite_file(place)}: line 3: not YAML")
    assert suite_file(place).read_text() == "cases:\n- id: a\n\tb: c\n"


def test_a_folder_that_nobody_can_write_to_is_one_line(
    place: DataDir, capsys: pytest.CaptureFixture[str]
) -> None:
    registry = place.root / "registry"
    (registry / "settings.yaml").write_text("settings:\n- eval_dir: /proc/nowhere\n")
    assert run(place, capsys, "diff")[0] == 0
    with pytest.raises(OSError, match="nowhere"):
        publish(place)


def test_since_compares_with_a_revision_of_the_agents_repository(
    place: DataDir, capsys: pytest.CaptureFixture[str]
) -> None:
    code, told = run(place, capsys, "diff", "--since", "v1")
    assert (code, "lies in no git repository" in told) == (2, True)
    folder = suite_file(place).parent
    identity = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
    for words in (["init", "-q"], ["add", "."], ["commit", "-qm", "one"], ["tag", "v1"]):
        subprocess.run(["git", "-C", str(folder), *identity, *words], check=True)
    assert run(place, capsys, "diff", "--since", "v1") == (0, "Since v1: nothing changes\n")
    changed = cases(place)
    name = next(iter(changed))
    changed[name]["status"] = "retired"
    write(place, changed)
    code, told = run(place, capsys, "diff", "--since", "v1", "--exit-code")
    assert code == 1
    assert told.startswith(f"retired   {name}")
    assert run(place, capsys, "diff", "--since", "v2")[0] == 2


def test_before_the_first_day_it_says_what_to_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, told = run(DataDir(tmp_path), capsys, "diff")
    assert code == 3
    assert "promoted_cases has no day yet" in told
    assert "make backfill" in told


@pytest.mark.parametrize("words", ["ls", "show case-1", "check"])
def test_no_suite_is_not_a_sound_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: str
) -> None:
    code, told = run(DataDir(tmp_path), capsys, *words.split())
    assert code == 3
    assert f"no suite in {tmp_path / 'eval'}" in told
    assert "make publish" in told
