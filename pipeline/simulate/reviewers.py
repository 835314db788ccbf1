"""Verdicts of simulated reviewers: drawn from the truth, with noise and disagreement."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final, Literal

import orjson

from .conversations import Conversation
from .draws import digest, rng_for
from .plan import AXES, AXIS_NOISE, REVIEW_SHARE, SECOND_REVIEW_SHARE

Mark = Literal["pass", "fail"]
#: What reviewers call a planted failure, in their own words.
_NAMES: Final[dict[str, tuple[str, ...]]] = {
    "unplanned_intent": ("no answer on customs", "customs question nobody covers"),
    "late_drift": ("forgets the early request", "changes behaviour late in the chat"),
    "empty_result_as_fact": ("denies that the order exists", "empty look-up taken as proof"),
    "retrieval_miss_invented": ("made-up facts", "answer not in any article"),
    "prompt_injection": ("follows planted instructions", "tricked by injected text"),
    "timeout_no_tool_answer": ("guesses after a timeout", "answers although the tool failed"),
    "wrong_tool": ("did something else than asked", "used the wrong tool"),
    "missing_citation": ("no source given", "article not named"),
    "malformed_json": ("broken JSON", "partner answer not to contract"),
    "wrong_language": ("answers in another language", "wrong language"),
    "refund_above_limit": ("refunds too much", "refund over the limit"),
    "reasked_question": ("asks again for what it has", "repeats its question"),
    "loop": ("same look-up over and over", "stuck in a loop"),
    "half_answer": ("second question ignored", "only half answered"),
    "cold_tone": ("no empathy", "cold reply"),
    "unhelpful_correct": ("true but useless", "does not help the customer"),
    "oddity": ("strange reply", "one-off glitch"),
}
_GOOD_NOTES: Final = ("Fine.", "Solved, nothing to add.", "", "", "Clear and correct.")


@dataclass(frozen=True, slots=True)
class Annotation:
    """One reviewer's verdict on one conversation."""

    annotation_id: str
    trace_id: str
    verdict: Literal["good", "bad", "partial"]
    axes: dict[str, Mark]
    failure_mode: str | None
    note: str
    corrected_output: str | None
    annotator_id: str
    annotated_at: str
    blind: bool
    queue_reason: str
    inclusion_probability: float


def _verdict(failed: set[str]) -> Literal["good", "bad", "partial"]:
    if not failed:
        return "good"
    return "bad" if failed & {"helpfulness", "faithfulness"} else "partial"


def _judge(talk: Conversation, annotator: str, seed: int) -> Annotation:
    rng = rng_for(seed, "review", annotator, talk.trace_id)
    failed = set(talk.failed_axes)
    for axis in AXES:
        if rng.random() < AXIS_NOISE:
            failed ^= {axis}
    mode, note, corrected = None, rng.choice(_GOOD_NOTES), None
    if talk.lesson and failed & talk.failed_axes:
        mode = rng.choice(_NAMES[talk.failure_kinds[0]])
        note = f"{mode.capitalize()}."
        if rng.random() < 0.6:  # some say what would have been right, in words or as advice
            corrected = talk.lesson.correction or None
            note = f"{note} {talk.lesson.advice}".strip()
    elif failed:
        note = "Not quite right."
    day = talk.day + dt.timedelta(days=rng.randint(1, 2))
    at = dt.datetime.combine(day, dt.time(8), dt.UTC) + dt.timedelta(seconds=rng.randrange(32_000))
    draft = Annotation(
        annotation_id="",
        trace_id=talk.trace_id,
        verdict=_verdict(failed),
        axes={axis: "fail" if axis in failed else "pass" for axis in AXES},
        failure_mode=mode,
        note=note,
        corrected_output=corrected,
        annotator_id=annotator,
        annotated_at=at.isoformat().replace("+00:00", "Z"),
        blind=True,
        queue_reason="random",
        inclusion_probability=REVIEW_SHARE,
    )
    content = {k: v for k, v in asdict(draft).items() if k != "annotation_id"}
    name = digest(orjson.dumps(content, option=orjson.OPT_SORT_KEYS).decode(), size=12)
    return Annotation(**{**content, "annotation_id": name})


def review(talk: Conversation, seed: int) -> Iterator[Annotation]:
    """The verdicts on one conversation: none for most, two for some."""
    rng = rng_for(seed, "review", talk.trace_id)
    if rng.random() >= REVIEW_SHARE:
        return
    yield _judge(talk, "simulated", seed)
    if rng.random() < SECOND_REVIEW_SHARE:
        yield _judge(talk, "simulated-2", seed)


def write(folder: Path, annotation: Annotation) -> None:
    """Write one verdict as a file of its own under the day it was given."""
    day = folder / annotation.annotated_at[:10]
    day.mkdir(parents=True, exist_ok=True)
    body = orjson.dumps(annotation, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS)
    (day / f"{annotation.annotation_id}.json").write_bytes(body + b"\n")
