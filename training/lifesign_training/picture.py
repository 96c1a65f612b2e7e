"""Reading pictures and cutting faces out of them by the service's rule."""

from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from .manifest import Box

CropBox = tuple[float, float, float, float]  # left, top, right, bottom in pixels


def open_picture(path: Path) -> Image.Image:
    """RGB, with the EXIF orientation applied: boxes are in the picture as people see it."""
    with Image.open(path) as image:
        return ImageOps.exif_transpose(image).convert("RGB")


def square_inside(box: Box, factor: float, width: int, height: int) -> CropBox:
    """Crop rule `square-inside`: a square about the box centre, shifted so that it lies inside the picture."""
    x, y, w, h = box
    side = min(factor * max(w, h), width, height)
    left = min(max(x + w / 2 - side / 2, 0.0), width - side)
    top = min(max(y + h / 2 - side / 2, 0.0), height - side)
    return left, top, left + side, top + side


def cut(pixels: np.ndarray, crop: CropBox, size: int) -> np.ndarray:
    """The crop at size x size, uint8 RGB; the filter widens when shrinking (antialiasing). By Pillow, which differs from
    the service by at most one grey level: `resample.py` is exact, and slower."""
    return np.array(Image.fromarray(pixels).resize((size, size), Image.Resampling.BILINEAR, box=crop))


def overlap(a: Box, b: Box) -> float:
    """Intersection over union."""
    w = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    h = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    inter = max(w, 0.0) * max(h, 0.0)
    return inter / (a[2] * a[3] + b[2] * b[3] - inter)
