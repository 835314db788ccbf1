"""Format-preserving surrogates pass the checks an agent makes, and belong to nobody."""

from __future__ import annotations

import datetime as dt
import ipaddress
import json
import re
from typing import Any

import phonenumbers
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.redaction import PiiPolicy, Redactor, SurrogateKey
from pipeline.redaction.audit import find_residue
from pipeline.redaction.known.dates import moved_date
from pipeline.redaction.policy.model import Replacement
from pipeline.redaction.replacement.formats import _MAKERS
from pipeline.redaction.replacement.forms import luhn
from pipeline.redaction.replacement.schemes import make_names, scheme_of
from pipeline.redaction.replacement.surrogates import Names, normal
from tests.pipeline.redaction.test_independence import TREES, shape

KEY = SurrogateKey(bytes(range(32)))
FORMATTED = Replacement(style="format_preserving")
NAMES = make_names(FORMATTED, KEY)

PROFILE = {
    "user_id": "usr_4471",
    "name": {"first_name": "Zora", "last_name": "Quell"},
    "email": "zora.quell@example.org",
    "dob": "1990-04-05",
    "passengers": [{"first_name": "Qwibble", "last_name": "Quell", "dob": "2015-04-05"}],
    "phone": "+1 (503) 555-0199",
    "zip": "78750",
    "card_number": "4111 1111 1111 1111",
    "iban": "DE89 3704 0044 0532 0130 00",
    "payment_methods": {"gift_card_4421486": {"source": "gift_card", "id": "gift_card_4421486"}},
}
SAID = (
    "I am ZORA QUELL, born 5 April 1990 (04/05/1990), call (503) 555-0199; card 4421486, "
    "4111111111111111; from 10.1.2.3, ssn 536-22-1234, usr_4471 or zora.quell@example.org"
)


@pytest.fixture(scope="module")
def formatted(policy: PiiPolicy) -> Redactor:
    return Redactor(policy.model_copy(update={"surrogates": FORMATTED}), KEY)


@pytest.fixture(scope="module")
def masked(formatted: Redactor) -> tuple[str, Any]:
    record = {"said": SAID, "result": json.dumps(PROFILE)}
    (redaction,) = formatted.redact_many([record])
    assert redaction.failure is None, redaction.detail
    value: Any = redaction.value
    return value["said"], json.loads(value["result"])


def iban_holds(text: str) -> bool:
    compact = re.sub(r"\W", "", text)
    return int("".join(str(int(c, 36)) for c in compact[4:] + compact[:4])) % 97 == 1


def test_every_value_has_its_form_and_passes_its_check(masked: tuple[str, Any]) -> None:
    _, profile = masked
    assert re.fullmatch(r"usr_\d{4}", profile["user_id"])
    assert re.fullmatch(r"[A-Z][a-z]{9}", profile["name"]["first_name"])
    assert re.fullmatch(r"[a-z]{12}\.[a-z]{5}@example\.com", profile["email"])
    assert re.fullmatch(r"\d{5}", profile["zip"])
    assert re.fullmatch(r"\+1 \([2-9]\d\d\) 555-01\d\d", profile["phone"])
    assert phonenumbers.is_possible_number(phonenumbers.parse(profile["phone"]))
    assert re.fullmatch(r"4000 00\d\d \d{4} \d{4}", profile["card_number"])
    assert luhn(profile["card_number"])
    assert re.fullmatch(r"DE\d\d(?: \d{4}){4} \d\d", profile["iban"])
    assert iban_holds(profile["iban"])
    assert re.fullmatch(r"gift_card_\d{7}", next(iter(profile["payment_methods"])))


def test_no_value_is_what_it_was(masked: tuple[str, Any]) -> None:
    said, profile = masked
    after = (said + json.dumps(profile)).casefold()
    for value in ("zora", "quell", "qwibble", "4471", "1990-04-05", "04/05/1990", "5 april", "0199",
                  "78750", "1111", "3704", "4421486", "10.1.2.3", "536-22"):  # fmt: skip
        assert value not in after


