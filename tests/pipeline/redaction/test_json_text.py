from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.redaction.notation.json_text import JsonText, close_json, open_json

SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
TREES = st.recursive(
    SCALARS, lambda t: st.lists(t, max_size=4) | st.dictionaries(st.text(), t, max_size=4)
)


@given(TREES)
def test_opening_and_closing_changes_nothing(tree: object) -> None:
    nested = {"arguments": json.dumps(tree), "value": tree}
    assert close_json(open_json(nested)) == nested


@pytest.mark.parametrize(
    "text",
    [
        '{"a": 1, "a": 2}',  # a copy would lose the first value
        '{"a": NaN}',
        '{"a": 1e999}',
        "[1, 2",
        "[HC-101] says so",
    ],
)
def test_text_that_is_not_plainly_json_stays_text(text: str) -> None:
    assert open_json(text) == text


def test_json_in_json_is_opened_too() -> None:
    inner = json.dumps({"name": "x"})
    opened = open_json(json.dumps({"result": inner}))
    assert isinstance(opened, JsonText)
    assert isinstance(opened.value, dict)
    assert isinstance(opened.value["result"], JsonText)
