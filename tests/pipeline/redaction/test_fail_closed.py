"""A record that cannot be redacted for certain does not pass, and its neighbours do."""

from __future__ import annotations

import pytest
from presidio_analyzer import EntityRecognizer, Pattern, PatternRecognizer, RecognizerResult

import pipeline.redaction.masking as masking
from pipeline.redaction import PiiPolicy, Redactor, SurrogateKey
from pipeline.redaction.audit import find_residue
from pipeline.redaction.known.values import KnownValue

PLAIN = "nothing personal here"


class Broken(EntityRecognizer):  # type: ignore[misc]
    """A recogniser that gives up on one word."""

    def load(self) -> None: ...

    def analyze(
        self, text: str, entities: list[str], nlp_artifacts: object = None
    ) -> list[RecognizerResult]:
        if "tripwire" in text:
            raise ValueError(f"cannot read {text}")
        return []


def test_a_recogniser_that_raises_stops_its_record_alone(
    policy: PiiPolicy, key: SurrogateKey
) -> None:
    redactor = Redactor(policy, key, recognizers=[Broken(["ODD"])])
    bad, good = redactor.redact_many(["a tripwire for jane@example.com", PLAIN])
    assert (bad.failure, bad.value) == ("exception", None)
    assert bad.detail == "ValueError"  # the class, never the message: it quotes the text
    assert (good.failure, good.value) == (None, PLAIN)


def test_a_pattern_that_backtracks_for_ever_is_a_timeout(
    policy: PiiPolicy, key: SurrogateKey
) -> None:
    slow = PatternRecognizer("SLOW", patterns=[Pattern("slow", r"(?:a+)+\d\1?(a)(?:a|aa)+$", 0.9)])
    quick = policy.model_copy(update={"regex_timeout_seconds": 0.05})
    redactor = Redactor(quick, key, recognizers=[slow])
    bad, good = redactor.redact_many(["a" * 60_000 + "!", PLAIN])
    assert (bad.failure, bad.value) == ("timeout", None)
    assert good.failure is None


def test_a_string_or_record_too_long_is_oversize(policy: PiiPolicy, key: SurrogateKey) -> None:
    small = policy.model_copy(update={"max_string_chars": 100, "max_record_chars": 150})
    redactor = Redactor(small, key)
    results = redactor.redact_many(["x" * 101, ["y" * 90, "z" * 90], PLAIN])
    assert [r.failure for r in results] == ["oversize", "oversize", None]
    assert [r.value for r in results] == [None, None, PLAIN]


def test_text_that_is_no_unicode_is_an_exception(redactor: Redactor) -> None:
    bad, good = redactor.redact_many([{"text": "half a pair: \ud83d"}, PLAIN])
    assert (bad.failure, bad.detail) == ("exception", "UnicodeEncodeError")
    assert good.failure is None


def test_the_audit_catches_what_masking_leaves(
    redactor: Redactor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Break the masking itself: the audit shares no code with it and must say no."""
    monkeypatch.setattr(masking, "replace", lambda text, *_: text)
    (redaction,) = redactor.redact_many([{"user_id": "zora_quell_3668", "text": "a@example.com"}])
    assert (redaction.failure, redaction.value) == ("residual", None)
    assert redaction.detail == "EMAIL_ADDRESS, USER_ID"


@pytest.mark.parametrize(
    ("text", "known", "found"),
    [
        ("mail a.b@example.com", [], {"EMAIL_ADDRESS"}),
        ("card 4111-1111-1111-1111", [], {"CREDIT_CARD"}),
        ("card 4111-1111-1111-1112", [], set()),
        ("AKIAIOSFODNN7EXAMPLE", [], {"SECRET"}),
        ("dear ZÖRA QUELL,", [KnownValue("PERSON", "Zora Quell")], {"PERSON"}),
        ("dear Zora", [KnownValue("PERSON", "Zora Quell")], set()),  # half a name is not certain
        ("id=zora-quell.3668", [KnownValue("USER_ID", "zora_quell_3668")], {"USER_ID"}),
        ("certificate 7504069", [KnownValue("PAYMENT_ID", "certificate_7504069")], {"PAYMENT_ID"}),
        ("PERSON_KQXZBTRWMNPD", [KnownValue("USER_ID", "kqxzbtrwmnpd")], set()),
    ],
)
def test_the_audit_knows_shapes_and_known_values(
    policy: PiiPolicy, text: str, known: list[KnownValue], found: set[str]
) -> None:
    assert find_residue([text], known, policy) == found
