"""The list of who was erased: digests, never ids; kept whole, and refused where it is doubtful."""

from __future__ import annotations

import json
import stat
from collections.abc import Callable

import polars as pl
import pytest

from pipeline.datadir import DataDir
from pipeline.ingest import Assembly, assemble_day
from pipeline.ingest.days import gathering
from pipeline.ingest.suppression import (
    Suppression,
    SuppressionBroken,
    add_entries,
    erased_cases,
    read_suppression,
)
from pipeline.registry import load_registry
from pipeline.windows import day
from tests.pipeline.erasure.people import (
    ANN,
    BO,
    KEYS,
    anns,
    every_span,
    spans_of,
    trace_id,
    words_of,
)
from tests.pipeline.ingest.index.test_ready import nothing_ready
from tests.pipeline.ingest.spans import drop, request

DAY = day("2026-11-02")
NOBODY = Suppression(*KEYS)


def put_on(place: DataDir, *names: str, cases: tuple[str, ...] = ()) -> None:
    listed = read_suppression(place, *KEYS)
    add_entries(place, listed, names, cases, "erasure-1", "2026-11-02")


def named(user: str) -> str:
    return NOBODY.name("user", NOBODY.form("user", user))


def assemble(place: DataDir, listed: Suppression | None = None) -> Assembly:
    found = assemble_day(
        place, DAY, load_registry(place.registry, DAY), KEYS[1],
        suppression=read_suppression(place, *KEYS) if listed is None else listed,
    )  # fmt: skip
    found.counts.check("test")
    return found


def test_the_list_holds_no_id_and_is_open_to_its_owner_alone(place: DataDir) -> None:
    put_on(place, named(ANN), NOBODY.name("trace", trace_id(1)), cases=("case-1",))
    put_on(place, named(BO), cases=("case-1", "case-2"))
    path = place.privacy / "suppressed.jsonl"
    text = path.read_text()
    assert [ANN in text, BO in text, trace_id(1) in text] == [False] * 3
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    listed = read_suppression(place, *KEYS)
    assert listed.names == {named(ANN), named(BO), NOBODY.name("trace", trace_id(1))}
    assert erased_cases(place) == {"case-1", "case-2"}


def test_whoever_stands_on_it_already_is_not_listed_twice(place: DataDir) -> None:
    put_on(place, named(ANN))
    before = (place.privacy / "suppressed.jsonl").read_bytes()
    put_on(place, named(ANN))
    assert (place.privacy / "suppressed.jsonl").read_bytes() == before


@pytest.mark.parametrize("line", ["{torn", "[]", '{"kind": "user"}', '{"kind": "case"}'])
def test_a_broken_list_is_refused_with_its_line(place: DataDir, line: str) -> None:
    """Read without it, an erased person would come back."""
    put_on(place, named(ANN))
    with (place.privacy / "suppressed.jsonl").open("a") as out:
        out.write(line + "\n")
    with pytest.raises(SuppressionBroken, match=r"line 2 cannot be read.*backup"):
        read_suppression(place, *KEYS)


def test_a_list_of_another_key_is_refused(place: DataDir) -> None:
    put_on(place, named(ANN))
    with pytest.raises(SuppressionBroken, match="another content key"):
        read_suppression(place, b"t" * 32, KEYS[1])


def test_ids_are_recognised_as_the_application_writes_them() -> None:
    listed = NOBODY.plus([NOBODY.name("trace", NOBODY.form("trace", "AB" * 16))])
    assert listed.found_in(["ab" * 16], [], [])
    odd = NOBODY.plus([NOBODY.name("session", NOBODY.form("session", "call of +44 20 7946"))])
    assert odd.found_in([], ["call of +44 20 7946"], [])
    assert not odd.found_in(["call of +44 20 7946"], [None], [None])


