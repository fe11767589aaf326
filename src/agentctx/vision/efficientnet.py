"""EfficientNet-Lite0 as an ONNX graph, from the weights of its PyTorch port.

Tan & Le, "EfficientNet" (2019), in the Lite form that Google trained on ImageNet (2020): no
squeeze-and-excitation, ReLU6, and TensorFlow's padding. Batch normalisation is folded into the
convolutions before it, as inference allows.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agentctx.extras import require

SIDE = 224  # pixels
FEATURES = 1280
CLASSES = 1000
# Of the 16 blocks, in order; everything else the weights tell by their shapes.
_STRIDES = (1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1, 1, 1, 1)
_EPSILON = 1e-3
# Old enough for every onnxruntime that agentctx runs with.
_OPSET, _IR_VERSION = 13, 8

State = Mapping[str, NDArray[Any]]


def build(state: State) -> bytes:
    """The serialised model: ``pixels`` [n, 3, 224, 224] to ``features`` [n, 1280] and ``logits``.

    ``features`` are what the classifier's last layer sees, and ``logits`` [n, 1000] what it makes
    of them. Raises KeyError where ``state`` is that of another network.
    """
    graph = _Graph(state)
    x = graph.conv("pixels", "_conv_stem", "_bn0", stride=2)
    for number, stride in enumerate(_STRIDES):
        x = graph.block(x, f"_blocks.{number}", stride)
    x = graph.conv(x, "_conv_head", "_bn1")
    pooled = graph.node("GlobalAveragePool", [x])
    graph.node("Flatten", [pooled], output="features", axis=1)
    weight = graph.constant("_fc.weight", state["_fc.weight"])
    bias = graph.constant("_fc.bias", state["_fc.bias"])
    graph.node("Gemm", ["features", weight, bias], output="logits", transB=1)
    return graph.serialised()


class _Graph:
    """Nodes and constants, as they are added."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._onnx = require("onnx", extra="screen")
        self._nodes: list[Any] = []
        self._constants: list[Any] = []

    def node(self, kind: str, inputs: list[str], output: str = "", **attributes: object) -> str:
        """Add an operation; gives the name of its output."""
        output = output or f"{kind}_{len(self._nodes)}"
        made = self._onnx.helper.make_node(kind, inputs, [output], name=output, **attributes)
        self._nodes.append(made)
        return output

    def constant(self, name: str, values: NDArray[Any]) -> str:
        """Add numbers under a name, float32; gives the name."""
        numbers = np.ascontiguousarray(values, np.float32)
        self._constants.append(self._onnx.numpy_helper.from_array(numbers, name))
        return name

    def conv(
        self, x: str, name: str, norm: str, *, stride: int = 1, groups: int = 1, relu: bool = True
    ) -> str:
        """A convolution with the normalisation after it, and the activation where there is one."""
        weight = self._state[f"{name}.weight"]
        scale = self._state[f"{norm}.weight"] / np.sqrt(
            self._state[f"{norm}.running_var"] + _EPSILON
        )
        bias = self._state[f"{norm}.bias"] - self._state[f"{norm}.running_mean"] * scale
        folded = self.constant(f"{name}.weight", weight * scale[:, None, None, None])
        shift = self.constant(f"{name}.bias", bias)
        x = self.node(
            "Conv", [x, folded, shift], group=groups, strides=[stride, stride],
            kernel_shape=list(weight.shape[2:]), auto_pad="SAME_UPPER",
        )  # fmt: skip
        return self.node("Clip", [x, *self._six()]) if relu else x

    def block(self, x: str, name: str, stride: int) -> str:
        """An inverted bottleneck; its input is added where the shapes are the same."""
        wide, came = x, x
        if f"{name}._expand_conv.weight" in self._state:
            wide = self.conv(x, f"{name}._expand_conv", f"{name}._bn0")
        depthwise = self._state[f"{name}._depthwise_conv.weight"]
        x = self.conv(
            wide, f"{name}._depthwise_conv", f"{name}._bn1", stride=stride, groups=len(depthwise)
        )
        x = self.conv(x, f"{name}._project_conv", f"{name}._bn2", relu=False)
        first = self._state.get(f"{name}._expand_conv.weight", depthwise)
        narrow = len(self._state[f"{name}._project_conv.weight"])
        same = stride == 1 and narrow == (first.shape[1] if wide != came else len(depthwise))
        return self.node("Add", [x, came]) if same else x

    def _six(self) -> tuple[str, str]:
        if not any(constant.name == "zero" for constant in self._constants):
            self.constant("zero", np.array(0))
            self.constant("six", np.array(6))
        return "zero", "six"

    def serialised(self) -> bytes:
        """The model's bytes, in ONNX's format."""
        helper = self._onnx.helper
        float32 = self._onnx.TensorProto.FLOAT
        made = helper.make_graph(
            self._nodes,
            "efficientnet-lite0",
            [helper.make_tensor_value_info("pixels", float32, ["n", 3, SIDE, SIDE])],
            [
                helper.make_tensor_value_info("features", float32, ["n", FEATURES]),
                helper.make_tensor_value_info("logits", float32, ["n", CLASSES]),
            ],
            self._constants,
        )
        model = helper.make_model(
            made, opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=_IR_VERSION
        )
        serialised: bytes = model.SerializeToString()
        return serialised
