"""Values that a trace states under a telling key are masked everywhere in it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pipeline.redaction import Redactor

PROFILE = {
    "user_id": "zora_quell_3668",
    "name": {"first_name": "Zora", "last_name": "Quell"},
    "address": {"address1": "975 Sunset Drive", "city": "Austin", "country": "USA", "zip": "78750"},
    "email": "zora.quell3818@example.com",
    "dob": "1990-04-05",
    "phone": "+1 503 555 0123",
    "payment_methods": {"gift_card_4421486": {"source": "gift_card", "id": "gift_card_4421486"}},
}


def trace(*texts: str) -> dict[str, Any]:
    return {
        "messages": [
            *({"role": "user", "content": text} for text in texts),
            {"role": "tool", "name": "get_user", "content": json.dumps(PROFILE)},
        ]
    }


def said(redactor: Redactor, text: str) -> str:
    (redaction,) = redactor.redact_many([trace(text)])
    assert redaction.failure is None
    value: Any = redaction.value
    return str(value["messages"][0]["content"])


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("ZORA QUELL!", "quell"),
        ("Zora's parcel", "zora"),
        ("Quell, Zora", "quell"),
        ("ZÓRA", "zóra"),
        ("log of zora_quell_3668:", "3668"),
        ("login zora.quell3818", "3818"),
        ("born April 5th, 1990?", "1990"),
        ("04/05/1990", "1990"),
        ("975 sunset drive", "sunset"),
        ("zip 78750", "78750"),
        ("gift card 4421486", "4421486"),
        ("(503) 555-0123", "0123"),
        ("login zquell", "zquell"),
        ("ask quell.z@other.org or z_quell", "quell"),
        ("file zora_quell.pdf, ZoraQuell, ZORA-QUELL", "quell"),
        ("https://shop.example/u/Zora%20Quell", "quell"),
    ],
)
def test_every_form_of_a_known_value_is_masked(redactor: Redactor, text: str, secret: str) -> None:
    assert secret not in said(redactor, text).casefold()


@pytest.mark.parametrize("text", ["2024-04-05", "order 4421487", "USA", "$78.75"])
def test_what_only_resembles_a_known_value_stays(redactor: Redactor, text: str) -> None:
    assert said(redactor, text) == text


def test_prose_and_json_carry_the_same_surrogates(redactor: Redactor) -> None:
    (redaction,) = redactor.redact_many([trace("Zora Quell, 975 Sunset Drive, card 4421486")])
    value: Any = redaction.value
    profile = json.loads(value["messages"][1]["content"])
    prose = value["messages"][0]["content"]
    assert f"{profile['name']['first_name']} {profile['name']['last_name']}" in prose
    assert profile["address"]["address1"] in prose
    (payment,) = profile["payment_methods"]
    assert payment == profile["payment_methods"][payment]["id"]
    assert payment.removeprefix("gift_card_") in prose


def test_country_and_kind_of_payment_stay_for_the_graders(redactor: Redactor) -> None:
    (redaction,) = redactor.redact_many([trace("hello")])
    value: Any = redaction.value
    profile = json.loads(value["messages"][1]["content"])
    assert profile["address"]["country"] == "USA"
    assert next(iter(profile["payment_methods"].values()))["source"] == "gift_card"


def test_a_name_that_is_also_a_word_does_not_blank_the_word(redactor: Redactor) -> None:
    record = {
        "order": {"first_name": "Will", "last_name": "Price"},
        "text": "Will the price change, Will Price?",
    }
    (redaction,) = redactor.redact_many([record])
    value: Any = redaction.value
    assert "the price change" in value["text"]
    assert "Will Price" not in value["text"]
    assert value["order"]["first_name"].startswith("PERSON_")


def test_the_name_of_a_product_is_not_a_person(redactor: Redactor) -> None:
    item = json.dumps({"sku": "HM-1", "name": "Hallin Merino Sweater", "price": 89})
    record = {
        "messages": [{"role": "user", "content": "the Hallin Merino Sweaters?"}],
        "item": item,
    }
    (redaction,) = redactor.redact_many([record])
    assert redaction.value == record


def test_a_name_beside_an_email_is_a_person(redactor: Redactor) -> None:
    record = {"shipping": {"name": "Qwibble Zzyx", "email": "q@example.com"}, "text": "hi Qwibble"}
    (redaction,) = redactor.redact_many([record])
    assert "Qwibble" not in json.dumps(redaction.value)


def test_values_in_text_that_only_resembles_json_are_known_too(redactor: Redactor) -> None:
    text = "result: {'first_name': 'Qwibble', 'user_id': 'u-99812-x'}; Qwibble is u-99812-x"
    (redaction,) = redactor.redact_many([text])
    assert "wibble" not in str(redaction.value)
    assert "99812" not in str(redaction.value)


def test_numbers_under_telling_keys_stay_numbers(redactor: Redactor) -> None:
    record = json.dumps({"zip": 78750, "card_number": 4111111111111111, "total": 78.5, "ok": True})
    (redaction,) = redactor.redact_many([record])
    masked = json.loads(str(redaction.value))
    assert isinstance(masked["zip"], int)
    assert masked["zip"] != 78750
    assert masked["card_number"] != 4111111111111111
    assert (masked["total"], masked["ok"]) == (78.5, True)


def test_a_short_numeric_user_id_does_not_blank_amounts(redactor: Redactor) -> None:
    record = {"user_id": 1234, "text": "the total is 1234 euros"}
    (redaction,) = redactor.redact_many([record])
    value: Any = redaction.value
    assert value["text"] == "the total is 1234 euros"
    assert value["user_id"] != 1234


@pytest.mark.parametrize("text", ["Müller", "MUELLER", "hans.mueller", "muller_hans", "Müllers"])
def test_a_name_is_known_with_and_without_its_umlaut(redactor: Redactor, text: str) -> None:
    record = {"user": {"first_name": "Hans", "last_name": "Müller"}, "text": f"so {text} said"}
    (redaction,) = redactor.redact_many([record])
    value: Any = redaction.value
    assert "ller" not in value["text"].casefold()


def alike(redactor: Redactor, *texts: str, **stated: Any) -> list[str]:
    record = {"result": json.dumps(stated), "texts": list(texts)}
    (redaction,) = redactor.redact_many([record])
    assert redaction.failure is None, redaction.detail
    value: Any = redaction.value
    found: list[str] = value["texts"]
    return found


def test_ids_of_the_shape_of_a_known_one_are_ids_too(redactor: Redactor) -> None:
    texts = "usr_9920 shared it with USR_0031.", "see gift_card_1112223", "item usr_99201"
    first, second, third = alike(
        redactor, *texts, user_id="usr_4471", payment_id="gift_card_4421486"
    )
    assert first.count("USER_ID_") == 2
    assert second.startswith("see gift_card_PAYMENT_ID_")
    assert third == texts[2]  # of another length


@pytest.mark.parametrize(
    "stated",
    [
        {"user_id": "u_4471", "order_id": "u_1000"},  # the shape does not tell one from the other
        {"user_id": "4471-22"},  # no word before the number
        {"user_id": "usr_44"},  # two digits are a version or a size
    ],
)
def test_a_shape_that_things_share_teaches_nothing(
    redactor: Redactor, stated: dict[str, str]
) -> None:
    texts = ["u_9920 and 9920-22 and usr_99"]
    assert alike(redactor, *texts, **stated) == texts


def test_the_parts_of_an_address_are_one_where_they_stand_together(redactor: Redactor) -> None:
    said_so = said(redactor, "It goes to 975 Sunset Drive, Austin, 78750, USA.")
    for part in ("975", "Sunset", "78750"):
        assert part not in said_so
    assert "USA" in said_so
