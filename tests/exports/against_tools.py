"""Exports loaded and run by the real tools; run by `make test-exports`, not by `test`.

Every tool is in an environment of its own (`.exports`), offline, its telemetry switched off. The
toy suite is full of hostile texts; an agent that answers well and the one that failed are told
apart by the same checks everywhere.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from pipeline.exports import write_files
from tests.exports.install import ROOMS
from tests.pipeline.exports.reading import cases_of, exported
from tests.pipeline.exports.toy import nasty_texts, toy_suite

HERE = Path(__file__).parent
TOY = HERE.parent / "pipeline" / "exports" / "toy.py"
SUITE = toy_suite(60)
CASES = {one.case_id: one for one in cases_of(SUITE) if one.split == "regression"}
DECIDED = {name for name in CASES if name != "case-judged"}
OFFLINE = {
    "PROMPTFOO_DISABLE_TELEMETRY": "1",
    "PROMPTFOO_DISABLE_UPDATE": "1",
    "PROMPTFOO_DISABLE_REMOTE_GENERATION": "1",
    "DEEPEVAL_TELEMETRY_OPT_OUT": "YES",
    "LANGSMITH_TRACING": "false",
    "LANGFUSE_TRACING_ENABLED": "false",
    "OPENAI_API_KEY": "none",
    "NO_COLOR": "1",
}


def room(tool: str) -> Path:
    """Where a tool is installed; its tests are skipped where it could not be."""
    if not (ROOMS / tool / ".installed").exists():
        pytest.skip(f"{tool} is not installed in .exports: make test-exports says why")
    return ROOMS / tool


def export_to(folder: Path, target: str, *, judged: bool = False) -> dict[str, str]:
    """Write an export, the toy agents beside it, and the environment in which a tool runs it."""
    write_files(exported(target, list(CASES.values()), judged=judged), folder)
    (folder / "toy.py").write_text(TOY.read_text("utf-8"), "utf-8")
    command = folder / "caselaw"
    run = "from pipeline.cli import main; main()"
    command.write_text(f"#!/bin/sh\nexec {sys.executable} -c '{run}' \"$@\"\n")
    command.chmod(0o755)
    (folder / "all.jsonl").write_bytes(exported("pytest", list(CASES.values()))["cases.jsonl"])
    own = {
        "CASELAW_COMMAND": str(command),
        "TOY_CASES": str(folder / "all.jsonl"),
        "PROMPTFOO_CONFIG_DIR": str(folder / "promptfoo"),
        "HOME": str(folder),
        "PWD": str(folder),
    }
    return {**os.environ, **OFFLINE, **own}


def run(folder: Path, environment: dict[str, str], *command: str | Path, ok: bool = True) -> str:
    """Run a tool's command in the export's folder; its output."""
    done = subprocess.run(
        [str(word) for word in command], cwd=folder, env=environment, capture_output=True,
        text=True, check=False, timeout=600,
    )  # fmt: skip
    assert done.returncode == 0 or not ok, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


def lines(path: Path) -> list[Any]:
    """The objects of JSON lines; texts may hold what else Python takes for a line's end."""
    return [json.loads(line) for line in path.read_text("utf-8").split("\n") if line]


def printed(folder: Path, environment: dict[str, str], tool: str, *arguments: str) -> Any:
    """What a driver prints, run by the Python of the tool."""
    driver = HERE / f"drive_{tool}.py"
    python = room(tool) / "bin" / "python"
    return json.loads(run(folder, environment, python, driver, *arguments).splitlines()[-1])


# promptfoo


def promptfoo(folder: Path, environment: dict[str, str], *arguments: str) -> list[dict[str, Any]]:
    """Evaluate, and the results."""
    modules = room("promptfoo") / "node_modules"
    start = [modules / ".bin" / "node", modules / "promptfoo" / "dist" / "src" / "entrypoint.js"]
    config = ["-c", "promptfooconfig.json"]
    assert "is valid" in run(folder, environment, *start, "validate", *config)
    quiet = ["--no-cache", "--no-table", "--no-progress-bar", "-o", "results.json"]
    run(folder, environment, *start, "eval", *config, *quiet, *arguments, ok=False)
    found = json.loads((folder / "results.json").read_text("utf-8"))
    return list(found["results"]["results"])


