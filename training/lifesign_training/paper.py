"""Printed photographs, and masks cut out of them."""

import cv2
import numpy as np

from .capture import resample, tone
from .optics import Rng, X, Y, glare, laid, ramp, soft, to_bytes
from .scene import SIDE, Scene


def printed(pixels: np.ndarray, rng: Rng) -> np.ndarray:
    """The picture as ink on paper."""
    if rng.random() < 0.4:
        pixels = resample(pixels, rng, 120)
    pixels = tone(pixels, rng, rng.choice([1.0, 1.6]))
    image = pixels.astype(np.float32) / 255
    grey = image.mean(2, keepdims=True)
    ink = rng.uniform(0.4, 1.2) if rng.random() < 0.88 else 0.0  # at times a black-and-white print
    image = grey + (image - grey) * ink
    if rng.random() < 0.5:  # the printer's screen: dots or lines
        frequency, angle = rng.uniform(40, 150), rng.uniform(0, np.pi)
        u = 2 * np.pi * frequency * (X * np.cos(angle) + Y * np.sin(angle))
        v = 2 * np.pi * frequency * (Y * np.cos(angle) - X * np.sin(angle))
        dots = np.cos(u) * np.cos(v) if rng.random() < 0.6 else np.cos(u)
        image += rng.uniform(0.02, 0.12) * dots[..., None] * (1 - np.abs(2 * grey - 1))
    if rng.random() < 0.6:  # paper is not white, nor ink black; but a camera's exposure may make up for it
        black = rng.uniform(0.03, 0.3)
        white = rng.uniform(0.72, 1.0) * rng.uniform([0.95, 0.93, 0.82], [1.0, 1.0, 1.0])
        image = black + image * (white - black).astype(np.float32)
    image *= ramp(rng)[..., None].astype(np.float32)
    if rng.random() < 0.4:  # a crease or a bend
        angle = rng.uniform(0, np.pi)
        from_fold = (X - rng.uniform(0.2, 0.8)) * np.cos(angle) + (Y - rng.uniform(0.2, 0.8)) * np.sin(angle)
        image *= (1 + rng.uniform(-0.2, 0.2) * np.tanh(from_fold * rng.uniform(4, 60)))[..., None].astype(np.float32)
    if rng.random() < 0.4:  # the paper's grain
        grain = rng.standard_normal((SIDE, SIDE), np.float32)
        image += cv2.GaussianBlur(grain, (0, 0), rng.uniform(0.6, 2))[..., None] * rng.uniform(0.01, 0.04)
    image *= 255
    if rng.random() < 0.2:
        image = glare(image, rng)
    return to_bytes(image)


def outline_of(box: tuple, rng: Rng) -> np.ndarray:
    """Where the scissors went: along the face, or, more generously, along the head; smooth, or in straight cuts."""
    x, y, w, h = box
    count = 28 if rng.random() < 0.6 else int(rng.integers(7, 14))
    turns = np.linspace(0, 2 * np.pi, count, endpoint=False) + rng.uniform(0, 0.5)
    wobble = 1 + cv2.GaussianBlur(rng.normal(0, 0.1, (1, count)), (0, 0), 1.5)[0]
    grow = rng.uniform(0.95, 1.15) if rng.random() < 0.7 else rng.uniform(1.15, 1.5)
    reach = np.stack([np.cos(turns) * w * 0.55, np.sin(turns) * h * 0.55], 1) * wobble[:, None] * grow
    return np.array([x + w / 2, y + h / 2 - (grow - 1) * 0.2 * h]) + reach


def holes(shape: np.ndarray, box: tuple, rng: Rng) -> None:
    """For the eyes, through which the wearer looks, and at times for the mouth."""
    x, y, w, h = box
    places = [(0.31, 0.41, 0.1, 0.045), (0.69, 0.41, 0.1, 0.045)]
    if rng.random() < 0.25:
        places.append((0.5, 0.78, 0.14, 0.05))
    grow = rng.uniform(0.7, 1.5)
    for u, v, across, down in places:
        centre = (int(x + u * w), int(y + (v + rng.uniform(-0.03, 0.03)) * h))
        cv2.ellipse(shape, centre, (max(2, int(across * grow * w)), max(1, int(down * grow * h))), 0, 0, 360, 0, -1)


def bent(face: np.ndarray, box: tuple, rng: Rng) -> np.ndarray:
    """The paper follows the head: darker, or glossier, to its sides."""
    x, y, w, h = box
    across = (X * SIDE - x - w / 2) / w + rng.uniform(-0.3, 0.3)
    image = face * (1 - rng.uniform(0, 0.5) * np.minimum(across**2 * 2, 1))[..., None]
    if rng.random() < 0.3:
        sheen = np.exp(-((across - rng.uniform(-0.4, 0.4)) ** 2) / rng.uniform(0.002, 0.05))
        image = image + rng.uniform(10, 90) * sheen[..., None]
    return image


def worn(scene: Scene, other: Scene, rng: Rng) -> Scene:
    """A printed face cut out along its outline and worn by, or held before, someone else (`other`)."""
    face = printed(scene.pixels, rng)
    (x, y, w, h), (ox, oy, ow, oh) = scene.box, other.box
    grow = rng.uniform(0.95, 1.3)
    matrix = np.array([[ow * grow / w, 0, 0], [0, oh * grow / h, 0]])
    lean = rng.normal(0, 0.08)
    matrix[:, :2] = np.array([[np.cos(lean), -np.sin(lean)], [np.sin(lean), np.cos(lean)]]) @ matrix[:, :2]
    matrix[:, 2] = [ox + ow / 2, oy + oh / 2] - matrix[:, :2] @ [x + w / 2, y + h / 2] + rng.uniform(-0.05, 0.05, 2) * oh
    shape = np.zeros((SIDE, SIDE), np.uint8)
    cv2.fillPoly(shape, [outline_of(scene.box, rng).astype(np.int32)], 255)
    if rng.random() < 0.5:
        holes(shape, scene.box, rng)
    if rng.random() < 0.6:
        face = to_bytes(bent(face.astype(np.float32), scene.box, rng))
    rim = int(rng.choice([0, 0, 1, 2, 3]))
    paper = cv2.warpAffine(cv2.dilate(shape, np.ones((2 * rim + 1,) * 2, np.uint8)), matrix, (SIDE, SIDE))
    inside = cv2.warpAffine(shape, matrix, (SIDE, SIDE))
    face = cv2.warpAffine(face, matrix, (SIDE, SIDE), borderMode=cv2.BORDER_REFLECT_101)
    shadow = cv2.GaussianBlur(paper, (0, 0), rng.uniform(2, 8))
    image = other.pixels * (1 - (rng.uniform(0, 0.5) * shadow[..., None].astype(np.float32) / 255))
    softness = rng.uniform(0.4, 1.3)
    for layer, mask in ((np.float32(rng.uniform(160, 250)), paper), (face, inside)):
        image = laid(image, layer, soft(mask, softness))
    if rng.random() < 0.4:
        image = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.4, 1.0))
    return Scene(to_bytes(image), other.box)
