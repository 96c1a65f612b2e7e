"""What each network is shown: how much around the face, at how many pixels."""

from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from .manifest import Box
from .network import MEAN, STD
from .picture import CropBox, cut, square_inside
from .resample import resample


@dataclass(frozen=True)
class View:
    name: str
    factor: float  # side of the square, in longer sides of the face box
    size: int  # pixels of the network's input
    weight: float  # of its logit in the raw score

    def cut(self, pixels: np.ndarray, crop: CropBox) -> np.ndarray:
        """uint8 RGB, the quick way: for training."""
        return cut(pixels, crop, self.size)

    def of(self, picture: Image.Image, box: Box) -> np.ndarray:
        """uint8 RGB, bit for bit as the service cuts it: for golden values, calibration and evaluation."""
        return resample(np.asarray(picture), square_inside(box, self.factor, *picture.size), self.size)


# Wide shows the face with what is nearest to it: the grain of the skin, hair, a bezel, fingers. Far shows the room and
# the bezel of a display held far from the camera. On webcams far is by far the better one; where no edge is in sight
# wide sees the face at nearly twice the pixels, and nothing here measures that. Hence half and half.
VIEWS = [View("wide", 2.7, 144, 0.5), View("far", 4.0, 112, 0.5)]


def normalise(pixels: Tensor) -> Tensor:
    """N x S x S x 3 uint8 to the network's input."""
    x = pixels.permute(0, 3, 1, 2).float() / 255
    mean, std = (torch.tensor(v, device=x.device).view(1, 3, 1, 1) for v in (MEAN, STD))
    return (x - mean) / std