@pytest.mark.parametrize("ready", [True, False], ids=["ready rows", "the long way"])
def test_whoever_is_on_the_list_never_becomes_a_row(place: DataDir, ready: bool) -> None:
    drop(place, "a.jsonl", *(request(one) for one in every_span()))
    if ready:
        found = assemble(place, NOBODY.plus([named(ANN)]))
    else:
        with nothing_ready():
            found = assemble(place, NOBODY.plus([named(ANN)]))
    assert sorted(found.traces["trace_id"]) == [trace_id(3), trace_id(4)]
    assert words_of(1) not in str(found.traces.to_dicts())
    assert (found.counts.records_in, found.counts.records_out) == (8, 4)
    assert found.counts.filtered == {"erased": 4}
    assert "privacy/suppressed" in found.files


def test_a_large_day_leaves_them_out_in_its_processes_too(
    place: DataDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_on(place, named(ANN))
    drop(place, "a.jsonl", *(request(one) for one in every_span()))
    monkeypatch.setattr(gathering, "_SHARE_BYTES", 0)
    with nothing_ready(), assemble(place) as found:
        assert sorted(found.traces["trace_id"]) == [trace_id(3), trace_id(4)]
        assert found.counts.filtered == {"erased": 4}


def test_a_conversation_goes_whole_if_one_of_its_turns_names_them(place: DataDir) -> None:
    """Two traces of one session; the user's id stands in the second alone."""
    first = spans_of(1, "", "Hello")
    second = spans_of(2, ANN, "It is me")
    for one in (*first, *second):
        one["attributes"].append({"key": "session.id", "value": {"stringValue": "s-1"}})
        one["attributes"] = [a for a in one["attributes"] if a["value"] != {"stringValue": ""}]
    drop(place, "a.jsonl", request(*first, *second))
    assert assemble(place, NOBODY).traces["member_trace_ids"].to_list() == [
        [trace_id(1), trace_id(2)]
    ]
    by_user = assemble(place, NOBODY.plus([named(ANN)]))
    by_member = assemble(place, NOBODY.plus([NOBODY.name("trace", trace_id(2))]))
    assert [by_user.traces.height, by_member.traces.height] == [0, 0]


def test_a_record_that_cannot_be_read_is_not_quarantined_if_it_names_them(place: DataDir) -> None:
    torn = [f'{{"resourceSpans": [{{"user": "{user}"' for user in (ANN, BO)]
    drop(place, "a.jsonl", *(request(one) for one in every_span()), *torn)
    found = assemble(place, anns())
    assert found.quarantined["payload"].to_list() == [torn[1].encode()]
    assert found.counts.filtered == {"erased": 5}


IN_A_STRING = json.dumps({"user.id": "auth0|ann 77", "said": "Hi"})


@pytest.mark.parametrize(
    "broken",
    [
        'ere?", "user.id": "auth0|ann 77", "to',
        json.dumps({"log": IN_A_STRING})[:-3],
        json.dumps({"log": json.dumps({"log": IN_A_STRING})})[:-3],
        '{"user.id": "\\u0061uth0|ann 77", torn',
        "{'user.id': 'auth0|ann 77', torn",
    ],
    ids=["begins amid a string", "JSON in a string", "twice", "escaped", "Python"],
)
def test_an_id_is_found_however_a_broken_record_writes_it(broken: str) -> None:
    assert NOBODY.plus([named("auth0|ann 77")]).found_in_text(broken.encode())
    assert not NOBODY.plus([named("auth0|ann 7")]).found_in_text(broken.encode())


def test_an_id_that_is_spoken_is_found_in_prose_and_names_but_not_in_longer_words() -> None:
    listed = NOBODY.plus([named("bo 77"), named("u.12")], spoken=["bo 77", "u.12"])
    assert listed.found_in_text(b'{"body": "then bo 77 said", torn')
    assert not listed.found_in_text(b"then bo 775 said, of lobo 77")
    assert [listed.found_in_name(n) for n in ("traces_u.12.jsonl", "u.123.jsonl")] == [True, False]
    assert "bo 77" not in repr(listed)


def test_an_empty_list_leaves_no_trace_in_what_is_published(
    place: DataDir, ingest: Callable[..., Assembly]
) -> None:
    drop(place, "a.jsonl", *(request(one) for one in every_span()))
    with_list, without = assemble(place), ingest()
    assert with_list.files == without.files
    assert with_list.counts == without.counts
    assert with_list.traces.equals(without.traces)
    assert isinstance(with_list.traces, pl.DataFrame)
