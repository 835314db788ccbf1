"""Damaged and hostile OTLP: each ends in a reason code, and its neighbours land."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.ingest.jsontext import JsonText
from pipeline.ingest.readers import choose_reader
from pipeline.ingest.readers.otlp_fast import decode
from pipeline.ingest.readers.otlp_lenient import read_value
from pipeline.ingest.readers.otlp_text import parse_leniently
from pipeline.ingest.records import Malformed, Span
from pipeline.ingest.source import Source, Unreadable
from tests.pipeline.ingest.readers.otlp_inputs import (
    SPAN,
    TRACE,
    envelope,
    holding,
    lines,
    read,
    reasons,
    spans,
)
from tests.pipeline.ingest.readers.test_otlp_bare import SHAPES
from tests.pipeline.ingest.readers.test_otlp_protobuf import delimited, fixed, message
from tests.pipeline.ingest.spans import attribute, span

GOOD = lines(envelope(span(1, 1))).encode()
LAST = lines(envelope(span(2, 2))).encode()


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b'{"resourceSpans": [', "bad_json"),
        (b'{"resourceSpans": 7}', "not_otlp"),
        (b"[[[[[[[[[[[[1]]]]]]]]]]]]", "not_otlp"),
        (b'{"a": NaN}', "bad_json"),
        (b'{"a": "\\ud800"}', "bad_json"),
        (b"\x00\x01\x02", "bad_json"),
        (b"[" * 5000 + b"]" * 5000, "too_deep"),
        (b'{"resourceSpans": ' + b"[" * 5000 + b"]" * 5000 + b"}", "too_deep"),
        (GOOD.strip() + b" " + GOOD.strip(), "bad_json"),
        (b"prose", "bad_json"),
        (b"null", "not_otlp"),
    ],
)
def test_a_bad_line_leaves_its_neighbours_alone(tmp_path: Path, line: bytes, reason: str) -> None:
    found = read(tmp_path, GOOD + line + b"\n" + LAST)
    assert len(spans(found)) == 2
    (bad,) = (record for record in found if isinstance(record, Malformed))
    assert (bad.reason, bad.offset) == (reason, len(GOOD))
    assert bad.payload, "the line itself is kept"


def test_a_torn_last_line_is_named_so(tmp_path: Path) -> None:
    found = read(tmp_path, GOOD + LAST[:-40])
    assert (len(spans(found)), reasons(found)) == (1, ["torn_line"])
    found = read(tmp_path, GOOD[:-40], name="otlp_json")
    assert reasons(found) == ["torn_line"]


def test_a_file_that_begins_within_a_line_is_known_by_its_next_one(tmp_path: Path) -> None:
    found = read(tmp_path, GOOD[30:] + GOOD + LAST, name="otlp_json")
    assert (len(spans(found)), reasons(found)) == (2, ["bad_json"])


def test_damaged_text_is_replaced_and_flagged_in_its_own_span_alone(tmp_path: Path) -> None:
    two = envelope(span(1, 1, note="caf\u00e9"), span(2, 2, note="tea"))
    line = json.dumps(two, ensure_ascii=False).encode()
    half = lines(two).replace("\\u00e9", "\\ud83d")  # JavaScript cuts text within a pair
    array = f"[{half.strip()}]"
    for content in (line.replace("\u00e9".encode(), b"\xe9"), half.encode(), array.encode()):
        first, second = spans(read(tmp_path, content))
        assert (first.attributes["note"], first.flags) == ("caf\ufffd", {"invalid_utf8"})
        assert (second.attributes["note"], second.flags) == ("tea", frozenset())
        orjson.dumps(dict(first.attributes))


@pytest.mark.parametrize("depth", [100, 1000])
def test_a_deep_value_is_read_or_makes_its_span_malformed(tmp_path: Path, depth: int) -> None:
    value: dict[str, Any] = {"intValue": "1"}
    for _ in range(depth):
        value = {"arrayValue": {"values": [value]}}
    text = "".join(lines(envelope(span(1, 1))))
    deep = holding({"stringValue": "HERE"})
    raw = json.dumps(deep).replace('{"stringValue": "HERE"}', "@")
    nest = '{"arrayValue":{"values":[' * depth + '{"intValue":"1"}' + "]}}" * depth
    found = read(tmp_path, text + raw.replace("@", nest) + "\n" + text)
    if depth == 100:
        assert len(spans(found)) == 3
        orjson.dumps(dict(spans(found)[1].attributes))
    else:  # 1,000 arrays are 3,000 levels of JSON
        assert (len(spans(found)), reasons(found)) == (2, ["too_deep"])


def test_a_value_deeper_than_is_kept_takes_only_its_own_span(tmp_path: Path) -> None:
    nest = '{"arrayValue":{"values":[' * 300 + '{"intValue":"1"}' + "]}}" * 300
    raw = json.dumps(envelope(span(1, 1, x="HERE"), span(2, 2)))
    found = read(tmp_path, raw.replace('{"stringValue": "HERE"}', nest))
    assert (len(spans(found)), reasons(found)) == (1, ["too_deep"])
    flat = SHAPES["flat"]
    deep = json.dumps(flat).replace('"v"', '{"a":' * 900 + "1" + "}" * 900)
    found = read(tmp_path, lines(flat) + deep)
    assert (len(spans(found)), reasons(found)) == (1, ["too_deep"])


def test_of_duplicate_keys_the_last_counts_on_every_road(tmp_path: Path) -> None:
    pairs = [attribute("k", 1), attribute("k", 2)]
    raw = json.dumps(envelope(span(1, 1) | {"attributes": pairs}))
    raw = raw.replace('"name": "span"', '"name": "first", "name": "last"')
    fast, slow = decode(raw.encode()), list(read_value(JsonText(orjson.loads(raw), 0, 0), None))
    assert fast == slow
    (found,) = spans(read(tmp_path, raw))
    assert (found.name, found.attributes) == ("last", {"k": 2})


def test_a_message_of_ten_megabytes_lands_and_a_line_above_the_cap_does_not(
    tmp_path: Path,
) -> None:
    large = lines(envelope(span(3, 3, text="x" * 10 * 2**20))).encode()
    (first, second, _) = spans(read(tmp_path, GOOD + large + LAST))
    assert len(second.attributes["text"]) == 10 * 2**20
    found = read(tmp_path, GOOD + large + LAST, largest=2**20)
    assert [s.trace_id for s in spans(found)] == [first.trace_id, f"{2:032x}"]
    (bad,) = (record for record in found if isinstance(record, Malformed))
    assert (bad.reason, bad.offset, bad.length) == ("too_large", len(GOOD), len(large))
    pretty = json.dumps(envelope(span(3, 3, text="x" * 2**21)), indent=1).encode()
    found = read(tmp_path, pretty + b"\n" + json.dumps(SHAPES["flat"], indent=1).encode(),
                 largest=2**20)  # fmt: skip
    assert (len(spans(found)), reasons(found)) == (1, ["too_large"])


def test_a_share_of_a_file_is_read_with_the_offsets_of_the_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(GOOD + b"{\n" + LAST)
    reader = choose_reader(Source(path))
    assert reader is not None
    found = list(reader.read(Source(path, start=len(GOOD), stop=len(GOOD) + 2 + len(LAST))))
    assert [s.trace_id for s in spans(found)] == [f"{2:032x}"]
    assert [r.offset for r in found if isinstance(r, Malformed)] == [len(GOOD)]


VALUES = st.recursive(
    st.one_of(
        st.builds(lambda v: {"stringValue": v}, st.text(max_size=5)),
        st.builds(lambda v: {"intValue": v}, st.integers(-(2**65), 2**65) | st.just("null")),
        st.builds(lambda v: {"intValue": str(v)}, st.integers(-(2**63), 2**63 - 1)),
        st.builds(lambda v: {"doubleValue": v}, st.floats(allow_nan=False, allow_infinity=False)),
        st.builds(lambda v: {"boolValue": v}, st.sampled_from([True, False, "true", "0", 1])),
        st.sampled_from(
            [
                {},
                {"stringValue": None},
                {"intValue": 1.0},
                {"doubleValue": "NaN"},
                {"stringValue": None, "intValue": 3},
                {"bytesValue": "AA=="},
            ]
        ),
    ),
    lambda inner: (
        st.builds(lambda items: {"arrayValue": {"values": items}}, st.lists(inner, max_size=3))
        | st.builds(
            lambda items: {"kvlistValue": {"values": [{"key": "k", "value": v} for v in items]}},
            st.lists(inner, max_size=2),
        )
    ),
    max_leaves=6,
)
PLAIN = st.fixed_dictionaries(
    {
        "traceId": st.just(TRACE),
        "spanId": st.sampled_from([SPAN, "b" * 16]),
        "startTimeUnixNano": st.integers(1_740_000_000 * 10**9, 1_760_000_000 * 10**9).map(str),
        "endTimeUnixNano": st.integers(1_760_000_000 * 10**9, 1_800_000_000 * 10**9),
    },
    optional={
        "name": st.text(max_size=5),
        "parentSpanId": st.sampled_from(["", SPAN]),
        "attributes": st.lists(
            st.builds(lambda k, v: {"key": k, "value": v}, st.sampled_from("abc"), VALUES),
            max_size=3,
        ),
        "status": st.sampled_from(
            [{}, {"code": 2}, {"code": "STATUS_CODE_ERROR"}, {"message": "m"}, {"code": "null"}]
        ),
        "events": st.just([{"name": "e", "attributes": []}]) | st.none(),
        "links": st.just([]) | st.just([{"traceId": TRACE, "spanId": SPAN}]),
    },
)
ODD = st.sampled_from(
    [{}] * 12
    + [
        {"traceId": "A" * 32},
        {"traceId": "0" * 32},
        {"spanId": "x"},
        {"parentSpanId": "0" * 16},
        {"parentSpanId": None},
        {"startTimeUnixNano": "0"},
        {"startTimeUnixNano": 1.76e18},
        {"startTimeUnixNano": 1_760_000_000_000},
        {"endTimeUnixNano": 5},
    ]
)
RAW = st.builds(lambda plain, odd: plain | odd, PLAIN, ODD)


@given(st.lists(RAW, max_size=3))
def test_the_fast_road_and_the_lenient_one_agree_wherever_the_fast_one_goes(
    raw: list[dict[str, Any]],
) -> None:
    line = json.dumps(envelope(*raw)).encode()
    fast, parsed = decode(line), parse_leniently(line, 0)
    if fast is not None and isinstance(parsed, JsonText):
        assert fast == list(read_value(parsed, None))


def fixtures() -> dict[str, bytes]:
    """One of every kind of file, small."""
    events = {"events": [{"name": "e", "attributes": [attribute("k", 1.5)]}], "links": [
        {"traceId": TRACE, "spanId": SPAN}]}  # fmt: skip
    request = envelope(span(1, 1, a="b", n=5, annotations__0__annotation__name="x",
                            annotations__0__annotation__score=1.0) | events)  # fmt: skip
    log = {"resourceLogs": [{"scopeLogs": [{"logRecords": [
        {"traceId": TRACE, "timeUnixNano": "1793620800000000000", "eventName": "gen_ai.choice",
         "body": {"kvlistValue": {"values": [attribute("k", True)]}}}]}]}]}  # fmt: skip
    return {
        "lines": lines(request, log, envelope(span(2, 2))).encode(),
        "pretty": (json.dumps(request, indent=1) + "\n" + json.dumps(log, indent=1)).encode(),
        "array": json.dumps([request, log]).encode(),
        "bare": lines(*SHAPES.values()).encode(),
        "one": message(1, 2),
        "fixed": fixed(message(1), message(2, 3)),
        "delimited": delimited(message(1), message(2, 3)),
    }


@pytest.mark.parametrize("kind", sorted(fixtures()))
def test_mutated_bytes_raise_nothing_but_unreadable(tmp_path: Path, kind: str) -> None:
    chance, original = random.Random(kind), fixtures()[kind]
    path = tmp_path / "mutated"
    source = Source(path, largest_record=2**16)
    path.write_bytes(original)
    reader = choose_reader(source)
    assert reader is not None
    for _ in range(300):
        data = bytearray(original)
        for _ in range(chance.randint(1, 4)):
            at = chance.randrange(len(data))
            match chance.randrange(4):
                case 0:
                    data[at] = chance.randrange(256)
                case 1:
                    del data[at : at + chance.randint(1, 30)]
                case 2:
                    data[at:at] = chance.choice(
                        [b'"', b"{", b"[", b"null", b"\0", b"9" * 30, b"\n"]
                    )
                case _:
                    data[at:at] = data[at : at + chance.randint(1, 60)]
            data = data or bytearray(b"{")
        path.write_bytes(bytes(data))
        choose_reader(source)
        try:
            for record in reader.read(source):
                if isinstance(record, Span):
                    orjson.dumps([dict(record.attributes), dict(record.resource), record.name])
                elif isinstance(record, Malformed):
                    assert len(record.payload) <= 65536
        except Unreadable:
            pass
