"""The same record gives the same bytes: alone or in a batch, in any order, in any shape."""

from __future__ import annotations

import json
import random
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.redaction import Redactor
from pipeline.redaction.detection.rampart import Rampart
from pipeline.redaction.detection.segments import segments

LINES = [
    "Hi, this is Oliver Whitfield, my order 84213377 is late.",
    "Thank you, Oliver. Could you confirm your address?",
    "12 Mill Lane, LS6 2QT Leeds",
    "no",
    "Please call Priya Okafor on +44 7700 900123 about the Terrafoot Hiking Boots.",
    "Der Empfänger heißt Friederike Kleinschmidt, Lindenallee 5, 50937 Köln.",
    *(f"line {n} of a log that names nobody, item {n * 37 % 101}" for n in range(40)),
]


def test_the_name_detector_finds_the_same_spans_alone_and_in_a_batch() -> None:
    batch = Rampart(threads=2)
    batch.read(LINES * 3)
    for line in LINES:
        alone = Rampart.__new__(Rampart)
        alone.__dict__.update(batch.__dict__ | {"_memo": {}, "_threads": 1})
        assert alone.spans(line) == batch.spans(line)


def test_records_do_not_depend_on_their_neighbours_or_order(redactor: Redactor) -> None:
    records = [{"messages": [{"role": "user", "content": line}]} for line in LINES]
    together = redactor.redact_many(records)
    shuffled = random.Random(7).sample(range(len(records)), len(records))
    redactor.detectors._memo.clear()
    redactor.detectors._rampart._memo.clear()
    again = {i: redactor.redact_many([records[i]])[0] for i in shuffled}
    assert [again[i] for i in range(len(records))] == together


def test_windows_cover_a_text_and_overlap() -> None:
    text = "word " * 500 + "\n" + "x.y" * 700
    covered = set()
    for offset, piece in segments(text):
        assert len(piece) <= 480
        assert text[offset : offset + len(piece)] == piece
        covered.update(range(offset, offset + len(piece)))
    assert {i for i, c in enumerate(text) if not c.isspace()} <= covered


SCALARS = st.none() | st.booleans() | st.integers() | st.floats(-1e9, 1e9) | st.text(max_size=20)
KEYS = st.sampled_from(["first_name", "zip", "text", "items", "email", "status", "id", "ANY"])
TREES = st.recursive(
    SCALARS, lambda t: st.lists(t, max_size=3) | st.dictionaries(KEYS, t, max_size=3), max_leaves=8
)


def shape(value: Any) -> Any:
    if isinstance(value, dict):
        return [(key, shape(item)) for key, item in value.items()]
    if isinstance(value, list):
        return [shape(item) for item in value]
    if isinstance(value, str) and value[:1] in ("{", "["):
        try:
            return ("json", shape(json.loads(value)))
        except ValueError:
            return "str"
    return type(value).__name__


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(tree=TREES)
def test_json_in_is_json_out_of_the_same_shape(redactor: Redactor, tree: Any) -> None:
    record = {"value": tree, "arguments": json.dumps(tree)}
    (redaction,) = redactor.redact_many([record])
    assert redaction.failure is None
    assert shape(redaction.value) == shape(record)


def test_roles_tool_names_and_call_ids_pass(redactor: Redactor) -> None:
    record = {
        "messages": [
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [
                    {
                        "id": "call_9Xy",
                        "name": "get_order",
                        "arguments": '{"order_id":"ORD-100482"}',
                    }
                ],
            },
            {"role": "tool", "tool_call_id": "call_9Xy", "name": "get_order", "content": "[]"},
        ]
    }
    (redaction,) = redactor.redact_many([record])
    assert redaction.value == record
    assert redaction.entity_counts == {}
