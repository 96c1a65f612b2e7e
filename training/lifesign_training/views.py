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


# Far shows the room, the bezel, the hand that holds a display; it decides most on webcams. Tight shows the face alone at more
# pixels: the grain of a print, the beat of two pixel grids, the rim of a mask, where no edge of a display is in sight. Of the folds,
# 0.7 for far is best where the room shows, 0.5 where it was cut away (docs/accuracy.md); nobody knows beforehand which it will be.
VIEWS = [View("far", 4.0, 112, 0.6), View("tight", 1.5, 128, 0.4)]


def normalise(pixels: Tensor) -> Tensor:
    """N x S x S x 3 uint8 to the network's input."""
    x = pixels.permute(0, 3, 1, 2).float() / 255
    mean, std = (torch.tensor(v, device=x.device).view(1, 3, 1, 1) for v in (MEAN, STD))
    return (x - mean) / std
