"""What is masked in prose, recogniser by recogniser, and what must stay."""

from __future__ import annotations

import pytest

from pipeline.redaction import SURROGATE, Redactor


def redact(redactor: Redactor, text: str) -> str:
    (redaction,) = redactor.redact_many([text])
    assert redaction.failure is None
    assert isinstance(redaction.value, str)
    return redaction.value


@pytest.mark.parametrize(
    ("text", "secret", "entity"),
    [
        ("write to jane.doe+x@example.co.uk.", "jane.doe+x@example.co.uk", "EMAIL_ADDRESS"),
        ("write to ja\u200bne@exa\u200bmple.com now", "ne@exa", "EMAIL_ADDRESS"),
        ("see https://shop.example/?mail=a.b%40example.com", "a.b%40example", "EMAIL_ADDRESS"),
        ("call me on +44 7700 900123", "900123", "PHONE_NUMBER"),
        ("my number: (503) 555-0123", "555-0123", "PHONE_NUMBER"),
        ("my card is 4111 1111 1111 1111", "1111", "CREDIT_CARD"),
        ("amex 378282246310005 please", "378282246310005", "CREDIT_CARD"),
        ("IBAN DE89 3704 0044 0532 0130 00", "3704", "IBAN_CODE"),
        ("ssn 536-22-1234", "536-22-1234", "US_SSN"),
        ("logged in from 192.168.10.4", "192.168.10.4", "IP_ADDRESS"),
        ("I was born on 5 April 1990", "5 April 1990", "DATE_OF_BIRTH"),
        ("my DOB: 04/05/1990", "04/05/1990", "DATE_OF_BIRTH"),
        ("send it to 1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2", "1BvBMSEY", "CRYPTO"),
        ("my user id is mia_li_3668", "mia_li", "USER_ID"),
        ("key AKIAIOSFODNN7EXAMPLE", "AKIA", "SECRET"),
        ("ghp_abcdefghijklmnopqrstuvwxyz0123456789", "ghp_", "SECRET"),
        ("Authorization: Bearer abc123def456ghi789jkl0", "abc123def", "SECRET"),
        ("postgres://bob:hunter2@db.internal:5432/x", "hunter2", "SECRET"),
        ("password: Tr0ub4dor", "Tr0ub4dor", "SECRET"),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abcDEF_123", "eyJzdWIi", "SECRET"),
        (
            "-----BEGIN RSA PRIVATE KEY-----\nMIIEabc\n-----END RSA PRIVATE KEY-----",
            "MII",
            "SECRET",
        ),
        ("Hi, this is Oliver Whitfield.", "Whitfield", "PERSON"),
        ("hi, this is oliver whitfield", "whitfield", "PERSON"),
        ("Bonjour, je m'appelle Élodie Lefebvre", "Lefebvre", "PERSON"),
        ("send it to 12 Mill Lane, LS6 2QT Leeds, please", "12 Mill", "ADDRESS"),
        ("Neue Adresse: Lindenallee 5, 50937 Köln", "Lindenallee", "ADDRESS"),
        ("send it to 12 Mill Lane, LS6 2QT Leeds, please", "LS6", "ZIP_CODE"),
        ("PERSON_KQXZBTRWMNPD said hello", "KQXZBTRWMNPD", "FORGED"),
    ],
)
def test_masked(redactor: Redactor, text: str, secret: str, entity: str) -> None:
    masked = redact(redactor, text)
    assert secret.casefold() not in masked.casefold()
    assert f"{entity}_" in masked


@pytest.mark.parametrize(
    "text",
    [
        "order 5035550123 and invoice 2024-05-20 10:00, total $104.50 or 1,204.00 EUR",
        "refunds within 30 days [HC-101]; see also HC-212",
        "refund REF-20251104-7731 for ORD-100482, tracking PX123456789GB, on 2026-11-04",
        "Flight HAT069 from New York (JFK) to Seattle (SEA), $152, seats 1-12",
        "shipping from Germany to the United Kingdom takes 4 to 6 days",
        "commit 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b",
        "get_order returned status 200 and an empty list",
        "C'est fait, 189,90 EUR vous reviennent sous RF-227401.",
        "Oui, il nous reste 26 exemplaires de la veste.",
        "There's the Lumio Desk Lamp for 42.00 in white.",
    ],
)
def test_left_alone(redactor: Redactor, text: str) -> None:
    assert redact(redactor, text) == text


def test_a_count_beside_what_sounds_like_a_street_stays(redactor: Redactor) -> None:
    assert redact(redactor, "Yes, we have 26 of the Cobbler Street Weekender.").startswith(
        "Yes, we have 26 of the "
    )


def test_a_greeting_stays_before_the_name(redactor: Redactor) -> None:
    assert redact(redactor, "parfait, merci Harry !").startswith("parfait, merci PERSON_")


@pytest.mark.parametrize(
    "text",
    [
        "14 Fenwick Row\nApt. 164\nSkærbæk\nTromsø 29408",  # a line that no detector knows
        "PSC 1203, Box 77\nAPO AE 09012",
        "my address is 48 Harrow Road, Apt. 12, Manchester M14 5TP",
    ],
)
def test_an_address_is_masked_from_end_to_end(redactor: Redactor, text: str) -> None:
    rest = SURROGATE.sub("", redact(redactor, text).removeprefix("my address is"))
    assert not any(c.isalnum() for c in rest)


def test_allowed_terms_stay(redactor: Redactor) -> None:
    assert redact(redactor, "paid with PayPal, sent by Royal Mail") == (
        "paid with PayPal, sent by Royal Mail"
    )


def test_one_value_has_one_surrogate_wherever_it_stands(redactor: Redactor) -> None:
    first = SURROGATE.findall(redact(redactor, "I am Oliver Whitfield."))
    second = SURROGATE.findall(redact(redactor, "Is OLIVER WHITFIELD there?"))
    assert first == second
    assert len(first) == 2


def test_a_forged_surrogate_is_not_trusted(redactor: Redactor) -> None:
    real = SURROGATE.findall(redact(redactor, "I am Oliver Whitfield."))[0]
    assert real not in redact(redactor, f"I am {real}.")


def test_a_long_text_is_read_to_its_end(redactor: Redactor) -> None:
    # the window is 480 characters: the name falls on every place of the seam once
    for pad in range(440, 500, 7):
        text = "the parcel was late again " * 40
        text = f"{text[:pad]} Dear Oliver Whitfield, {text}"
        assert "Whitfield" not in redact(redactor, text)
