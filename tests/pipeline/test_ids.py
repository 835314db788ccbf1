"""Identity is a digest of content."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.ids import canonical_json, digest, keyed_digest, unit_interval

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(st.text(), JSON))
def test_the_order_of_keys_changes_no_id(value: dict[str, object]) -> None:
    turned = dict(reversed(value.items()))
    assert canonical_json(value) == canonical_json(turned)
    assert digest(value) == digest(turned)


def test_parts_cannot_run_into_one_another() -> None:
    assert digest("ab", "c") != digest("a", "bc") != digest(["a", "bc"])


def test_a_keyed_digest_needs_its_key() -> None:
    assert keyed_digest(b"one", "user-7") != keyed_digest(b"two", "user-7") != digest("user-7")


def test_a_lone_surrogate_has_no_canonical_form() -> None:
    with pytest.raises(TypeError):
        canonical_json("\ud800")


def test_the_unit_interval_is_uniform_and_repeatable() -> None:
    draws = [unit_interval("seed", n) for n in range(4000)]
    assert draws == [unit_interval("seed", n) for n in range(4000)]
    assert all(0 <= draw < 1 for draw in draws)
    # The mean of n uniform draws has standard deviation 1 / sqrt(12 n): 0.0046 for 4,000.
    assert abs(sum(draws) / 4000 - 0.5) < 4 * 0.0046
