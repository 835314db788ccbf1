"""`caselaw review` in a terminal: what it prints, what it refuses, and its exit codes."""

from __future__ import annotations

import json
import shlex
import signal
import subprocess
import sys
from datetime import UTC, datetime

import pytest
from click.testing import CliRunner, Result

from pipeline.cli.main import cli, main
from pipeline.cli.printing import harmless
from pipeline.datadir import DataDir
from pipeline.review import collect_annotations, read_annotations
from tests.pipeline.review.small_lake import DAY, publish_day, say, settings, trace, waiting
from tests.pipeline.review.test_exhibit import GRADES
from tests.pipeline.review.test_exhibit import TRACE as TOLD

EVER = datetime.max.replace(tzinfo=UTC)
HOSTILE = "\x1b[2J\x1b]0;owned\x07 \x9b31m caf\u202eexe.txt \u200b ok\nDecide: caselaw forget"


@pytest.fixture
def place(place: DataDir) -> DataDir:
    settings(place, random_per_day=0, double_share=0)
    return place


def run(place: DataDir, line: str, **more) -> Result:
    """Run one command line as anna."""
    words = ["--data", str(place.root), *shlex.split(line)]
    return CliRunner().invoke(cli, words, env={"CASELAW_REVIEWER": "anna"}, **more)


def code_of(place: DataDir, line: str) -> int:
    """The exit code of the command as it is installed, errors and all."""
    with pytest.raises(SystemExit) as left:
        main(["--data", str(place.root), *shlex.split(line)])
    return int(left.value.code or 0)


def test_next_shows_the_conversation_why_it_waits_and_how_to_decide(place: DataDir) -> None:
    publish_day(place, [TOLD], [waiting("t1", reasons=["An answer for a person."])], GRADES)
    shown = run(place, "review next")
    assert shown.exit_code == 0
    for expected in (
        "[0] user\n  | Where is it?",
        ">> calls get_order: timeout TimeoutError   <- wrong_tool",
        "It waits because: An answer for a person.",
        "fail    wrong_tool (rule)",
        "The user said: stars negative: bad; handed over to a person",
        f"caselaw --data {place.root} review decide t1 confirm",
        "1 left for anna, 0 decided today.",
    ):
        assert expected in shown.output


def test_the_printed_command_decides_and_the_next_item_comes(place: DataDir) -> None:
    publish_day(place, [trace("t1"), trace("t2")], [waiting("t1"), waiting("t2")])
    shown = run(place, "review next")
    line = next(one for one in shown.output.splitlines() if " reject" in one)
    done = CliRunner().invoke(cli, shlex.split(line)[1:], env={"CASELAW_REVIEWER": "anna"})
    assert done.exit_code == 0
    assert f"make publish CASELAW_DATA={place.root}" in done.output
    assert "1 left for anna, 1 decided today" in run(place, "review next").output


def test_a_blind_item_shows_no_verdict_in_any_form(place: DataDir) -> None:
    settings(place, random_per_day=10, double_share=0)
    publish_day(place, [TOLD], [waiting("t1", reasons=["SECRET-VERDICT"])], GRADES)
    for line in ("review next", "review next --json", "review show t1", "review show t1 --json"):
        shown = run(place, line)
        assert shown.exit_code == 0
        assert "SECRET-VERDICT" not in shown.output
        assert "wrong_tool" not in shown.output
    told = run(place, "review show t1 --verdicts")
    assert "SECRET-VERDICT" in told.output
    assert "by anna, blind" not in run(place, "review decide t1 good").output


def test_the_terminal_cannot_be_steered_by_a_trace(place: DataDir) -> None:
    hostile = trace("t1", HOSTILE, service="svc\x1b[31m", tool_calls=[])
    publish_day(place, [hostile], [waiting("t1", reasons=[HOSTILE])])
    for line in ("review next", "review next --json", "review stats"):
        shown = run(place, line).output
        assert all(c.isprintable() or c == "\n" for c in shown), line
    # a line of the trace stands behind a bar and cannot pass for one of ours
    assert "  | Decide: caselaw forget" in run(place, "review next").output


def test_control_characters_are_written_out_and_letters_stay() -> None:
    assert harmless("a\x1b[0m\u202eb\u2066") == "a\\x1b[0m\\u202eb\\u2066"
    joined = "é👩\u200d🔧 می\u200cخواهم"
    assert harmless(f"{joined}\r\nx\u00a0y\tz") == f"{joined}\nx y z"
    assert harmless("\ud800") == "\\ud800"


def test_long_texts_are_folded_and_can_be_seen_whole(place: DataDir) -> None:
    long = "word " * 2000 + "THE-END"
    publish_day(place, [trace("t1", long)], [waiting("t1")])
    folded = run(place, "review next").output
    assert "more characters: --full" in folded
    assert "THE-END" not in folded
    assert "THE-END" in run(place, "review next --full").output


