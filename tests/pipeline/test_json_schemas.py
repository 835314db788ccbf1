"""Schemas on hostile JSON: nothing is fetched, and every pattern runs in linear time."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from pipeline.exports import Answer, check_answer
from pipeline.ids import canonical_json
from pipeline.json_schemas import validator_of
from pipeline.registry.rules.base import JsonSchema
from pipeline.suite.checking import Loaded, check_cases
from tests.pipeline.exports.reading import cases_of
from tests.pipeline.exports.toy import case


def holds(schema: dict[str, Any], value: object) -> bool:
    return bool(validator_of(canonical_json(schema)).is_valid(value))


def on_seven(check: dict[str, Any]) -> bool | None:
    [tested] = cases_of([case("case-a", "Give me JSON", check)])
    return check_answer(tested, Answer.read("7")).results[0].passed


@pytest.fixture
def asked() -> Iterator[tuple[str, list[str]]]:
    """A server of a schema that allows integers, and who asked it."""
    paths: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            paths.append(self.path)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b'{"type": "integer"}')

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}).start()
    yield f"http://127.0.0.1:{server.server_port}/schema", paths
    server.shutdown()
    server.server_close()


def test_a_schema_in_a_case_fetches_nothing_from_net_or_disk(asked, tmp_path):
    url, paths = asked
    (tmp_path / "schema.json").write_text('{"type": "integer"}')
    for place in (url, (tmp_path / "schema.json").as_uri()):
        assert on_seven({"kind": "json_schema", "value": {"$ref": place}}) is None
    assert paths == []


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "#"},
        {"$ref": 5},
        {"type": "strange"},
        {"multipleOf": 0},
        {"anyOf": 5},
        {"type": "object", "$ref": "#/nowhere"},
    ],
)
def test_a_schema_that_is_none_leaves_the_check_undecided(schema: dict[str, Any]):
    assert on_seven({"kind": "json_schema", "value": schema}) is None


@pytest.mark.parametrize(
    ("check", "expected"),
    [
        ({"kind": "cites_any_of", "pattern": "7"}, True),  # no group: all of it
        ({"kind": "cites_any_of", "pattern": "7|(8)"}, False),  # a group that took no part
        ({"kind": "language_is", "language": "xx", "languages": ["xx"], "letters": 0}, None),
    ],
)
def test_patterns_without_a_group_and_unknown_languages_take_nothing_down(check, expected):
    assert on_seven(check) is expected


@pytest.mark.parametrize(
    ("check", "broken"),
    [
        ({"kind": "contains", "any_of": ["yes", "(unclosed"]}, True),
        ({"kind": "cites_any_of", "pattern": "(unclosed"}, True),
        ({"kind": "json_schema", "value": {"$ref": "http://127.0.0.1/x"}}, True),
        ({"kind": "json_schema", "value": {"type": "strange"}}, True),
        ({"kind": "json_schema", "value": {"type": "object"}}, False),
        ({"kind": "not_contains", "none_of": ["no+"]}, False),
    ],
)
def test_the_suite_is_told_of_a_check_that_cannot_be_run(check, broken):
    written = {"case-a": case("case-a", "Give me JSON", check)}
    told = [problem.what for problem in check_cases(Loaded(written, {}, ""))]
    assert [what for what in told if "cannot be run" in what] == (
        ["number 1 of `checks` cannot be run: its pattern or schema is none"] if broken else []
    )


def test_patterns_of_schemas_run_in_linear_time():
    # Python's own patterns take 2^28 steps on each of these
    name = "a" * 28 + "!"
    assert not holds({"pattern": "^(a+)+$"}, name)
    keys = {"patternProperties": {"^(a+)+$": {}}}
    assert holds(keys, {name: 1})
    assert not holds(keys | {"additionalProperties": False}, {name: 1})


def test_other_words_of_schemas_mean_what_they_did():
    schema = {
        "type": "object",
        "properties": {"id": {"pattern": "^[A-Z]-\\d+$"}},
        "patternProperties": {"^x_": {"type": "integer"}},
        "additionalProperties": {"type": "string"},
    }
    assert holds(schema, {"id": "A-17", "x_n": 3, "other": "text"})
    assert not holds(schema, {"id": "17"})
    assert not holds(schema, {"x_n": "three"})
    assert not holds(schema, {"other": 3})


def test_a_registry_refuses_a_pattern_that_is_not_re2s():
    class Rule(BaseModel):
        value: JsonSchema

    Rule(value={"properties": {"pattern": {"type": "string"}}})  # a field of that name
    with pytest.raises(ValidationError, match="not an RE2 pattern"):
        Rule(value={"properties": {"id": {"pattern": "^(?!x)"}}})
