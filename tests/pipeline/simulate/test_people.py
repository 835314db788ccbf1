"""Invented personal data: valid where a checksum exists, the same whenever it is asked for."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from pipeline.simulate.catalogue import tracking_number
from pipeline.simulate.people import card_number, iban, person
from pipeline.simulate.plan import LANGUAGES


@given(st.integers(0, 10**6))
def test_cards_pass_the_luhn_check(seed: int) -> None:
    digits = [int(c) for c in card_number(random.Random(seed)).replace(" ", "")]
    doubled = [d if n % 2 == 0 else sum(divmod(2 * d, 10)) for n, d in enumerate(digits[::-1])]
    assert sum(doubled) % 10 == 0


@given(st.integers(0, 10**6), st.sampled_from(["DE", "GB", "IE", "ES", "FR", "US"]))
def test_ibans_leave_one_modulo_97(seed: int, country: str) -> None:
    number = iban(random.Random(seed), country).replace(" ", "")
    turned = number[4:] + number[:4]
    assert int("".join(str(int(c, 36)) for c in turned)) % 97 == 1


def test_a_parcel_number_has_the_check_digit_of_s10() -> None:
    # 47312482 with the weights 8 6 4 2 3 5 9 7:
    # 32+42+12+2+6+20+72+14 = 200; 200 mod 11 = 2; 11 - 2 = 9.
    class Fixed(random.Random):
        def randint(self, a: int, b: int) -> int:
            return 47312482

    assert tracking_number(Fixed(), "US") == "RP473124829US"


@given(st.sampled_from(LANGUAGES), st.integers(0, 40))
def test_a_customer_stays_the_same(lang: str, number: int) -> None:
    assert person(7, lang, number) == person(7, lang, number)
    assert person(7, lang, number).user_id != person(8, lang, number).user_id
    assert person(7, lang, number).email.isascii()
