"""Antialiased bilinear resampling, bit for bit what the service's engine does (fast_image_resize 6, `Convolution`
with `Bilinear` on 8-bit RGB).

Pillow does the same sum, but passes along the rows first, with finer weights; here the columns come first, the result
of each pass is rounded to 8 bits, and weights are 16-bit integers. The difference is at most one grey level, which
moves a logit by some thousandths: too much for golden values, nothing for training, which stays with Pillow's speed.
"""

import math

import numpy as np

from .picture import CropBox

WEIGHT_BITS = 15  # of a weight's magnitude
MOST_PRECISION = 21  # 32 bits of the sum, less 8 of the value, 2 spare, and the sign


def weights(extent: int, start: float, end: float, size: int) -> np.ndarray:
    """size x extent: how much each pixel of a line counts in each of the `size` pixels made of `start` to `end`.

    The order of the operations is the engine's: another one can round a weight differently."""
    scale = (end - start) / size
    reach = max(scale, 1.0)  # the filter widens when shrinking
    shrink = 1.0 / reach
    matrix = np.zeros((size, extent))
    for index in range(size):
        centre = start + (index + 0.5) * scale
        first, last = max(math.floor(centre - reach), 0), min(math.ceil(centre + reach), extent)
        line = np.maximum(1.0 - np.abs((np.arange(first, last) - (centre - 0.5)) * shrink), 0.0)
        matrix[index, first:last] = line / np.cumsum(line)[-1]  # cumsum adds one by one, sum in pairs
    return matrix


class Kernel:
    """The weights of one pass as the engine has them: whole numbers of 2^-precision, for the pixels from `first` on."""

    def __init__(self, extent: int, start: float, end: float, size: int):
        exact = weights(extent, start, end, size)
        greatest = exact.max()  # keeps as many bits as leave it below 2^WEIGHT_BITS
        full = (bits for bits in range(MOST_PRECISION) if round(greatest * 2 ** (bits + 1)) >= 2**WEIGHT_BITS)
        self.precision = next(full, MOST_PRECISION)
        used = np.flatnonzero(exact.any(0))
        self.first, self.last = int(used[0]), int(used[-1]) + 1
        self.whole = np.floor(exact[:, self.first : self.last] * 2**self.precision + 0.5)

    def apply(self, lines: np.ndarray) -> np.ndarray:
        """Sums the lines, rounded to 8 bits. Whole numbers below 2^53 in floats: exact, and faster than integers."""
        total = self.whole @ lines.reshape(len(lines), -1).astype(np.float64)
        value = (total.astype(np.int64) + (1 << self.precision - 1)) >> self.precision
        return np.clip(value, 0, 255).astype(np.uint8).reshape(-1, *lines.shape[1:])


def resample(pixels: np.ndarray, crop: CropBox, size: int) -> np.ndarray:
    """The part `crop` (left, top, right, bottom; not necessarily whole pixels) of uint8 RGB, at size x size."""
    height, width = pixels.shape[:2]
    left, top, right, bottom = crop
    down, across = Kernel(height, top, bottom, size), Kernel(width, left, right, size)
    columns = down.apply(pixels[down.first : down.last, across.first : across.last])
    return across.apply(columns.transpose(1, 0, 2)).transpose(1, 0, 2).copy()
