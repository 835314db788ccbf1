"""`caselaw redact --eval`: the table, the gate, and files that are no corpus."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from pipeline.cli.main import cli

SECRET = "Ottoline Fairbrass"
LABEL = {
    "entity_type": "PERSON",
    "entity_value": SECRET,
    "start_position": 12,
    "end_position": 30,
}
RECORD = {"full_text": f"Hi, this is {SECRET}.", "spans": [LABEL]}


def run(*words: object) -> tuple[int, str]:
    result = CliRunner().invoke(cli, ["redact", *map(str, words)])
    assert SECRET not in result.output
    return result.exit_code, result.output


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    path = tmp_path / "corpus.json"
    path.write_text(json.dumps([RECORD, {"text": "Returns are free within 30 days."}]))
    return path


def test_the_table_states_recall_with_its_interval(corpus: Path) -> None:
    code, output = run("--eval", corpus)
    assert code == 0
    assert "PERSON" in output
    assert "0.207 to 1.000" in output  # Wilson, 1 of 1
    assert "masked where nothing is labelled: 0.0000 of 32 characters" in output


def test_json_is_one_object(corpus: Path) -> None:
    code, output = run("--eval", corpus, "--json")
    value = json.loads(output[output.index("{") :])
    assert code == 0
    assert value["entities"][0]["recall"]["value"] == 1.0
    assert value["missed"] == []


@pytest.mark.parametrize(
    ("thresholds", "code", "said"),
    [
        ("recall: {PERSON: 0.9}", 0, "PERSON"),
        ("recall: {PERSON: 0.9}\nprecision: 0.9", 0, "precision"),
        ("recall: {PASSPORT: 0.9}", 4, "MISSED recall of PASSPORT: nothing to measure"),
        ("recall: {PERSON: 1.5}", 2, "recall.PERSON"),
        ("recal: {PERSON: 0.5}", 2, "recal"),
        ("recall: {NAME: 0.5}", 4, "Thresholds go by the labels of the corpus: PERSON"),
        ("", 2, "asks for nothing; it may state recall, precision"),
    ],
)
def test_thresholds_decide_the_exit_code(
    corpus: Path, thresholds: str, code: int, said: str
) -> None:
    wanted = corpus.with_name("wanted.yaml")
    wanted.write_text(thresholds)
    measured, output = run("--eval", corpus, "--thresholds", wanted)
    assert (measured, said in output) == (code, True)


def test_a_miss_is_named_with_what_was_measured(tmp_path: Path) -> None:
    path = tmp_path / "corpus.jsonl"
    path.write_text(json.dumps({"text": "the blue kettle", "spans": [[4, 15, "GADGET"]]}))
    wanted = tmp_path / "wanted.yaml"
    wanted.write_text("recall: {GADGET: 0.5}")
    code, output = run("--eval", path, "--thresholds", wanted)
    assert code == 1
    assert "MISSED recall of GADGET: 0.0000, wanted 0.5" in output


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("a.json", "{", "is no JSON (JSON lines are told by the ending .jsonl)"),
        ("a.json", "{}", "is no list of records"),
        ("a.json", "[]", "holds no record"),
        ("a.jsonl", f'{{"text": "x"}}\n{{"text": "{SECRET}', "line 2 is no JSON"),
        ("a.jsonl", '{"text": "J\udcfcrgen"}', "line 1 is not UTF-8"),
        ("a.jsonl", '{"words": "x"}', "line 1: no text under full_text or text"),
        ("a.json", f'[{{"text": "{SECRET}", "spans": 3}}]', "record 1: the labels are no list"),
        (
            "a.json",
            f'[{{"text": "{SECRET}", "spans": [[0, 99, "PERSON"]]}}]',
            "record 1, label 1: start and end are no characters of a text of 18",
        ),
        (
            "a.json",
            json.dumps([RECORD | {"full_text": f"Hello, this is {SECRET}."}]),
            "record 1, label 1: entity_value is not what stands at its positions",
        ),
    ],
)
def test_what_is_no_corpus_is_named_by_record_without_its_text(
    tmp_path: Path, name: str, text: str, said: str
) -> None:
    path = tmp_path / name
    path.write_text(text, errors="surrogateescape")
    code, output = run("--eval", path)
    assert (code, said in output) == (2, True)


def test_a_missing_corpus_is_said_so(tmp_path: Path) -> None:
    code, output = run("--eval", tmp_path / "none.json")
    assert code == 2
    assert "No such file" in output
