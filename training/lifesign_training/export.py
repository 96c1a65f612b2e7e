"""A network as ONNX, node by node: convolutions with explicit padding, ReLU6 as Clip, nothing an engine could lack."""

from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import torch
from onnx import TensorProto, helper, numpy_helper

from .network import Conv, Network, fused

OPSET = 17
TOLERANCE = 1e-4  # between PyTorch and ONNX Runtime, relative to the logit where that is above 1


class Graph:
    def __init__(self):
        self.nodes, self.constants = [], []

    def constant(self, name: str, value: np.ndarray) -> str:
        self.constants.append(numpy_helper.from_array(np.asarray(value, np.float32), name))
        return name

    def add(self, kind: str, inputs: list[str], output: str, **attributes) -> str:
        self.nodes.append(helper.make_node(kind, inputs, [output], output, **attributes))
        return output

    def conv(self, module: Conv, name: str, x: str) -> str:
        kernel, stride = module.kernel_size[0], module.stride[0]
        total = kernel - stride  # "same" padding on an even size; the odd pixel goes right and below
        before = total // 2
        weight = self.constant(f"{name}.weight", module.weight.detach().numpy())
        bias = self.constant(f"{name}.bias", module.bias.detach().numpy())
        return self.add("Conv", [x, weight, bias], name, kernel_shape=[kernel] * 2, strides=[stride] * 2,
                        pads=[before, before, total - before, total - before], group=module.groups)

    def relu6(self, x: str) -> str:
        return self.add("Clip", [x, "zero", "six"], f"{x}.relu6")


def to_onnx(network: Network, size: int) -> onnx.ModelProto:
    graph = Graph()
    graph.constant("zero", np.array(0)), graph.constant("six", np.array(6))
    x = graph.relu6(graph.conv(network._conv_stem, "stem", "input"))
    for index, block in enumerate(network._blocks):
        name, y = f"block{index}", x
        if block._expand_conv is not None:
            y = graph.relu6(graph.conv(block._expand_conv, f"{name}.expand", y))
        y = graph.relu6(graph.conv(block._depthwise_conv, f"{name}.depthwise", y))
        y = graph.conv(block._project_conv, f"{name}.project", y)
        x = graph.add("Add", [x, y], f"{name}.sum") if block.skip else y
    x = graph.relu6(graph.conv(network._conv_head, "head", x))
    x = graph.add("Flatten", [graph.add("GlobalAveragePool", [x], "pool")], "features", axis=1)
    head_weight, head_bias = network.fused_head()
    weight = graph.constant("logit.weight", head_weight.detach().numpy())
    bias = graph.constant("logit.bias", head_bias.detach().numpy())
    graph.add("Gemm", [x, weight, bias], "logit", transB=1)
    model = helper.make_model(
        helper.make_graph(
            graph.nodes, "lifesign-pad",
            [helper.make_tensor_value_info("input", TensorProto.FLOAT, [1, 3, size, size])],
            [helper.make_tensor_value_info("logit", TensorProto.FLOAT, [1, 1])],
            graph.constants,
        ),
        opset_imports=[helper.make_opsetid("", OPSET)], ir_version=8, producer_name="lifesign-training",
    )
    onnx.checker.check_model(model, full_check=True)
    return model


def export(network: Network, size: int, file: Path) -> None:
    """Writes the network, having compared it with PyTorch."""
    network = network.cpu().eval()
    model = to_onnx(network, size)
    x = torch.randn(4, 3, size, size, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        expected = fused(network(x)).numpy()[:, None]
    session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    found = np.concatenate([session.run(None, {"input": one[None].numpy()})[0] for one in x])
    error = np.max(np.abs(found - expected) / np.maximum(1, np.abs(expected)))
    if error > TOLERANCE:
        raise RuntimeError(f"ONNX Runtime and PyTorch differ by {error}")
    onnx.save(model, file)