def test_a_long_conversation_keeps_its_ends_and_what_is_marked(place: DataDir) -> None:
    many = trace("t1", *(f"turn-{n}-" for n in range(100)))
    failing = {"trace_id": "t1", "check": "c", "layer": "rule", "grader_id": "r",
               "verdict": "fail", "reason": "", "evidence": ["message:50"]}  # fmt: skip
    publish_day(place, [many], [waiting("t1")], [failing])
    shown = run(place, "review next").output
    assert "60 passages here" in shown
    seen = {n for n in range(100) if f"turn-{n}-" in shown}
    assert seen == {*range(10), 50, *range(70, 100)}


def test_an_empty_lake_is_no_error(place: DataDir) -> None:
    shown = run(place, "review next")
    assert shown.exit_code == 0
    assert shown.output.startswith("No day is published yet. Run: make backfill ")
    assert run(place, "review").output == shown.output
    assert json.loads(run(place, "review next --json").output)["item"] is None
    assert run(place, "review stats").exit_code == 0


def test_a_decision_says_what_becomes_of_the_case_when_others_voted(place: DataDir) -> None:
    publish_day(place, [TOLD], [waiting("t1")], GRADES)
    for who in ("ben", "eve"):
        said = run(place, f"review decide t1 reject --as {who}").output
        assert "To have case-t1 leave the suite, or stay out of it, for good: make publish" in said
    said = run(place, "review decide t1 confirm").output
    assert "case-t1 stays as it is" in said
    assert "1 said that it failed, 2 that it did not: that speaks against it." in said
    assert "make publish" not in said
    assert "reject takes a case out" in run(place, "review decide t1 undo").output


def test_a_case_that_is_not_shown_is_not_decided_on(place: DataDir) -> None:
    settings(place, random_per_day=10, double_share=0)
    publish_day(place, [TOLD], [waiting("t1")], GRADES)
    said = run(place, "review decide t1 reject")
    assert said.exit_code == 2
    assert "shown blind, without its cases; say good, bad or partial" in said.output


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("review decide nosuch good", 2),
        ("review decide t1 fine", 2),
        ("review decide t1 bad --axis tone", 2),
        ("review decide t1 bad --axis tone=pass --axis tone=fail", 2),
        ("review decide t1 bad --axis tonee=fail", 2),
        ("review decide t1 bad --mode nosuch", 2),
        ("review decide t1 skip", 2),
        ("review decide t1 bad --note - --corrected -", 2),
        ("review show nosuch", 2),
        ("review --as ben next", 2),
        ("review decide t1 bad", 0),
    ],
)
def test_exit_codes(place: DataDir, line: str, code: int) -> None:
    publish_day(place, [trace("t1")], [waiting("t1")])
    assert code_of(place, line) == code


def test_on_an_empty_lake_there_is_nothing_to_decide(place: DataDir, capsys) -> None:
    assert code_of(place, "review decide t1 good") == 3
    assert "make backfill" in capsys.readouterr().err


def test_a_note_may_come_from_standard_input(place: DataDir) -> None:
    publish_day(place, [trace("t1")], [waiting("t1")])
    run(place, "review decide t1 bad --note - --new-mode 'Odd one'", input="first\nsecond\n")
    (row,) = read_annotations(place.annotations, EVER).to_dicts()
    assert (row["note"], row["failure_mode"]) == ("first\nsecond", "Odd one")


def test_decide_as_json_names_the_file_and_repeats_no_note(place: DataDir) -> None:
    publish_day(place, [trace("t1")], [waiting("t1")])
    done = json.loads(run(place, "review decide t1 bad --note PRIVATE --json").output)
    assert (done["verdict"], done["annotator_id"], done["blind"]) == ("bad", "anna", False)
    assert "PRIVATE" not in str(done)


def test_broken_annotation_files_are_named_and_the_rest_counts(place: DataDir) -> None:
    publish_day(place, [trace("t1")], [waiting("t1")])
    say(place, "t1", "good")
    (place.annotations / "2026-11-10" / "broken.json").write_text('{"verdict": "SECRET"}')
    shown = run(place, "review stats")
    assert shown.exit_code == 1
    assert "1 annotation file left out, the others count:" in shown.output
    assert f"{place.annotations}/2026-11-10/broken.json: field 'trace_id'" in shown.output
    assert "anna                         1" in shown.output
    assert "SECRET" not in shown.output
    assert run(place, "review next").exit_code == 0


def test_a_broken_partition_is_named_with_the_command_that_mends_it(place: DataDir, capsys) -> None:
    publish_day(place, [trace("t1")], [waiting("t1")])
    publish_day(place, [trace("t2")], day="2026-11-08")
    (place.lake / "redacted_traces" / "day=2026-11-08" / "part-0.parquet").write_bytes(b"torn")
    assert code_of(place, "review next") == 3
    told = capsys.readouterr().err
    assert "lake/redacted_traces/day=2026-11-08/part-0.parquet cannot be read" in told
    assert "FROM=2026-11-08 TO=2026-11-08" in told


