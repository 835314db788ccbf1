from __future__ import annotations

from pathlib import Path

import pytest
import regex  # the engine that runs them

from pipeline.redaction import PiiPolicy, PolicyRefused, Redactor, SurrogateKey, load_policy


def test_the_users_own_patterns_pass_the_examples_beside_them(policy: PiiPolicy) -> None:
    for pattern in policy.patterns:
        assert pattern.regex
        for text in pattern.matches:
            assert regex.search(pattern.regex, text), (pattern.name, text)
        for text in pattern.leaves_alone:
            assert not regex.search(pattern.regex, text), (pattern.name, text)


def test_keys_are_compared_without_case_and_punctuation(policy: PiiPolicy) -> None:
    assert policy.entity_of_key["firstname"] == "PERSON"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("entities: {PERSON: {threshold: 2}}", "entities.PERSON.threshold"),
        ("patterns: [{name: a, entity: A, regex: '('}]", "not a regular expression"),
        ("colour: red", "colour"),
        ("keys: [", "not YAML"),
        ("!!python/object/apply:os.system [true]", "not YAML"),
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
    with pytest.raises(PolicyRefused, match="cannot be read"):
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
