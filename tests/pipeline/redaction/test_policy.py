from __future__ import annotations

import datetime as dt
import json
import re
from pathlib import Path
from typing import Any

import pytest

from pipeline.redaction import PiiPolicy, PolicyRefused, Redactor, SurrogateKey, load_policy
from pipeline.redaction.policy.trying import check_policy
from tests.pipeline.redaction.conftest import COMMITTED


def write(folder: Path, text: str) -> Path:
    path = folder / "pii_policy.yaml"
    path.write_text(text)
    return path


def test_the_committed_patterns_pass_the_tests_beside_them() -> None:
    assert list(check_policy(COMMITTED)) == []
    assert load_policy(COMMITTED).patterns


@pytest.mark.parametrize(
    ("pattern", "complaint"),
    [
        ("regex: 'C-[0-9]{4}', matches: [C-12], leaves_alone: []", "does not match number 1"),
        (
            "regex: 'C-[0-9]{4}', matches: [C-1234], leaves_alone: [x, see C-2024]",
            "matches number 2 of its `leaves_alone`",
        ),
        ("terms: [Blue Heron], matches: [the blue heron, heron]", "does not match number 2"),
        ("regex: 'C-[0-9]{4}'", "has no `matches`"),
        ("regex: 'C-[0-9]{4}', score: 0.3, matches: [C-1234]", "never counts"),
        ("regex: '(?:[a-z]+)+[0-9]{9}', matches: [abc123456789]", "is slow"),
    ],
)
def test_a_pattern_that_fails_its_tests_is_named(
    tmp_path: Path, pattern: str, complaint: str
) -> None:
    path = write(tmp_path, f"patterns: [{{name: club, entity: CLUB, {pattern}}}]")
    (finding,) = check_policy(path)
    assert finding.startswith("club: ")
    assert complaint in finding


def test_a_match_that_does_not_count_under_the_policy_is_named(tmp_path: Path) -> None:
    text = (
        "entities: {TAX_ID: {context: [tax]}}\n"
        "patterns: [{name: club, entity: TAX_ID, regex: 'C-[0-9]{4}', matches: [%s]}]"
    )
    (finding,) = check_policy(write(tmp_path, text % "C-1234"))
    assert "matches number 1 of its `matches` and does not count: TAX_ID needs" in finding
    assert list(check_policy(write(tmp_path, text % "tax no. C-1234"))) == []


def test_keys_are_compared_without_case_and_punctuation(policy: PiiPolicy) -> None:
    assert policy.entity_of_key["firstname"] == "PERSON"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("entities: {PERSON: {threshold: 2}}", "entities.PERSON.threshold"),
        ("patterns: [{name: a, entity: A, regex: '('}]", "not a regular expression"),
        ("colour: red", "colour"),
        ("keys: [", "line 1: expected"),
        ("!!python/object/apply:os.system [true]", "could not determine"),
    ],
)
def test_a_policy_that_breaks_the_schema_is_refused(
    tmp_path: Path, text: str, complaint: str
) -> None:
    path = tmp_path / "pii_policy.yaml"
    path.write_text(text)
    with pytest.raises(PolicyRefused, match=complaint):
        load_policy(path)


def test_a_missing_policy_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PolicyRefused, match="No such file"):
        load_policy(tmp_path / "absent.yaml")


def test_deny_list_and_switches_of_the_policy_are_obeyed(key: SurrogateKey) -> None:
    policy = PiiPolicy.model_validate(
        {
            "entities": {"IP_ADDRESS": {"enabled": False}},
            "patterns": [{"name": "code_names", "entity": "PROJECT", "terms": ["Blue Heron"]}],
        }
    )
    (redaction,) = Redactor(policy, key).redact_many(["the Blue Heron server at 10.1.2.3"])
    assert redaction.entity_counts == {"PROJECT": 1}
    assert "10.1.2.3" in str(redaction.value)


DATED = """
entities: {URL: {enabled: false}, PERSON: {threshold: 0.45}}
allow_terms: [visa]
changes:
  - {effective_from: 2026-12-01, entities: {URL: {enabled: true}}}
  - {effective_from: 2026-11-10, retired_on: 2026-11-20, allow_terms: [acme]}
"""


