"""A display or a sheet held before a camera: leaning, before a background; or so close that no edge shows."""

import cv2
import numpy as np

from .optics import Rng, laid, soft, to_bytes
from .scene import SIDE, Scene, warp_box


def corners_of(close: bool, rng: Rng) -> np.ndarray:
    """Of the display or sheet in the scene, in pixels."""
    if close:
        half = np.array([0.5, 0.5]) * (1.12 + 0.1 * rng.random())
    else:
        tall = rng.uniform(0.32, 0.5)
        half = np.array([tall * np.exp(rng.uniform(np.log(0.5), np.log(1.3))), tall])  # a phone upright to a photograph on its side
    corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * half * (1 + rng.uniform(-0.08, 0.08, (4, 2)))
    angle = rng.normal(0, 0.08)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    return (corners @ turn + 0.5 + (0 if close else rng.uniform(-0.06, 0.06, 2))) * SIDE


def shown_part(scene: Scene, aspect: float) -> np.ndarray:
    """Corners of the largest part of that aspect (width by height) with the face in its middle."""
    x, _, w, _ = scene.box
    width, height = min(SIDE, SIDE * aspect), min(SIDE, SIDE / aspect)
    left = np.clip(x + w / 2 - width / 2, 0, SIDE - width)
    top = (SIDE - height) / 2
    return np.array([[left, top], [left + width, top], [left + width, top + height], [left, top + height]], np.float32)


def fingers(image: np.ndarray, corners: np.ndarray, colour: np.ndarray, rng: Rng) -> np.ndarray:
    """That hold the edge."""
    which = rng.integers(4)
    a, b = corners[which], corners[(which + 1) % 4]
    along, inward = b - a, corners.mean(0) - (a + b) / 2
    inward = inward / np.linalg.norm(inward)
    first, thick = rng.uniform(0.1, 0.7), SIDE * rng.uniform(0.02, 0.05)
    for finger in range(rng.integers(1, 5)):
        tip = a + along * first + along / np.linalg.norm(along) * finger * thick * 2.1 + inward * thick * rng.uniform(0, 3)
        mask = np.zeros(image.shape[:2], np.uint8)
        root = tip - inward * thick * 8
        cv2.line(mask, np.round(root).astype(int).tolist(), np.round(tip).astype(int).tolist(), 255, int(2 * thick))
        image = laid(image, colour * rng.uniform(0.8, 1.1), soft(mask, thick / 3))
    return image


def skin_of(scene: Scene) -> np.ndarray:
    x, y, w, h = (int(value) for value in scene.box)
    patch = scene.pixels[max(y + h // 2, 0) : y + 2 * h // 3, max(x + w // 4, 0) : x + 3 * w // 4]
    return np.median(patch.reshape(-1, 3), 0) if patch.size else np.full(3, 120.0)


def held(scene: Scene, other: Scene, rng: Rng, edge_dark: bool) -> Scene:
    """`scene` is what the display or sheet shows; `other` lends the background and the hand."""
    close = rng.random() < 0.6
    target = corners_of(close, rng)
    width, height = np.linalg.norm(target[1] - target[0]), np.linalg.norm(target[3] - target[0])
    matrix = cv2.getPerspectiveTransform(shown_part(scene, width / height), target.astype(np.float32))
    box = warp_box(scene.box, matrix)
    if close:
        return Scene(cv2.warpPerspective(scene.pixels, matrix, (SIDE, SIDE), borderMode=cv2.BORDER_REFLECT_101), box)
    rim = rng.uniform(0.0, 0.12)
    outer = (target - target.mean(0)) * (1 + rim) + target.mean(0)
    colour = rng.uniform(0, 60, 3) if edge_dark else rng.uniform(170, 255) * rng.uniform(0.9, 1, 3)
    frame, inside = np.zeros((SIDE, SIDE), np.uint8), np.zeros((SIDE, SIDE), np.uint8)
    cv2.fillConvexPoly(frame, outer.astype(np.int32), 255, cv2.LINE_AA)
    cv2.fillConvexPoly(inside, target.astype(np.int32), 255, cv2.LINE_AA)
    # Without a low-pass the shrunk content would alias, which no lens does.
    shrunk = cv2.GaussianBlur(scene.pixels, (0, 0), max(0.3, 0.6 * SIDE / height * 0.8))
    content = cv2.warpPerspective(shrunk, matrix, (SIDE, SIDE), borderMode=cv2.BORDER_REPLICATE)
    softness = rng.uniform(0.4, 1.3)
    image = laid(other.pixels.astype(np.float32), colour, soft(frame, softness))
    image = laid(image, content, soft(inside, softness))
    if rng.random() < 0.5:
        image = fingers(image, outer, skin_of(other), rng)
    return Scene(to_bytes(image), box)
