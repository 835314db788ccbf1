"""The redactor's own gate: what it finds and leaves alone on texts that people labelled."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

import pytest

from pipeline.redaction import FieldPolicy, PiiPolicy
from pipeline.redaction.detection.detectors import Detectors
from pipeline.redaction.notation.json_text import Leaf
from pipeline.redaction.quality.corpora import Label, LabelledText, read_corpus
from pipeline.redaction.quality.scoring import Miss, Scores, Thresholds, judge, score
from pipeline.redaction.spans import Span

HERE = Path(__file__).parent
EVERY = 5  # of 2,109 texts: all templates, in 422


def measure(texts: Sequence[LabelledText], policy: PiiPolicy) -> Scores:
    detectors = Detectors(policy, FieldPolicy())
    detectors.read_ahead(Leaf((), text.text) for text in texts)
    return score(texts, [detectors.find(text.text) for text in texts])


@pytest.fixture(scope="module")
def research(shared_data: Path) -> list[LabelledText]:
    """Every fifth text of presidio-research, in the order of their templates."""
    texts = read_corpus(shared_data / "presidio-research/generated_large.json")
    return sorted(texts, key=lambda text: (text.group, text.text))[::EVERY]


def test_our_own_corpus_is_masked_whole_and_nothing_else_is(policy: PiiPolicy) -> None:
    scores = measure(read_corpus(HERE / "corpus.jsonl"), policy)
    assert judge(scores, Thresholds.read(HERE / "corpus.thresholds.yaml")) == []


def test_recall_and_precision_on_presidio_research(
    research: list[LabelledText], policy: PiiPolicy
) -> None:
    scores = measure(research, policy)
    assert scores.failed == 0
    assert judge(scores, Thresholds.read(HERE / "thresholds.yaml")) == []


def test_every_place_is_masked_where_the_policy_says_so(
    research: list[LabelledText], policy: PiiPolicy
) -> None:
    placed = [text for text in research if any(a.entity == "LOCATION" for a in text.labels)]
    everywhere = PiiPolicy.model_validate(policy.model_dump() | {"places": "all"})
    scores = measure(placed, everywhere)
    wanted = Thresholds(recall={"LOCATION": 0.9}, precision=0.9)
    assert judge(scores, wanted) == []


def test_questions_without_personal_data_stay(shared_data: Path, policy: PiiPolicy) -> None:
    with (shared_data / "banking77/test.csv").open(encoding="utf-8") as file:
        texts = [LabelledText(row["text"], ()) for row in csv.DictReader(file)][:: 2 * EVERY]
    scores = measure(texts, policy)
    assert judge(scores, Thresholds(masked_without_labels=0.002)) == []


def test_the_gate_closes_when_a_detector_is_lost(policy: PiiPolicy) -> None:
    blind = {"PHONE_NUMBER": policy.rule("PHONE_NUMBER").model_copy(update={"enabled": False})}
    weaker = policy.model_copy(update={"entities": dict(policy.entities) | blind})
    scores = measure(read_corpus(HERE / "corpus.jsonl"), weaker)
    (miss,) = judge(scores, Thresholds.read(HERE / "corpus.thresholds.yaml"))
    assert miss == Miss("recall of PHONE_NUMBER", 0.0, 1.0)


def test_the_scores_of_three_texts_are_those_counted_by_hand() -> None:
    texts = [
        LabelledText("I am Ada Byron", (Label(5, 14, "PERSON"),)),
        LabelledText("Ada, 12 Mill Lane", (Label(0, 3, "PERSON"), Label(5, 17, "ADDRESS"))),
        LabelledText("nothing at all", ()),
    ]
    found: list[list[Span]] = [
        [Span(5, 8, "PERSON")],  # 3 of 9 characters: not found, though the span is right
        [Span(0, 3, "USER_ID"), Span(5, 12, "ADDRESS")],  # under another name; 7 of 12
        [Span(0, 7, "PERSON")],  # half of 14 characters without labels
    ]
    scores = score(texts, found)
    person, address = scores.entities
    assert (person.entity, person.recall.value, person.named.value) == ("PERSON", 0.5, 0.0)
    assert (address.recall.value, address.strict.value, address.named.value) == (1.0, 0.0, 1.0)
    assert scores.precision.value == 3 / 4
    assert scores.precision_chars == 13 / 20
    assert scores.masked_without_labels == 0.5


def test_a_threshold_that_nothing_speaks_to_is_a_miss_without_a_measure() -> None:
    scores = score([LabelledText("Ada", (Label(0, 3, "PERSON"),))], [[Span(0, 3, "PERSON")]])
    wanted = Thresholds(recall={"PERSON": 1, "PASSPORT": 0.9}, masked_without_labels=0.01)
    assert judge(scores, wanted) == [
        Miss("recall of PASSPORT", None, 0.9),
        Miss("characters masked without labels", None, 0.01),
    ]