def values_of(fixture: Mapping[str, Any]) -> list[Any]:
    """A fixture with the JSON of its arguments and its result read."""
    return [fixture["name"], json.loads(fixture["arguments"]), json.loads(fixture["result"])]


def test_promptfoo_renders_every_text_as_itself(tmp_path: Path):
    environment = export_to(tmp_path, "promptfoo")
    environment["SECRET_OF_THE_MACHINE"] = "seen"
    results = promptfoo(tmp_path, environment, "-r", "echo")
    assert {one["vars"]["case"] for one in results} == DECIDED
    for one in results:
        case = CASES[one["vars"]["case"]]
        said = json.loads(one["response"]["output"])  # the prompt, echoed
        assert [m["content"] for m in said] == [m.get("content") for m in case.messages]
        kept = json.loads(one["testCase"]["metadata"]["caselaw"])
        assert kept["provenance"] == case.part("provenance")
        # its report parses JSON in texts and writes it anew: white space in it is promptfoo's
        assert [values_of(one) for one in kept["fixtures"]] == [
            values_of(fixture) for fixture in case.fixtures
        ]


@pytest.mark.parametrize("agent", ["good", "bad"])
def test_promptfoo_runs_the_checks(tmp_path: Path, agent: str):
    environment = export_to(tmp_path, "promptfoo")
    environment["CASELAW_AGENT"] = f"{sys.executable} toy.py {agent}"
    results = promptfoo(tmp_path, environment, "--filter-first-n", "12")
    assert [one["success"] for one in results] == [agent == "good"] * 12
    assert not any("UNDECIDED" in one["gradingResult"]["reason"] for one in results)


def test_promptfoo_says_undecided_and_does_not_pass_it(tmp_path: Path):
    """An answer of text alone tells no calls of tools."""
    environment = export_to(tmp_path, "promptfoo")
    arguments = ["-r", "echo", "--filter-metadata", "case=case-tool"]
    [result] = promptfoo(tmp_path, environment, *arguments)
    assert result["success"] is False
    assert result["gradingResult"]["reason"].startswith("UNDECIDED")


# Inspect


@pytest.mark.parametrize("agent", ["good", "bad", "model"])
def test_inspect_loads_and_scores(tmp_path: Path, agent: str):
    environment = export_to(tmp_path, "inspect")
    found = printed(tmp_path, environment, "inspect", str(tmp_path), agent)
    assert found["status"] == "success"
    assert {name: [text for _, text in read] for name, read in found["read"].items()} == {
        name: [m.get("content") or "" for m in case.messages] for name, case in CASES.items()
    }
    assert found["calls"]["case-refund"] == [["get_order", {"order_id": "P-1"}]]
    assert found["kept"]["case-refund"]["provenance"]["trace_id"] == "t" * 32
    assert [f["name"] for f in found["kept"]["case-refund"]["fixtures"]] == ["get_order", "refund"]
    scores = {name: score for name, score in found["scores"].items() if name in DECIDED}
    if agent != "model":
        assert found["unscored"] == 1  # the case for a judge alone
        assert found["accuracy"] == (1.0 if agent == "good" else 0.0)
        assert set(scores.values()) == {"C" if agent == "good" else "I"}
    else:
        # the model says what the user said, and calls no tool
        assert scores["case-tool"] == "I"
        assert scores["case-h00"] == "C"


# DeepEval


@pytest.mark.parametrize("agent", ["good", "bad"])
def test_deepeval_loads_and_measures(tmp_path: Path, agent: str):
    environment = export_to(tmp_path, "deepeval")
    found = printed(tmp_path, environment, "deepeval", str(tmp_path), agent)
    assert set(found) == set(CASES)
    for name, case in CASES.items():
        assert found[name]["input"] == case.messages[-1]["content"]
        assert found[name]["metadata"]["messages"] == [dict(m) for m in case.messages]
        assert found[name]["metadata"]["fixtures"] == [dict(f) for f in case.fixtures]
        wanted = None if name not in DECIDED else float(agent == "good")
        assert (found[name]["score"], found[name]["skipped"]) == (wanted, wanted is None)
    assert found["case-tool"]["tools"] == ["track"]


def test_deepeval_runs_the_test_file(tmp_path: Path):
    environment = export_to(tmp_path, "deepeval")
    environment["CASELAW_AGENT"] = "toy:good"
    command = [room("deepeval") / "bin" / "deepeval", "test", "run", "test_deepeval.py"]
    out = run(tmp_path, environment, *command)
    assert f"Passed: {len(DECIDED)} | Failed: 0" in " ".join(out.split())


