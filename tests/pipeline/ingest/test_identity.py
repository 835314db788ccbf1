"""Ids and labels travel everywhere, so personal data never rides on them."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from pipeline.datadir import DataDir
from pipeline.ingest import Assembly
from pipeline.ingest.safety import safe_id, safe_label
from tests.pipeline.ingest.spans import drop

KEY = b"k" * 32


@pytest.mark.parametrize("plain", ["0123456789abcdef" * 2, "123e4567-e89b-12d3-a456-426614174000"])
def test_a_plain_id_stays(plain: str) -> None:
    assert safe_id(plain, KEY) == plain


@pytest.mark.parametrize("telling", ["ana.perez@example.org", "+44 7911 123456", "Ana Perez",
                                     "4539148803436178", "sess-4539148803436178",
                                     "4539-1488-0343-6178", "0170-1234567", "555.123.4567",
                                     "123-45-6789", "1-555-123-4567", "٠١٧٠"])  # fmt: skip
def test_an_id_that_may_tell_something_is_digested_under_the_key(telling: str) -> None:
    safe = safe_id(telling, KEY)
    assert safe is not None
    assert safe != telling
    assert safe != safe_id(telling, b"other" * 8)
    assert safe_label(telling, KEY) != telling


@pytest.mark.parametrize("name", ["2.3.4", "v1.2", "parcelry-support", "gpt-4o-2024-08-06",
                                  "get_order", "2026-09", "support-44", "HC-101", "stop",
                                  "a1b2c3d", "call_725c6f80b81c41e3", "2026-11-02",
                                  "10.0.19041.1237", "1.2.3-1699999999", "2026-11-02-3",
                                  "2026.11.02.1", "1234567e"])  # fmt: skip
def test_a_label_of_developers_stays(name: str) -> None:
    assert safe_label(name, KEY) == name


def test_a_label_of_many_letters_is_told_at_one_look() -> None:
    """An error text may begin with a long word; a search for ways to cut it would never end."""
    assert safe_label(f"{'Database' * 7} failed", KEY).startswith("label-")


def test_nothing_planted_in_ids_and_labels_reaches_the_table(
    place: DataDir, ingest: Callable[..., Assembly]
) -> None:
    planted = "ana.perez@example.org"
    call = {"id": planted, "function": {"name": planted, "arguments": "{}"}}
    messages = [
        {"role": planted, "content": "Hi", "name": planted},
        {"role": "assistant", "content": None, "tool_calls": [call], "finish_reason": planted},
        {"role": "tool", "tool_call_id": planted, "content": "ok"},
    ]
    record = {"id": planted, "session_id": planted, "user_id": planted, "model": planted,
              "messages": messages, "feedback": {planted: planted}}  # fmt: skip
    lines = [json.dumps(record), json.dumps({"messages": [{"role": "user", "content": "Hi"}]})]
    drop(place, "day=2026-11-02/c.jsonl", *lines)
    traces = ingest().traces
    assert traces.height == 2
    assert planted not in str(traces.drop("attributes").to_dicts())
