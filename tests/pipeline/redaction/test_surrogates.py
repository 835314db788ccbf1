from __future__ import annotations

import html
import json
import math

import yaml
from hypothesis import given
from hypothesis import strategies as st

from pipeline.redaction import SURROGATE, SurrogateKey
from pipeline.redaction.replacement.surrogates import Surrogates

NAMES = Surrogates(SurrogateKey(bytes(range(32))))


@given(st.text(min_size=1))
def test_a_surrogate_never_reveals_length_and_survives_every_format(value: str) -> None:
    name = NAMES.name("PERSON", value)
    assert SURROGATE.fullmatch(name)
    assert len(name) == len("PERSON_") + 12
    assert json.dumps(name) == f'"{name}"'
    assert html.escape(name) == name
    assert yaml.safe_load(name) == name


def test_twelve_consonants_hold_more_than_fifty_bits() -> None:
    assert math.log2(20**12) > 50  # 51.86


@given(st.text(min_size=1))
def test_the_same_value_always_has_the_same_surrogate(value: str) -> None:
    assert NAMES.name("PERSON", value) == NAMES.name("PERSON", value)


def test_case_accents_and_white_space_do_not_matter() -> None:
    assert NAMES.name("PERSON", "JOSÉ  Peña") == NAMES.name("PERSON", "jose pena")


def test_punctuation_and_country_code_of_a_phone_do_not_matter() -> None:
    assert NAMES.name("PHONE_NUMBER", "+1 (503) 555-0123") == NAMES.name(
        "PHONE_NUMBER", "503.555.0123"
    )


def test_type_and_key_matter() -> None:
    other = Surrogates(SurrogateKey(bytes(range(1, 33))))
    assert NAMES.name("PERSON", "ada") != NAMES.name("USER_ID", "ada")
    assert NAMES.name("PERSON", "ada") != other.name("PERSON", "ada")


@given(st.integers(0, 10**20))
def test_a_number_stands_for_a_number_exactly_even_in_a_double(value: int) -> None:
    masked = NAMES.number("ZIP_CODE", value)
    assert masked == int(float(masked))
    assert len(str(masked)) == 16
