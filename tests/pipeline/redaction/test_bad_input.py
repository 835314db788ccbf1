"""Text that is long, hostile or in another script: masked, or refused, and never let through."""

from __future__ import annotations

import base64
import random
from collections.abc import Mapping
from typing import Any

import pytest

from pipeline.redaction import PiiPolicy, Redactor, SurrogateKey
from pipeline.redaction.detection.detectors import in_chunks
from pipeline.redaction.detection.segments import chunks
from pipeline.redaction.spans import Span

WORDS = "the parcel was late again and nobody could say why or where it was last seen "


def redact(redactor: Redactor, value: Any) -> Any:
    (redaction,) = redactor.redact_many([value])
    assert redaction.failure is None, redaction.detail
    return redaction.value


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("🎁🎉 for Oliver Whitfield 🎂, mail o.whitfield@example.com 📬", "hitfield"),
        ("write to ja\u200bne.d\u2060oe@exam\ufeffple.com now", "oe@exam"),
        ("write to j\u0430ne.d\u043ee@ex\u0430mple.com now", "ne.d"),  # Cyrillic а and о
        ("write to jane.doe@例え.jp today", "jane.doe"),
        ("كلمني على oliver@example.com أو +44 7700 900461", "900461"),
        ("דוא״ל: oliver@example.com", "oliver@"),
        ("\u202eoliver@example.com\u202c is mine", "oliver@"),
        ("Привет, мой адрес oliver@example.com", "oliver@"),
        ("ＯＬＩＶＥＲ＠ｅｘａｍｐｌｅ．ｃｏｍ", "ＯＬＩＶＥＲ"),
        ("call +４４ ７７００ ９００４６１", "９００４６１"),
    ],
)
def test_no_script_hides_a_value(redactor: Redactor, text: str, secret: str) -> None:
    assert secret not in redact(redactor, text)


@pytest.mark.parametrize(
    "said", ["Z\u043era Quell", "ZORA QUELL", "Zo\u200bra Quell", "Zóra Quell"]
)
def test_a_known_name_is_found_in_letters_that_look_alike(redactor: Redactor, said: str) -> None:
    record = {"customer": {"first_name": "Zora", "last_name": "Quell"}, "text": f"for {said}, ok?"}
    masked = redact(redactor, record)
    assert isinstance(masked, Mapping)
    assert "quell" not in masked["text"].casefold()
    assert said.split()[0] not in masked["text"]


def test_what_looks_like_a_surrogate_is_masked_like_anything_else(redactor: Redactor) -> None:
    masked = redact(redactor, "I am PERSON_KQXZBTRWMNPD.")
    assert "KQXZBTRWMNPD" not in masked
    assert redact(redactor, masked) != masked  # and so is a real one that comes back


def test_a_long_text_is_masked_to_its_end(redactor: Redactor) -> None:
    picture = base64.b64encode(random.Random(3).randbytes(300_000)).decode()
    text = f"From Oliver Whitfield: {picture} and {WORDS * 300}. Mail oliver@example.com"
    masked = redact(redactor, text)
    assert picture in masked  # no detector took it for a name
    assert "Whitfield" not in masked
    assert "oliver@" not in masked


def test_a_value_on_the_seam_of_two_chunks_is_whole_in_one() -> None:
    length = 200_000
    for place in range(length - 60, length + 20, 7):
        text = (WORDS * 4000)[:place] + " oliver@example.com " + WORDS * 1000
        assert len(chunks(text)) > 1
        found = in_chunks(text, lambda part: _all(part, "oliver@example.com"))
        assert {text[s.start : s.end] for s in found} == {"oliver@example.com"}


def test_chunks_hold_every_character() -> None:
    text = WORDS * 8000
    covered = set()
    for offset, part in chunks(text):
        assert text.startswith(part, offset)
        covered.update(range(offset, offset + len(part)))
    assert len(covered) == len(text)


def test_a_users_pattern_that_backtracks_for_ever_fails_closed(
    policy: PiiPolicy, key: SurrogateKey
) -> None:
    slow = {"name": "slow", "entity": "SLOW", "regex": r"(?:a|aa|aaa)+\d\1?(b)$|(?:a+)+\1"}
    given = policy.model_dump() | {"patterns": [slow], "regex_timeout_seconds": 0.1}
    redactor = Redactor(PiiPolicy.model_validate(given), key)
    bad, good = redactor.redact_many(["a" * 50_000 + "!", "nothing personal here"])
    assert (bad.failure, bad.value) == ("timeout", None)
    assert good.failure is None


def _all(text: str, needle: str) -> list[Span]:
    start = text.find(needle)
    return [Span(start, start + len(needle), "EMAIL_ADDRESS")] if start >= 0 else []