def test_prose_and_json_say_the_same(masked: tuple[str, Any]) -> None:
    said, profile = masked
    first, last = profile["name"].values()
    assert f"I am {first.upper()} {last.upper()}," in said
    assert profile["email"] in said
    assert profile["user_id"] in said
    assert re.sub(r"\D", "", profile["phone"])[1:] in re.sub(r"\D", "", said)
    assert profile["card_number"].replace(" ", "") in said
    payment = next(iter(profile["payment_methods"]))
    assert profile["payment_methods"][payment]["id"] == payment
    assert f"card {payment.removeprefix('gift_card_')}," in said


def test_intervals_between_dates_survive_and_all_forms_move_together(
    masked: tuple[str, Any],
) -> None:
    said, profile = masked
    born, child = (dt.date.fromisoformat(one["dob"]) for one in (profile, profile["passengers"][0]))
    assert child - born == dt.date(2015, 4, 5) - dt.date(1990, 4, 5)
    assert 0 < abs((born - dt.date(1990, 4, 5)).days) <= 182
    assert f"born {born.day} {born:%B} {born.year} ({born:%m/%d/%Y})" in said


def test_addresses_of_the_network_lie_in_ranges_that_are_nobodys() -> None:
    four = ipaddress.ip_address(NAMES.name("IP_ADDRESS", "10.1.2.3"))
    six = ipaddress.ip_address(NAMES.name("IP_ADDRESS", "fe80::1"))
    assert four in ipaddress.ip_network("198.18.0.0/15")
    assert six in ipaddress.ip_network("2001:db8::/32")
    assert re.fullmatch(r"02(:[0-9A-F]{2}){5}", NAMES.name("MAC_ADDRESS", "A4:5E:60:C2:11:0F"))


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(tree=TREES)
def test_json_keeps_its_shape_and_types(formatted: Redactor, tree: Any) -> None:
    record = {"value": tree, "arguments": json.dumps(tree), "said": f"got {json.dumps(tree)}!"}
    (redaction,) = formatted.redact_many([record])
    assert redaction.failure is None, redaction.detail
    value: Any = redaction.value
    assert shape(value["value"]) == shape(tree)
    assert shape(json.loads(value["arguments"])) == shape(tree)
    assert shape(json.loads(value["said"][4:-1])) == shape(tree)


def test_a_second_run_does_no_harm(formatted: Redactor, masked: tuple[str, Any]) -> None:
    """Nothing that comes in is trusted: our own surrogates are replaced by others of their form."""
    said, profile = masked
    (again,) = formatted.redact_many([{"said": said, "result": json.dumps(profile)}])
    assert again.failure is None
    value: Any = again.value
    assert json.loads(value["result"]).keys() == profile.keys()


def test_the_audit_tells_our_address_from_every_other(policy: PiiPolicy) -> None:
    ours = NAMES.name("EMAIL_ADDRESS", "ada@example.org")
    with_other_key = make_names(FORMATTED, SurrogateKey(bytes(range(1, 33))))
    assert find_residue([f"to={ours}"], [], policy, NAMES) == set()
    forged = ("bcdfghjklmnp.bcdfg@example.com", "ada@example.com", ours.replace(".com", ".co"),
              f"x{ours}", with_other_key.name("EMAIL_ADDRESS", "ada@example.org"))  # fmt: skip
    for text in forged:
        assert find_residue([text], [], policy, NAMES) == {"EMAIL_ADDRESS"}, text
    assert find_residue([NAMES.name("CREDIT_CARD", "4111111111111111")], [], policy, NAMES) == set()
    assert find_residue(["4111111111111111"], [], policy, NAMES) == {"CREDIT_CARD"}
    of_a_trace = make_names(Replacement(scope="trace", style="format_preserving"), KEY, "t1")
    at_rest = make_names(Replacement(scope="trace", style="format_preserving"), KEY)
    theirs = of_a_trace.name("EMAIL_ADDRESS", "ada@example.org")
    assert find_residue([theirs], [], policy, at_rest) == set()


@pytest.mark.parametrize("entity", ["SECRET", "CRYPTO", "FORGED", "UK_NHS", "WITHHELD"])
def test_what_has_no_form_of_its_own_stays_typed(entity: str) -> None:
    assert NAMES.name(entity, "AKIAIOSFODNN7EXAMPLE").startswith(f"{entity}_")


