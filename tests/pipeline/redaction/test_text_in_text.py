"""Personal data in another notation is masked inside it, and written back as it was."""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.redaction import SURROGATE, Redactor
from pipeline.redaction.notation.encodings import find_encoded
from pipeline.redaction.notation.json_text import close_json, open_json
from pipeline.redaction.notation.literals import find_literals

SAID = "I am Oliver Whitfield, oliver.whitfield@example.com"
RECORD = {"first_name": "Qwibble", "email": "qwibble@example.com", "order_id": "ORD-100482"}


def base64_of(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def unbase64(text: str) -> str:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode()


def redact(redactor: Redactor, value: Any) -> Any:
    (redaction,) = redactor.redact_many([value])
    assert redaction.failure is None, redaction.detail
    return redaction.value


Notation = tuple[Callable[[str], str], Callable[[str], str]]
NOTATIONS: dict[str, Notation] = {
    "base64": (base64_of, unbase64),
    "url-safe base64": (lambda t: base64.urlsafe_b64encode(t.encode()).decode(), unbase64),
    "without padding": (lambda t: base64_of(t).rstrip("="), unbase64),
    "in lines": (
        lambda t: base64.encodebytes((t + " " * 60).encode()).decode().strip(),
        lambda t: unbase64(t.replace("\n", "")),
    ),
    "data URI": (
        lambda t: f"data:text/plain;base64,{base64_of(t)}",
        lambda t: unbase64(t.partition(",")[2]),
    ),
    "percent": (quote, unquote),
    "hexadecimal": (lambda t: t.encode().hex(), lambda t: bytes.fromhex(t).decode()),
    "a step of a URL": (
        lambda t: f"https://shop.example/u/{base64_of(t)}/edit",
        lambda t: unbase64(t.split("/")[4]),
    ),
    "a signed token": (lambda t: f"{base64_of(t)}.YxQ9Zw.m4c", lambda t: unbase64(t.split(".")[0])),
    "entities": (lambda t: t.replace("@", "&#64;").replace(" ", "&nbsp;"), html.unescape),
    "JSON in base64": (
        lambda t: base64_of(json.dumps({"text": t})),
        lambda t: str(json.loads(unbase64(t))["text"]),
    ),
    "base64 in JSON": (
        lambda t: json.dumps({"blob": base64_of(t)}),
        lambda t: unbase64(json.loads(t)["blob"]),
    ),
    "percent in base64": (lambda t: base64_of(quote(t)), lambda t: unquote(unbase64(t))),
}


@pytest.mark.parametrize("name", NOTATIONS)
@pytest.mark.parametrize("around", ["{}", "the blob: {} .", "first\n{}\nlast"])
def test_a_notation_is_read_and_kept(redactor: Redactor, name: str, around: str) -> None:
    write, read = NOTATIONS[name]
    before, after = around.split("{}")
    masked = redact(redactor, around.format(write(SAID)) if "{" not in write(SAID) else
                    before + write(SAID) + after)  # fmt: skip
    assert masked.startswith(before)
    assert masked.endswith(after)
    said = read(masked[len(before) : len(masked) - len(after)])
    assert said.startswith("I")
    assert len(SURROGATE.findall(said)) == 3  # two names, one address
    assert "hitfield" not in said


@pytest.mark.parametrize(
    ("write", "read"),
    [
        (json.dumps, json.loads),
        (lambda v: json.dumps(v, indent=2), json.loads),
        (repr, lambda t: json.loads(t.replace("'", '"'))),
        (lambda v: json.dumps(json.dumps(v)), lambda t: json.loads(json.loads(t))),
    ],
    ids=["JSON", "indented", "repr", "JSON in a JSON string"],
)
def test_an_object_inside_prose_is_masked_by_its_keys(
    redactor: Redactor, write: Callable[[Any], str], read: Callable[[str], Any]
) -> None:
    before, after = "Tool said: ", " and Qwibble agrees (see [HC-101])."
    masked = redact(redactor, before + write(RECORD) + after)
    assert masked.startswith(before)
    assert masked.endswith(" agrees (see [HC-101]).")
    assert "wibble" not in masked
    inner = read(masked[len(before) : masked.rindex(" and ")])
    assert inner.keys() == RECORD.keys()
    assert inner["order_id"] == "ORD-100482"
    assert inner["first_name"] in masked[masked.rindex(" and ") :]
    if write is not repr:  # written as it was: separators, line breaks, escapes
        assert write(inner) == masked[len(before) : masked.rindex(" and ")]


def test_json_lines_in_a_string_stay_json_lines(redactor: Redactor) -> None:
    lines = [RECORD, {"note": "nothing"}, {"email": "zora@example.com"}]
    masked = redact(redactor, "\n".join(map(json.dumps, lines)))
    read = [json.loads(line) for line in masked.splitlines()]
    assert [list(line) for line in read] == [list(line) for line in lines]
    assert read[1] == lines[1]
    assert "example.com" not in masked


def test_a_query_string_is_masked_by_its_names(redactor: Redactor) -> None:
    url = (
        "GET https://shop.example/find?first_name=Qwibble&zip=78750&email=q%40example.com&page=2"
        "&note=call+Oliver+Whitfield#top"
    )
    masked = redact(redactor, {"url": url, "text": "Qwibble called"})
    query = parse_qs(urlsplit(masked["url"].removeprefix("GET ")).query)
    assert query["first_name"][0].startswith("PERSON_")
    assert masked["text"] == f"{query['first_name'][0]} called"
    assert query["zip"][0].startswith("ZIP_CODE_")
    assert query["email"][0].startswith("EMAIL_ADDRESS_")
    assert query["page"] == ["2"]
    assert "Whitfield" not in query["note"][0]
    assert masked["url"].startswith("GET https://shop.example/find?")
    assert masked["url"].endswith("#top")


def test_a_form_body_is_masked_by_its_names(redactor: Redactor) -> None:
    masked = redact(redactor, "last_name=Zzyx&amount=12&user_id=u-99812-x")
    assert masked.startswith("last_name=PERSON_")
    assert "&amount=12&user_id=USER_ID_" in masked


IMAGE = base64.b64encode(bytes((i * 97 + i // 3) % 256 for i in range(900))).decode()


@pytest.mark.parametrize(
    "text",
    [
        "commit 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b",
        "sha256 e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "tracking 1Z999AA10123456784, JD014600006281230704 and PX123456789GB",
        "trace 0af7651916cd43dd8448eb211c80319c span b7ad6b7169203331",
        "id 550e8400-e29b-41d4-a716-446655440000",
        f"data:image/png;base64,{IMAGE}",
        "cursor eyJvZmZzZXQiOjUwLCJzb3J0IjoicHJpY2UifQ==",
        "q=%E4%BD%A0%E5%A5%BD and 100%25 off &amp; more &copy; 2026",
        "https://shop.example/p?sku=HM-1&sort=price%20asc&page=3",
        "internationalization_and_localization_guidelines",
        "see [1], [HC-101] and {placeholder}; set() or {} or []",
        'a template: {"order": {{ order_id }}, "items": [',
        "{'a': 1, 'b': [True, None, 2.5]} has no name in it",
    ],
)
def test_what_is_not_personal_stays_byte_for_byte(redactor: Redactor, text: str) -> None:
    assert redact(redactor, text) == text
    assert redact(redactor, {"value": json.dumps({"x": text})}) == {
        "value": json.dumps({"x": text})
    }


@pytest.mark.parametrize(
    "text",
    [
        "Authorization: Basic b2xpdmVyOmh1bnRlcjIhISE=",
        "eyJhbGciOiJIUzI1NiJ9.eyJlbWFpbCI6ImFAZXhhbXBsZS5jb20ifQ.abcDEF_123",
    ],
)
def test_a_secret_is_masked_whole_whatever_it_says_inside(redactor: Redactor, text: str) -> None:
    masked = redact(redactor, text)
    assert SURROGATE.search(masked)
    assert text.split()[-1][:20] not in masked


def test_names_and_addresses_that_are_keys_are_masked(redactor: Redactor) -> None:
    record = {
        "arguments": json.dumps(
            {
                "Oliver Whitfield": {"seat": "12A"},
                "oliver.whitfield@example.com": {"ok": True},
                "Order status": "late",
                "first_name": "Qwibble",
                "qwibble_scores": [1],
            }
        )
    }
    masked = json.loads(redact(redactor, record)["arguments"])
    keys = list(masked)
    assert [SURROGATE.search(key) is not None for key in keys] == [True, True, False, False, True]
    assert masked[keys[0]] == {"seat": "12A"}
    assert keys[2:4] == ["Order status", "first_name"]


def test_a_blob_does_not_hide_the_name_beside_it(redactor: Redactor) -> None:
    blob = base64_of('{"email": "ada@example.com"}')
    masked = redact(redactor, f"I am Zora Quell, zora@example.com, blob {blob}")
    assert "Zora" not in masked
    assert "Quell" not in masked


def test_half_json_is_read_as_prose(redactor: Redactor) -> None:
    text = 'truncated: {"first_name": "Qwibble", "email": "qwibble@exa'
    assert "wibble" not in redact(redactor, text)


def test_brackets_without_end_take_no_time() -> None:
    for text in ("[" * 200_000, '{"a":' * 60_000, "{'" * 100_000, '["x", ' * 60_000):
        assert list(find_literals(text)) == []


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda t: st.lists(t, max_size=3) | st.dictionaries(st.text(), t, max_size=3),
        max_leaves=8,
    ),
    st.text(),
    st.sampled_from([json.dumps, repr, lambda v: json.dumps(v, indent=4)]),
)
def test_opening_and_closing_any_text_changes_nothing(
    tree: Any, around: str, write: Callable[[Any], str]
) -> None:
    text = f"{around}{write(tree)}{around}"
    assert close_json(open_json(text)) == text


@given(st.text(alphabet="aZ%&?=#;.@+/_- \n\"'{}[]:,0159é\u200b", max_size=60))
def test_parts_are_in_order_and_apart(text: str) -> None:
    found = find_encoded(text)
    ends = [0, *(one.end for one in found)]
    assert all(end <= one.start < one.end for end, one in zip(ends, found, strict=False))