@pytest.mark.parametrize(
    ("day", "urls", "allowed"),
    [
        ("2026-11-09", False, {"visa"}),
        ("2026-11-10", False, {"acme"}),
        ("2026-11-20", False, {"visa"}),
        ("2026-11-30", False, {"visa"}),
        ("2026-12-01", True, {"visa"}),
    ],
)
def test_a_change_holds_from_its_day_on(
    tmp_path: Path, day: str, urls: bool, allowed: set[str]
) -> None:
    policy = load_policy(write(tmp_path, DATED), dt.date.fromisoformat(day))
    assert policy.rule("URL").enabled is urls
    assert policy.allowed == allowed
    assert policy.rule("PERSON").threshold == 0.45  # what a change does not name stays


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ("surrogates: {scope: trace}", "caselaw rotate-key"),
        ("entities: {PERSON: {threshold: 7}}", "entities.PERSON.threshold"),
        ("colour: red", "colour"),
    ],
)
def test_a_change_that_cannot_be_is_refused_before_its_day(
    tmp_path: Path, change: str, complaint: str
) -> None:
    path = write(tmp_path, f"changes: [{{effective_from: 2099-01-01, {change}}}]")
    with pytest.raises(PolicyRefused, match=complaint):
        load_policy(path, dt.date(2026, 11, 2))


RECORD = {
    "messages": [
        {"role": "user", "content": "I am Zora Quell, mail zora@example.com"},
        {"role": "assistant", "content": "Hello Zora Quell"},
    ],
    "tool_calls": [
        {
            "name": "save",
            "arguments": json.dumps(
                {
                    "note": "call Oliver Whitfield, o.whitfield@example.com",
                    "weights": [1, 2.5, None, True],
                    "username": "zora_quell_3668",
                }
            ),
        }
    ],
}


def arguments(key: SurrogateKey, committed: PiiPolicy, *rules: dict[str, str]) -> dict[str, Any]:
    """What the arguments of the tool call become under the rules."""
    redactor = Redactor(PiiPolicy.model_validate(committed.model_dump() | {"fields": rules}), key)
    (redaction,) = redactor.redact_many([RECORD])
    assert redaction.failure is None, redaction.detail
    value: Any = redaction.value
    found: dict[str, Any] = json.loads(value["tool_calls"][0]["arguments"])
    return found


NOTE = "tool_calls.*.arguments.note"


def test_a_field_that_is_kept_passes(key: SurrogateKey, policy: PiiPolicy) -> None:
    before = json.loads(RECORD["tool_calls"][0]["arguments"])
    kept = arguments(key, policy, {"path": NOTE, "action": "keep"})
    assert kept["note"] == before["note"]
    assert kept["username"] != before["username"]
    # but for what the trace says elsewhere: here, the name in the messages
    kept = arguments(key, policy, {"path": "**.username", "action": "keep"})
    assert re.fullmatch(r"PERSON_\w{12}_PERSON_\w{12}_3668", kept["username"])


def test_a_field_of_exact_patterns_is_not_read_for_names(
    key: SurrogateKey, policy: PiiPolicy
) -> None:
    note = arguments(key, policy, {"path": NOTE, "action": "exact"})["note"]
    assert note.startswith("call Oliver Whitfield, EMAIL_ADDRESS_")


def test_a_field_that_is_masked_keeps_its_shape_and_nothing_else(
    key: SurrogateKey, policy: PiiPolicy
) -> None:
    rule = {"path": "tool_calls.*.arguments.*", "action": "mask", "entity": "NOTE"}
    masked = arguments(key, policy, rule)
    assert masked["note"].startswith("NOTE_")
    one, two, three, four = masked["weights"]
    assert (type(one), type(two), three, four) == (int, float, None, True)
    assert {one, two}.isdisjoint({1, 2.5})


def test_a_field_that_is_dropped_is_null(key: SurrogateKey, policy: PiiPolicy) -> None:
    assert arguments(key, policy, {"path": NOTE, "action": "drop"})["note"] is None


def test_the_first_rule_that_fits_counts(key: SurrogateKey, policy: PiiPolicy) -> None:
    drop, keep = {"path": NOTE, "action": "drop"}, {"path": "**.note", "action": "keep"}
    assert arguments(key, policy, drop, keep)["note"] is None
    assert arguments(key, policy, keep, drop)["note"].startswith("call Oliver")


@pytest.mark.parametrize("path", ["messages.*.role", "messages", "tool_calls.**", "**"])
def test_what_makes_a_conversation_cannot_be_taken_out(
    key: SurrogateKey, policy: PiiPolicy, path: str
) -> None:
    with pytest.raises(PolicyRefused, match="which make a conversation"):
        arguments(key, policy, {"path": path, "action": "drop"})
