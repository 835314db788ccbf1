"""`caselaw export` and `caselaw check-answer` as a release owner and a tool meet them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from io import BytesIO, TextIOWrapper
from pathlib import Path
from typing import NamedTuple
from unittest.mock import patch

import pytest

from pipeline.cli import main
from tests.pipeline.exports.reading import as_yaml, write_suite
from tests.pipeline.exports.toy import case

TOY = Path(__file__).parents[1] / "exports" / "toy.py"


class Done(NamedTuple):
    returncode: int
    stdout: str
    stderr: str


def caselaw(data: Path, *arguments: str, said: str = "") -> Done:
    """Run the command in this process; `said` is its standard input."""
    given_bytes = said.encode("utf-8", "surrogateescape")
    given, out, err = (TextIOWrapper(BytesIO(b), "utf-8") for b in (given_bytes, b"", b""))
    with patch("sys.stdin", given), redirect_stdout(out), redirect_stderr(err):
        try:
            code = main(["--data", str(data), *arguments])
        except SystemExit as ended:
            code = ended.code
    for stream in (out, err):
        stream.seek(0)
    return Done(int(code or 0), out.read(), err.read())


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_suite(tmp_path_factory.mktemp("data"))


@pytest.mark.parametrize("broken", [b"cases: [\xff]", b"\xef\xbb\xbfcases: []\n", None])
def test_a_file_by_hand_that_is_no_text_is_named_and_a_pipe_is_not_waited_for(
    tmp_path: Path, broken: bytes | None
):
    place = write_suite(tmp_path)
    by_hand = place / "eval" / "cases_by_hand.yaml"
    by_hand.unlink(missing_ok=True)
    by_hand.write_bytes(broken) if broken else os.mkfifo(by_hand)
    done = caselaw(place, "export", "pytest", "--out", str(tmp_path / "out"))
    if broken and broken.startswith(b"\xef"):  # a byte order mark, as some editors write it
        assert done.returncode == 0
        return
    assert done.returncode == 2
    assert f"{by_hand}: {'line 1: not UTF-8' if broken else 'it is no file'}" in done.stderr
    assert not (tmp_path / "out").exists()


def test_an_export_says_what_it_wrote_and_what_it_left_out(data: Path, tmp_path: Path):
    folder = tmp_path / "out"
    done = caselaw(data, "export", "promptfoo", "--out", str(folder))
    assert done.returncode == 0
    assert done.stdout.splitlines() == [
        f"promptfoo: 20 cases, 22 checks, 4 files in {folder}",
        "Of the checks 2 need a judge: carried, not run (--judge makes them llm-rubric "
        "assertions).",
        "Of the cases 1 have no check that runs without: left out of the tests.",
        "Left out: 1 holdout.",
        "Next: CASELAW_AGENT='python my_agent.py' npx promptfoo eval -c "
        f"{folder}/promptfooconfig.json",
    ]
    assert "case-held" not in (folder / "cases.jsonl").read_text()
    told = caselaw(data, "export", "phoenix", "--out", str(folder)).stdout
    assert "all 22 are carried as data" in told


def test_the_holdout_is_opened_for_a_reason_only(data: Path, tmp_path: Path):
    arguments = ["export", "pytest", "--split", "holdout", "--out", str(tmp_path)]
    refused = caselaw(data, *arguments)
    assert refused.returncode == 2
    assert "add --why" in refused.stderr
    assert not list(tmp_path.iterdir())
    for number in (1, 2):
        done = caselaw(data, *arguments, "--why", "the release of November")
        assert f"The holdout was opened (1 case): the {number}. time" in done.stdout
    log = (data / "ledger" / "holdout_openings.jsonl").read_text().splitlines()
    assert json.loads(log[0])["why"] == "the release of November"
    assert (json.loads(log[1])["cases"], json.loads(log[1])["target"]) == (1, "pytest")


def test_without_a_suite_it_says_what_makes_one(tmp_path: Path):
    done = caselaw(tmp_path, "export", "pytest")
    assert done.returncode == 3
    assert f"run: make publish CASELAW_DATA={tmp_path}" in done.stderr


def test_a_broken_suite_writes_nothing(tmp_path: Path):
    data = write_suite(tmp_path / "data", [case("case a", "x")])
    done = caselaw(data, "export", "pytest", "--out", str(tmp_path / "out"))
    assert done.returncode == 2
    assert "case number 1: its id has to be letters" in done.stderr
    assert not (tmp_path / "out").exists()


def test_cases_by_hand_are_exported_too(data: Path, tmp_path: Path):
    data = write_suite(tmp_path / "data")
    mine = {
        "id": "mine",
        "input": "Hi",
        "checks": [{"kind": "contains", "any_of": ["hello"]}],
    }
    (data / "eval" / "cases_by_hand.yaml").write_text(as_yaml([mine]), "utf-8")
    caselaw(data, "export", "pytest", "--out", str(tmp_path / "out"))
    assert '"id":"mine"' in (tmp_path / "out" / "cases.jsonl").read_text()
    assert caselaw(data, "check-answer", "--case", "mine", said="Hello!\n").returncode == 0


@pytest.mark.parametrize(
    ("said", "code", "told"),
    [
        ('{"caselaw": {"answer": "On its way.", "calls": [{"name": "track"}]}}', 0, "passed"),
        ('{"caselaw": {"answer": "On its way.", "calls": []}}', 1, "tool_called FAILED"),
        ("On its way.", 4, "undecided"),
        ("On its way, not in UTF-8: \udcff", 4, "undecided"),
        ('{"caselaw": {"secret": 1}}', 2, "an answer is a text or a mapping of"),
    ],
)
def test_the_exit_code_says_what_the_checks_say(data: Path, said: str, code: int, told: str):
    done = caselaw(data, "check-answer", "--case", "case-tool", said=said)
    assert done.returncode == code
    assert told in done.stdout + done.stderr
    assert "secret" not in done.stderr


def test_a_stream_answers_each_request_and_a_broken_one_costs_itself_alone(data: Path):
    requests = [
        '{"case": "case-tool", "answer": {"calls": [{"name": "track"}]}}',
        "not json",
        '{"case": "nobody", "answer": "x"}',
        '{"case": ["x"], "answer": "x"}',
        '{"case": "case-tool", "answer": 7}',
        '{"case": "case-held", "answer": "the holdout is not in it"}',
        '{"case": "case-refund", "answer": {"calls": [{"name": "refund", "arguments": '
        + "[" * 300
        + "]" * 300
        + "}]}}",
        '{"case": "case-tool", "answer": {"calls": []}}',
    ]
    done = caselaw(data, "check-answer", "--stream", said="\n".join(requests) + "\n")
    replies = [json.loads(line) for line in done.stdout.splitlines()]
    assert [reply.get("passed", "error") for reply in replies] == [
        True, "error", "error", "error", "error", "error", "error", False,
    ]  # fmt: skip
    assert replies[0]["checks"][0] == {
        "kind": "tool_called",
        "expects": "calls track",
        "passed": True,
        "why": None,
    }


@pytest.mark.parametrize(
    ("agent", "outcome"), [("good", "19 passed, 1 skipped"), ("bad", "19 failed, 1 skipped")]
)
def test_the_pytest_module_tells_a_good_agent_from_the_recorded_one(
    data: Path, tmp_path: Path, agent: str, outcome: str
):
    """The export stands alone: neither this project nor its configuration is near it."""
    caselaw(data, "export", "pytest", "--out", str(tmp_path / "out"))
    (tmp_path / "toy.py").write_text(TOY.read_text("utf-8"), "utf-8")
    command = tmp_path / "caselaw"
    command.write_text(
        f"#!/bin/sh\nexec {sys.executable} -c 'from pipeline.cli import main; main()' \"$@\"\n"
    )
    command.chmod(0o755)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "out"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
        env=os.environ
        | {
            "CASELAW_AGENT": f"toy:{agent}",
            "CASELAW_COMMAND": str(command),
            "TOY_CASES": str(tmp_path / "out" / "cases.jsonl"),
            "PYTEST_ADDOPTS": "",
        },
    )  # fmt: skip
    assert outcome in done.stdout, done.stdout + done.stderr


def test_an_export_that_finds_no_caselaw_says_how_to_name_it(data: Path, tmp_path: Path):
    caselaw(data, "export", "pytest", "--out", str(tmp_path))
    code = "from caselaw_checks import check; check('case-tool', 'x')"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False,
        env=os.environ | {"CASELAW_COMMAND": "nowhere/caselaw"},
    )  # fmt: skip
    assert "no command 'nowhere/caselaw': set CASELAW_COMMAND" in done.stderr