# openai/evals


@pytest.mark.parametrize(("agent", "accuracy"), [("good", 1.0), ("bad", 0.0)])
def test_openai_evals_runs_the_registered_eval(tmp_path: Path, agent: str, accuracy: float):
    environment = export_to(tmp_path, "openai-evals")
    environment |= {
        "CASELAW_AGENT": f"toy:{agent}",
        "PYTHONPATH": str(tmp_path),
        "EVALS_THREADS": "2",
    }
    oaieval = room("openai-evals") / "bin" / "oaieval"
    record = ["--record_path", "record.jsonl"]
    run(tmp_path, environment, oaieval, "dummy", "toys", "--registry_path", ".", *record)
    events = lines(tmp_path / "record.jsonl")
    [report] = [e["final_report"] for e in events if "final_report" in e]
    assert report == {"decided": len(DECIDED), "undecided": 1, "accuracy": accuracy}


def test_openai_evals_gives_the_completion_function_every_text(tmp_path: Path):
    """A completion function of its own, of which the framework knows by its registry, records."""
    environment = export_to(tmp_path, "openai-evals")
    (tmp_path / "recording.py").write_text(
        "import json\n"
        "class Said:\n"
        "    def __init__(self, text): self.text = text\n"
        "    def get_completions(self): return [self.text]\n"
        "class Recording:\n"
        "    def __init__(self, registry=None, **_): pass\n"
        "    def __call__(self, prompt, **_):\n"
        "        with open('seen.jsonl', 'a') as file: file.write(json.dumps(prompt) + '\\n')\n"
        "        return Said('x')\n"
    )
    (tmp_path / "completion_fns").mkdir()
    registered = "recording:\n  class: recording:Recording\n"
    (tmp_path / "completion_fns" / "recording.yaml").write_text(registered)
    environment |= {"PYTHONPATH": str(tmp_path), "EVALS_SEQUENTIAL": "1"}
    oaieval = room("openai-evals") / "bin" / "oaieval"
    record = ["--record_path", "record.jsonl"]
    run(tmp_path, environment, oaieval, "recording", "toys", "--registry_path", ".", *record)
    seen = lines(tmp_path / "seen.jsonl")
    texts = [[m["content"] for m in prompt] for prompt in seen]
    assert sorted(texts, key=str) == sorted(
        ([m.get("content") for m in case.messages] for case in CASES.values()), key=str
    )


# Langfuse, LangSmith


def test_sdks_of_platforms_accept_and_send_every_item(tmp_path: Path):
    environment = export_to(tmp_path, "langfuse")
    export_to(tmp_path, "langsmith")
    files = [str(tmp_path / "items.jsonl"), str(tmp_path / "examples.jsonl")]
    sent = printed(tmp_path, environment, "platforms", *files)
    # what the SDK makes of an item is the item: nothing dropped, nothing renamed
    assert sent["langfuse"] == lines(tmp_path / "items.jsonl")
    items = {item["id"].removeprefix("toys:"): item for item in sent["langfuse"]}
    assert set(items) == set(CASES)
    for name, case in CASES.items():
        texts = [m["content"] for m in items[name]["input"]["messages"]]
        assert texts == [m.get("content") for m in case.messages]
        assert items[name]["metadata"]["provenance"] == case.part("provenance")
    inputs = [v["messages"] for k, v in sent["langsmith"].items() if k.endswith(".inputs")]
    assert sorted(([m["content"] for m in one] for one in inputs), key=str) == sorted(
        ([m.get("content") for m in case.messages] for case in CASES.values()), key=str
    )
    outputs = [v for k, v in sent["langsmith"].items() if k.endswith("outputs")]
    assert all(set(one) == {"expected", "checks"} for one in outputs)
    assert len(outputs) == len(CASES)


def test_the_suite_is_as_hostile_as_it_says():
    """Against a test that would pass because nothing hostile is in it."""
    texts = [m["content"] for case in CASES.values() for m in case.messages if m.get("content")]
    assert any("{{" in text for text in texts)
    assert any("#}" in text for text in texts)
    assert any(text.startswith("file://") for text in texts)
    assert set(nasty_texts(60)) <= set(texts)