def test_stats_say_how_long_and_how_old_the_queue_is(place: DataDir) -> None:
    publish_day(place, [trace("t1")], [waiting("t1", blocked_by=["borderline"])])
    shown = run(place, "review stats")
    assert shown.exit_code == 0
    assert f"Waiting for a person: 1 conversation, the oldest since {DAY}" in shown.output
    assert "1  borderline" in shown.output
    figures = json.loads(run(place, "review stats --json").output)
    assert (figures["valued"], figures["oldest"]) == (1, DAY)


def test_a_conversation_reads_well(place: DataDir) -> None:
    """Lines break between values of JSON, results name their tool, prompts are cut short."""
    order = {"items": [{"sku": f"WV-{n}", "price": n} for n in range(9)]}
    asked = {"id": "c1", "name": "get_order", "arguments": "{}"}
    messages = [
        {"role": "system", "content": "One\nTwo\nThree"},
        {"role": "user", "content": "Where is it?"},
        {"role": "assistant", "tool_calls": [asked]},
        {"role": "tool", "tool_call_id": "c1", "content": json.dumps(order, separators=(",", ":"))},
    ]
    publish_day(place, [trace("t1") | {"messages": messages}], [waiting("t1")])
    shown = run(place, "review next").output
    assert "[3] tool get_order\n" in shown
    assert '"sku": "WV-8", "price": 8}]}' in shown.replace("\n  | ", " ")
    assert "  | Two\n  [6 more characters: --full]" in shown
    assert "  | Three" in run(place, "review show t1 --full").output


def test_the_printed_commands_run_where_no_shell_would_find_caselaw(
    place: DataDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish_day(place, [trace("t1")], [waiting("t1")])
    monkeypatch.setattr("sys.argv", ["/opt/checkout/.venv/bin/caselaw"])
    monkeypatch.setenv("PATH", "/nowhere")
    assert (
        f"/opt/checkout/.venv/bin/caselaw --data {place.root} review decide t1"
        in run(place, "review next").output
    )


def test_keys_walk_the_queue(place: DataDir) -> None:
    """Undo nothing, confirm with a misspelt mode, undo, miss a key, reject, skip, and leave."""
    named = place.registry / "failure_modes.yaml"
    named.write_text("failure_modes:\n  - {id: half, name: Half an answer}\n")
    names = ["t1", "t2", "t3"]
    publish_day(place, [trace(n) for n in names], [waiting(n) for n in names])
    keys = ["u", "c", "half an anser", "?", "half an answer", "both", "u", "g", "r", ""]
    keys += ["s", "busy", "q"]
    walked = run(place, "review", input="\n".join(keys) + "\n")
    assert walked.exit_code == 0, walked.output
    assert "Nothing was decided in this sitting" in walked.output
    assert "did you mean 'Half an answer'" in walked.output
    assert "\nHalf an answer\n" in walked.output
    assert "'g' is none of c, r, p, s, v, u, q here." in walked.output
    verdicts = read_annotations(place.annotations, EVER)
    assert verdicts["verdict"].to_list() == ["good"]
    figures = json.loads(run(place, "review stats --json").output)
    assert figures["people"][0]["skips"] == 1


def test_a_blind_walk_asks_for_the_axes_that_fail(place: DataDir) -> None:
    settings(place, random_per_day=10, double_share=0)
    publish_day(place, [trace("t1"), trace("t2")])
    walked = run(place, "review", input="b\nton\ntone\n\n\n")  # and the input ends
    assert walked.exit_code == 0
    assert "no axis 'ton' in registry/rubric.yaml; did you mean 'tone'?" in walked.output
    assert "what was decided is kept" in walked.output
    (row,) = read_annotations(place.annotations, EVER).to_dicts()
    axes = {one["axis"]: one["verdict"] for one in row["axes"]}
    assert (row["blind"], axes["tone"], axes["helpfulness"]) == (True, "fail", "pass")


# The command in a process of its own that is killed right before or right after it swaps a file in.
KILLING = """
import os, signal, sys
from pipeline import files
from pipeline.cli import main
when, swap = sys.argv.pop(1), os.replace
def replace(*paths):
    if when == "after":
        swap(*paths)
    os.kill(os.getpid(), signal.SIGKILL)
files.os.replace = replace
main()
"""


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_decision_whose_process_was_killed_counts_whole_or_not_at_all(
    place: DataDir, when: str
) -> None:
    words = ["--data", str(place.root), "review", "decide", "t1", "bad", "--as", "anna"]
    words += ["--note", "Mrs Example called"]
    publish_day(place, [trace("t1")], [waiting("t1")])
    killed = subprocess.run(
        [sys.executable, "-c", KILLING, when, *words], capture_output=True, check=False
    )
    assert killed.returncode == -signal.SIGKILL
    found = collect_annotations(place.annotations, EVER)
    assert found.problems == ()
    assert found.frame.height == (0 if when == "before" else 1)
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 0
    assert collect_annotations(place.annotations, EVER).frame["verdict"].to_list() == ["bad"]
    assert list(place.annotations.rglob("*.tmp")) == []
