"""Light, lenses and layers: what the simulated attacks are put together from."""

import cv2
import numpy as np

from .scene import SIDE

Rng = np.random.Generator
Y, X = (axis / SIDE for axis in np.mgrid[0:SIDE, 0:SIDE].astype(np.float32))
TO_LIGHT = ((np.arange(256) / 255) ** 2.2).astype(np.float32)  # a camera's values to light, 0 to 1


def to_bytes(image: np.ndarray) -> np.ndarray:
    return np.clip(image, 0, 255).astype(np.uint8)


def to_light(pixels: np.ndarray) -> np.ndarray:
    return cv2.LUT(pixels, TO_LIGHT)


def to_pixels(light: np.ndarray) -> np.ndarray:
    """As floats of 0 to 255; what is brighter than white is cut off."""
    return np.clip(light, 0, 1) ** np.float32(1 / 2.2) * 255


def ramp(rng: Rng) -> np.ndarray:
    """Uneven light: a slope and a soft bow, about 1."""
    angle, bow = rng.uniform(0, 2 * np.pi, 2)
    along = X * np.cos(angle) + Y * np.sin(angle)
    across = X * np.cos(bow) + Y * np.sin(bow)
    return 1 + rng.uniform(0, 0.3) * (along - along.mean()) + rng.uniform(0, 0.15) * np.sin(2 * np.pi * across * rng.uniform(0.3, 1.5))


def glare(image: np.ndarray, rng: Rng) -> np.ndarray:
    """Reflected lamps and windows."""
    light = np.zeros((SIDE, SIDE), np.float32)
    for _ in range(rng.integers(1, 3)):
        if rng.random() < 0.5:
            centre, axes = rng.uniform(0, SIDE, 2), rng.uniform(8, 90, 2)
            cv2.ellipse(light, centre.astype(int).tolist(), axes.astype(int).tolist(), rng.uniform(0, 180), 0, 360, 1.0, -1)
        else:
            corner, reach = rng.uniform(0, SIDE, 2), rng.uniform(20, 200, (4, 2)) * [[0, 0], [1, 0.1], [1, 1], [0.1, 1]]
            cv2.fillConvexPoly(light, (corner + reach - 60).astype(np.int32), 1.0)
    light = cv2.GaussianBlur(light, (0, 0), rng.uniform(2, 20))
    return image + light[..., None] * rng.uniform(20, 150)


def soft(mask: np.ndarray, blur: float) -> np.ndarray:
    """A mask of bytes as shares, with the edge that a lens would make of it."""
    return cv2.GaussianBlur(mask, (0, 0), blur)[..., None].astype(np.float32) / 255


def laid(image: np.ndarray, layer: np.ndarray, share: np.ndarray) -> np.ndarray:
    return image * (1 - share) + layer * share
