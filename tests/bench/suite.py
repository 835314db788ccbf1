"""How long 100,000 candidates take to be told apart, and a suite of 2,000 cases to be handled.

The candidates are made of banking77's questions where it is there, else of drawn words: a third
are questions of their own, the others repeat one to the word or with a small edit. Wall clock and
processor time, on two cores that others may use too; the load is printed beside it.
"""

from __future__ import annotations

import csv
import os
import random
import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from typing import Any

import orjson
import polars as pl

from pipeline.embedding import word_embedder
from pipeline.promotion.twins import fingerprint, group_twins
from pipeline.registry import Registry, Settings
from pipeline.review.annotations import ANNOTATIONS
from pipeline.suite import assemble_suite, parse_suite, render_suite
from pipeline.suite.checking import Loaded, check_cases, repeated_cases
from pipeline.suite.differences import compare_cases
from pipeline.suite.edits import stamp
from pipeline.suite.leaks import find_leaks
from pipeline.suite.likeness import Likeness
from pipeline.tables import PROMOTED_CASES
from tests.shared_corpora import SHARED

__all__ = ["compare_suite"]

_CANDIDATES, _CASES = 100_000, 2_000
_BANKING = SHARED / "banking77" / "train.csv"
_MONDAY = date(2026, 6, 1)


def compare_suite(candidates: int = _CANDIDATES, cases: int = _CASES) -> None:
    """Print the times."""
    draw = random.Random(11)
    load = os.getloadavg()[0]
    print(f"\n== the suite: {candidates:,} candidates, {cases:,} cases; load {load:.1f} ==")
    asked = _questions(candidates, draw)
    with _timed("fingerprints of all of them"):
        prints = [fingerprint([text]) for text in asked]
    with _timed("twins among all of them"):
        leaders = group_twins(prints, 0.8)
    print(f"{'':34}{len(set(leaders)):,} are told apart by MinHash")
    rows = _candidates(asked, prints, draw)
    settings = Settings.model_validate({"promotion": {"cases_per_lesson": 50}})
    registry = Registry(settings, (), (), (), (), {})
    nobody = pl.DataFrame(schema=ANNOTATIONS)
    with _timed("the whole suite from them"):
        made = assemble_suite(rows, nobody, None, None, registry)
    print(f"{'':34}{made.frame.height:,} cases, {made.counts.duplicates:,} in their histories")
    with _timed("again, over the file"):
        again = assemble_suite(rows, nobody, None, made.text, registry)
    assert again.text == made.text
    _handle([_case(n, text) for n, text in enumerate(_questions(cases, draw))], registry)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"{'memory, at most':34}{peak:8.2f} GB")


def _handle(cases: list[dict[str, Any]], registry: Registry) -> None:
    """A suite of that many cases: written, read, compared and checked."""
    with _timed("writing the file"):
        text = render_suite(cases)
    print(f"{'':34}{len(text) / 2**20:.1f} MB")
    with _timed("reading it"):
        read = parse_suite(text)
    changed = {n: c | {"stakes": "high"} if n.endswith("7") else c for n, c in read.items()}
    with _timed("comparing it with another"):
        compare_cases(read, changed)
    with _timed("checking its cases"):
        check_cases(Loaded(read, {}, ""))
    limits = registry.settings.promotion
    with _timed("looking for leaks"):
        find_leaks(read, {}, {}, (), Likeness(word_embedder(), 0.92), limits)
    with _timed("looking for repetitions"):
        repeated_cases(read, 0.92)


def _questions(count: int, draw: random.Random) -> list[str]:
    if _BANKING.exists():
        with _BANKING.open(encoding="utf-8") as lines:
            own = [row["text"] for row in csv.DictReader(lines)]
    else:
        words = [f"{a}{b}{c}" for a in "bdfgklmn" for b in "aeiou" for c in "lrst"]
        own = [" ".join(draw.choices(words, k=14)) for _ in range(10_000)]
    texts: list[str] = []
    while len(texts) < count:
        if len(texts) < 10 or draw.random() < 0.34:
            texts.append(f"{draw.choice(own)} {draw.choice(own)}")
        else:
            one = draw.choice(texts)
            texts.append(one if draw.random() < 0.5 else f"Hello, {one}")
    return texts


def _candidates(asked: list[str], prints: list[Any], draw: random.Random) -> pl.DataFrame:
    days = [_MONDAY + timedelta(days=n) for n in range(100)]
    rows = []
    for number, (text, own) in enumerate(zip(asked, prints, strict=True)):
        lesson = draw.randrange(40)
        case = _case(number, text) | {"mode": {"id": f"m{lesson}", "name": f"Mode {lesson}"}}
        rows.append(
            dict.fromkeys(PROMOTED_CASES.columns)
            | {
                "case_id": case["id"], "trace_id": f"t{number}", "check": f"check_{lesson % 20}",
                "layer": "rule", "failure_mode_id": f"m{lesson}", "decision": "promoted",
                "risk_bearing": 0.6, "operationally_costly": 0.5, "missed_offline": 0.5,
                "observable": 1.0, "teachable": 1.0, "intent": f"intent_{lesson}",
                "duplicate_group": f"g{number}", "session": f"s{number}", "blocked_by": [],
                "fingerprint": own.tolist(), "case": orjson.dumps(case).decode(),
                "day": draw.choice(days),
            }
        )  # fmt: skip
    return pl.DataFrame(rows, schema={**PROMOTED_CASES.schema, "day": pl.Date})


def _case(number: int, text: str) -> dict[str, Any]:
    result = orjson.dumps({"order": number, "lines": [{"sku": f"A-{n}"} for n in range(12)]})
    return stamp(
        {
            "id": f"case-{number:012x}", "title": "Wrong tool (order_status)", "status": "active",
            "mode": {"id": "m", "name": "Wrong tool"}, "check": "right_tool",
            "intent": f"intent_{number % 40}", "stakes": "low", "severity": "medium",
            "category": "happy_path", "split": ("regression", "example", "holdout")[number % 3],
            "input": {"messages": [
                {"role": "user", "content": text},
                {"role": "assistant", "content": "Could you tell me which order that is about?"},
                {"role": "user", "content": f"It is about the order P-{number}, from last week"},
            ]},
            "expected": "The agent calls get_order.",
            "checks": [{"kind": "tool_called", "any_of": ["get_order"]}],
            "tools": {"sequence": ["get_order"], "documents": [], "fixtures": [
                {"name": "get_order", "arguments": "{}", "result": result.decode(), "status": "ok"}
            ]},
            "recorded": {"answer": "Your order is on its way.", "calls": ["track"]},
            "provenance": {"trace_id": f"t{number}", "day": "2026-06-01", "twin_of": None,
                           "at": datetime(2026, 6, 1, tzinfo=UTC).isoformat()},
        }
    )  # fmt: skip


@contextmanager
def _timed(what: str) -> Iterator[None]:
    wall, spent = time.perf_counter(), time.process_time()
    yield
    wall, spent = time.perf_counter() - wall, time.process_time() - spent
    print(f"{what:34}{wall:8.1f} s on the wall, {spent:6.1f} s of processor time", flush=True)


if __name__ == "__main__":
    compare_suite()
