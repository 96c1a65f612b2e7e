"""What people wear on their faces: medical masks and dark glasses, drawn on both classes alike, so that neither becomes
the mark of a mask attack."""

import cv2
import numpy as np

from .optics import Rng, laid, soft, to_bytes
from .scene import Scene

SHARE = 0.07  # of the scenes


def polygon(shape: tuple[int, int], points: np.ndarray, softness: float) -> np.ndarray:
    mask = np.zeros(shape, np.uint8)
    cv2.fillPoly(mask, [np.round(points * 8).astype(np.int32)], 255, cv2.LINE_AA, shift=3)
    return soft(mask, softness)


def shading(pixels: np.ndarray, width: float) -> np.ndarray:
    """The light on the face, without its detail."""
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    soft = cv2.GaussianBlur(grey, (0, 0), max(1.0, width / 8)).astype(np.float32)
    return (soft / max(float(soft.mean()), 1.0))[..., None]


def medical_mask(scene: Scene, rng: Rng) -> np.ndarray:
    x, y, w, h = scene.box
    top = rng.uniform(0.5, 0.62)
    points = np.array([[0.04, top + 0.08], [0.5, top - 0.04], [0.96, top + 0.08], [0.93, 0.85], [0.5, 1.06], [0.07, 0.85]])
    points = (points + rng.normal(0, 0.015, points.shape)) * [w, h] + [x, y]
    colours = [(150, 190, 215), (235, 238, 240), (35, 35, 40), (190, 215, 200), rng.uniform(40, 230, 3)]
    colour = np.asarray(colours[rng.choice(5, p=[0.35, 0.3, 0.15, 0.1, 0.1])], np.float32)
    rows = np.arange(scene.pixels.shape[0], dtype=np.float32)[:, None, None]
    pleats = 1 + rng.uniform(0, 0.08) * np.sin(2 * np.pi * (rows - y) / h * rng.uniform(8, 14))
    level = np.clip(scene.pixels.mean() / 120, 0.4, 1.3)
    cloth = colour * level * pleats * np.clip(shading(scene.pixels, w), 0.5, 1.5)
    share = polygon(scene.pixels.shape[:2], points, rng.uniform(0.5, 1.2))
    return laid(scene.pixels, cloth, share)


def dark_glasses(scene: Scene, rng: Rng) -> np.ndarray:
    x, y, w, h = scene.box
    image = scene.pixels.astype(np.float32)
    turns = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    opaque = rng.uniform(0.55, 0.97)
    colour = rng.uniform(5, 60) * rng.uniform(0.7, 1, 3)
    for side in (0.29, 0.71):
        centre = np.array([x + side * w, y + 0.4 * h])
        lens = centre + np.stack([np.cos(turns) * 0.18 * w, np.sin(turns) * rng.uniform(0.09, 0.13) * h], 1)
        share = polygon(scene.pixels.shape[:2], lens, 0.6) * opaque
        image = laid(image, colour, share)
    return image


def dressed(scene: Scene, rng: Rng) -> Scene:
    if rng.random() >= SHARE:
        return scene
    image = (medical_mask if rng.random() < 0.75 else dark_glasses)(scene, rng)
    return Scene(to_bytes(image), scene.box)
