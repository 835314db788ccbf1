"""The name detector's weights, from 4 bits a weight to integer arithmetic.

The wheel holds 4-bit weights, which ONNX Runtime multiplies as floats: 3.4 thousand tokens a
second on one core here, and full floats no more. As 8-bit integers the same weights do 7.3
thousand. Half the range of 8 bits is used: products of two such pairs never overflow the 16 bits
that processors without VNNI add them in, so every machine computes the same integers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import onnx

__all__ = ["to_integers"]

_HALF_RANGE: Final = 63.0
_ZERO: Final = 8.0  # what an unsigned 4-bit weight is counted from


def to_integers(weights: bytes) -> bytes:
    """Return the model with every 4-bit matrix product as a product of 8-bit integers.

    Activations are scaled by the largest value of the call, so a call must hold one text alone:
    beside another its spans would be others.

    Args:
        weights: an ONNX model whose `MatMulNBits` nodes have 4 bits and no zero points.

    Raises:
        ValueError: the model has weights of another form.
    """
    import onnx
    from onnx import helper, numpy_helper

    model = onnx.load_model_from_string(weights)
    given = {tensor.name: tensor for tensor in model.graph.initializer}
    nodes: list[onnx.NodeProto] = []
    scaled: set[str] = set()
    for node in model.graph.node:
        if node.op_type != "MatMulNBits":
            nodes.append(node)
            continue
        read, packed, scales = node.input[:3]
        matrix = _unpack(node, given.pop(packed), given.pop(scales))
        steps = np.abs(matrix).max(axis=0) / _HALF_RANGE
        integers = np.rint(matrix / np.where(steps == 0, 1, steps)).astype(np.int8)
        name = node.output[0]
        given[f"{name}/w"] = numpy_helper.from_array(integers, f"{name}/w")
        given[f"{name}/s"] = numpy_helper.from_array(steps.astype(np.float32), f"{name}/s")
        if read not in scaled:  # query, key and value read the same
            scaled.add(read)
            parts = [f"{read}/q", f"{read}/s", f"{read}/z"]
            nodes.append(helper.make_node("DynamicQuantizeLinear", [read], parts))
        nodes += [
            helper.make_node(
                "MatMulInteger", [f"{read}/q", f"{name}/w", f"{read}/z"], [f"{name}/i"]
            ),
            helper.make_node("Cast", [f"{name}/i"], [f"{name}/f"], to=onnx.TensorProto.FLOAT),
            helper.make_node("Mul", [f"{read}/s", f"{name}/s"], [f"{name}/m"]),
            helper.make_node("Mul", [f"{name}/f", f"{name}/m"], [name]),
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