def test_the_style_may_be_chosen_by_entity() -> None:
    mixed = make_names(Replacement(styles={"EMAIL_ADDRESS": "format_preserving"}), KEY)
    assert mixed.name("EMAIL_ADDRESS", "a@b.de").endswith("@example.com")
    assert mixed.name("PERSON", "Zora").startswith("PERSON_")
    but = make_names(FORMATTED.model_copy(update={"styles": {"PERSON": "typed"}}), KEY)
    assert but.name("PERSON", "Zora").startswith("PERSON_")
    assert but.name("ZIP_CODE", "78750").isdigit()


@settings(max_examples=300)
@given(st.sampled_from(sorted(_MAKERS)), st.text(min_size=1, max_size=40))
def test_whatever_the_value_the_surrogate_is_another_and_the_same_each_time(
    entity: str, value: str
) -> None:
    made = NAMES.name(entity, value)
    assert made == NAMES.name(entity, value)
    assert normal(entity, made) != normal(entity, value)


@given(st.dates(dt.date(1901, 1, 1), dt.date(2099, 1, 1)), st.integers(-182, 182))
def test_a_date_moves_by_so_many_days_in_every_form(day: dt.date, days: int) -> None:
    moved, iso = day + dt.timedelta(days=days), day.isoformat()
    for form in ("%Y-%m-%d", "%m/%d/%Y", "%d.%m.%Y", "%Y/%m/%d"):
        assert moved_date(iso, day.strftime(form), days) == moved.strftime(form)
    assert moved_date(iso, f"{day.day} {day:%B} {day.year}", days) == (
        f"{moved.day} {moved:%B} {moved.year}"
    )


@pytest.mark.parametrize("text", ["yesterday", "31/31/1990", "1990", "April", "1/2/3/4", ""])
def test_what_is_no_date_is_typed(text: str) -> None:
    assert moved_date(text, text, 5) is None
    assert NAMES.name("DATE_OF_BIRTH", text or "x").startswith("DATE_OF_BIRTH_")


def of_trace(trace_id: str, style: Any = "typed") -> Names:
    return make_names(Replacement(scope="trace", style=style), KEY, trace_id)


@pytest.mark.parametrize("style", ["typed", "format_preserving"])
@pytest.mark.parametrize("entity", ["PERSON", "EMAIL_ADDRESS", "USER_ID"])
def test_with_scope_trace_equal_values_are_equal_in_their_trace_alone(
    style: Any, entity: str
) -> None:
    one = of_trace("t1", style).name(entity, "zora_quell_3668")
    assert one == of_trace("t1", style).name(entity, "zora_quell_3668")
    assert one != of_trace("t2", style).name(entity, "zora_quell_3668")


def test_a_redactor_of_scope_trace_needs_the_ids_of_the_traces(policy: PiiPolicy) -> None:
    redactor = Redactor(policy.model_copy(update={"surrogates": Replacement(scope="trace")}), KEY)
    with pytest.raises(ValueError, match="ids of the traces"):
        redactor.redact_many(["I am Zora"])
    texts = [{"first_name": "Zora"}] * 2
    one, two = redactor.redact_many(texts, ["t1", "t2"])
    assert one.value != two.value
    assert redactor.redact_many(texts[:1], ["t1"])[0] == one


def test_key_scope_and_style_all_name_the_scheme() -> None:
    other = SurrogateKey(bytes(range(1, 33)))
    made = {
        scheme_of(replacement, key)
        for key in (KEY, other)
        for replacement in (
            Replacement(),
            FORMATTED,
            Replacement(scope="trace"),
            Replacement(scope="trace", styles={"PERSON": "format_preserving"}),
        )
    }
    assert len(made) == 8
    assert scheme_of(Replacement(), KEY) == KEY.key_id


def test_an_address_and_an_account_hold_fifty_bits() -> None:
    assert 20**12 > 2**50  # the letters before the tag
    many = {NAMES.name("IBAN_CODE", f"DE89{n:018}")[4:] for n in range(200)}
    assert len(many) == 200
    assert 10**18 > 2**50
