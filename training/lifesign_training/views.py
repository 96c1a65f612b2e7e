"""What each network is shown: how much around the face, at how many pixels."""

from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from .manifest import Box
from .network import MEAN, STD
from .picture import CropBox, cut, square_inside


@dataclass(frozen=True)
class View:
    name: str
    factor: float  # side of the square, in longer sides of the face box
    size: int  # pixels of the network's input
    weight: float  # of its logit in the raw score

    def cut(self, pixels: np.ndarray, crop: CropBox) -> np.ndarray:
        return cut(Image.fromarray(pixels), crop, self.size)

    def of(self, picture: Image.Image, box: Box) -> np.ndarray:
        """uint8 RGB, as the service cuts it."""
        return cut(picture, square_inside(box, self.factor, *picture.size), self.size)


# Wide shows the bezel, the hand and the room; tight shows the skin at the finest grain.
# Weights chosen on held-out sources: alone, tight errs far more often, but it errs on other pictures.
VIEWS = [View("wide", 2.7, 144, 0.8), View("tight", 1.4, 112, 0.2)]


def normalise(pixels: Tensor) -> Tensor:
    """N x S x S x 3 uint8 to the network's input."""
    x = pixels.permute(0, 3, 1, 2).float() / 255
    mean, std = (torch.tensor(v, device=x.device).view(1, 3, 1, 1) for v in (MEAN, STD))
    return (x - mean) / std
