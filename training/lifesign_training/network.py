"""EfficientNet-Lite0 (Apache-2.0) with one bona fide logit, in plain operations that any ONNX runtime knows.

Batch norm is folded into the convolutions from the start. Its statistics would have to stay ImageNet's anyway (ours
would mix few sources and both classes in one small batch), and without it a training step on a CPU is 3 times faster.
"""

from torch import Tensor, nn
from torch.nn import functional as F

MEAN = (0.485, 0.456, 0.406)  # of ImageNet, as the initial weights were trained; RGB
STD = (0.229, 0.224, 0.225)

# expansion, channels, repeats, first stride, kernel
STAGES = ((1, 16, 1, 1, 3), (6, 24, 2, 2, 3), (6, 40, 2, 2, 5), (6, 80, 3, 2, 3), (6, 112, 3, 1, 5), (6, 192, 4, 2, 5), (6, 320, 1, 1, 3))
FEATURES = 1280
LABEL, TEACHERS, SPECIES = slice(0, 1), slice(1, 4), slice(4, 8)  # the outputs
HEADS = 8
# Of the mean of the teachers' logits, as the network imitates them, beside the label's logit of 1: what leaves the network.
# Both then spread about alike; the folds chose it (docs/accuracy.md).
TEACHERS_WEIGHT = 4.0


class Conv(nn.Conv2d):
    """TensorFlow's "same" padding: on an even input with stride 2 the right and bottom get one more."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1):
        super().__init__(inputs, outputs, kernel, stride, groups=groups)
        if stride == 1:
            self.padding = (kernel // 2, kernel // 2)

    def forward(self, x: Tensor) -> Tensor:
        if self.stride[0] > 1:
            before = (self.kernel_size[0] - 2) // 2
            x = F.pad(x, (before, self.kernel_size[0] - 2 - before) * 2)
        return super().forward(x)


class Block(nn.Module):
    """Inverted residual: expand, filter each channel, project. Names are those of the published weights."""

    def __init__(self, inputs: int, outputs: int, expansion: int, stride: int, kernel: int):
        super().__init__()
        inner = inputs * expansion
        self.skip = stride == 1 and inputs == outputs
        self._expand_conv = Conv(inputs, inner, 1) if expansion != 1 else None
        self._depthwise_conv = Conv(inner, inner, kernel, stride, groups=inner)
        self._project_conv = Conv(inner, outputs, 1)

    def forward(self, x: Tensor) -> Tensor:
        y = F.relu6(self._expand_conv(x)) if self._expand_conv is not None else x
        y = self._project_conv(F.relu6(self._depthwise_conv(y)))
        return x + y if self.skip else y


def fused(outputs: Tensor) -> Tensor:
    """N x HEADS outputs to N bona fide logits."""
    return outputs[:, LABEL][:, 0] + TEACHERS_WEIGHT * outputs[:, TEACHERS].mean(1)


class Network(nn.Module):
    """Input: normalised RGB, N x 3 x S x S, S a multiple of 16. Output: N x HEADS: the label's logit (higher is more bona
    fide), each teacher's standardised logit, and logits of the species, bona fide among them."""

    def __init__(self, dropout: float = 0.2):
        super().__init__()
        self._conv_stem = Conv(3, 32, 3, 2)
        blocks, channels = [], 32
        for expansion, outputs, repeats, stride, kernel in STAGES:
            for index in range(repeats):
                blocks.append(Block(channels, outputs, expansion, stride if index == 0 else 1, kernel))
                channels = outputs
        self._blocks = nn.ModuleList(blocks)
        self._conv_head = Conv(channels, FEATURES, 1)
        self.dropout = nn.Dropout(dropout)
        self.heads = nn.Linear(FEATURES, HEADS)
        nn.init.zeros_(self.heads.weight)
        nn.init.zeros_(self.heads.bias)

    def features(self, x: Tensor) -> Tensor:
        x = F.relu6(self._conv_stem(x))
        for block in self._blocks:
            x = block(x)
        return F.relu6(self._conv_head(x)).mean((2, 3))

    def fused_head(self) -> tuple[Tensor, Tensor]:
        """Weight (1 x FEATURES) and bias of the one logit that leaves the network: `fused` of the outputs."""
        weight, bias = fused(self.heads.weight.T), fused(self.heads.bias[None])
        return weight[None], bias

    def forward(self, x: Tensor) -> Tensor:
        return self.heads(self.dropout(self.features(x)))
