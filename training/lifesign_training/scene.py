"""A scene: a square piece of a picture with one face in it. All augmentation happens on scenes, all views are cut
from the finished scene, so that every view and every teacher sees the same capture."""

from dataclasses import dataclass

import cv2
import numpy as np

from .manifest import Box
from .picture import square_inside

SIDE = 256  # pixels; a face 2.7 times smaller keeps about 95 of them, more than a view of 144 px can use


@dataclass
class Scene:
    pixels: np.ndarray  # SIDE x SIDE x 3, uint8, RGB
    box: Box


def scene_from(pixels: np.ndarray, box: Box, factor: float) -> Scene:
    """The surroundings of the face, `factor` times its box where the picture reaches that far."""
    height, width = pixels.shape[:2]
    left, top, right, bottom = (round(v) for v in square_inside(box, factor, width, height))
    scale = SIDE / (right - left)
    filter_ = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    patch = cv2.resize(pixels[top:bottom, left:right], (SIDE, SIDE), interpolation=filter_)
    x, y, w, h = box
    return Scene(patch, ((x - left) * scale, (y - top) * scale, w * scale, h * scale))


def warp_box(box: Box, matrix: np.ndarray) -> Box:
    """The upright box about the warped corners."""
    x, y, w, h = box
    corners = np.array([[[x, y], [x + w, y], [x, y + h], [x + w, y + h]]], np.float32)
    moved = cv2.perspectiveTransform(corners, matrix.astype(np.float64))[0]
    low, high = moved.min(0), moved.max(0)
    return float(low[0]), float(low[1]), float(high[0] - low[0]), float(high[1] - low[1])
