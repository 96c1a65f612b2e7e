"""Replays: a picture as a display shows it and a camera sees the display."""

import cv2
import numpy as np

from .capture import resample, tone
from .optics import Rng, X, Y, glare, to_bytes, to_light, to_pixels
from .scene import SIDE


def fringes(image: np.ndarray, rng: Rng) -> np.ndarray:
    """Moire: curved, coloured fringes where the display's grid beats with the sensor's."""
    x = X + rng.uniform(-0.2, 0.2) * (Y - 0.5) ** 2 + rng.uniform(-0.15, 0.15) * X * Y
    y = Y + rng.uniform(-0.2, 0.2) * (X - 0.5) ** 2 + rng.uniform(-0.15, 0.15) * X * Y
    for _ in range(rng.integers(1, 4)):
        frequency, angle = np.exp(rng.uniform(np.log(4), np.log(110))), rng.uniform(0, np.pi)
        phase = 2 * np.pi * frequency * (x * np.cos(angle) + y * np.sin(angle)) + rng.uniform(0, 7)
        depth = rng.uniform(0.02, 0.14)
        shift = rng.uniform(0, 2.5) * np.array([0, 1, 2])  # the sub-pixels of a colour sit side by side
        for channel in range(3):
            image[..., channel] *= 1 + depth * np.cos(phase + shift[channel])
    return image


def subpixels(pixels: np.ndarray, rng: Rng) -> np.ndarray:
    """A display of red, green and blue stripes, sampled again without a low-pass: real aliasing."""
    times = 3
    grid = cv2.resize(pixels, None, fx=times, fy=times, interpolation=cv2.INTER_NEAREST)
    off = rng.uniform(0.3, 0.8)
    mask = np.full((times, times, 3), off, np.float32)
    for channel in range(3):
        mask[:, channel, channel] = 1.0
    mask[-1] *= rng.uniform(0.5, 1.0)  # the dark gap between rows
    mask = to_bytes(mask / mask.mean() * 110)
    grid = cv2.multiply(grid, np.tile(mask, (SIDE, SIDE, 1)), scale=1 / 110)
    if rng.random() < 0.7:
        grid = cv2.blur(grid, (3, 3) if rng.random() < 0.5 else (2, 2))
    scale, angle = rng.uniform(1.0, 1.35) / times, rng.uniform(-8, 8)
    turn = cv2.getRotationMatrix2D((SIDE * times / 2, SIDE * times / 2), angle, scale * 1.1)
    turn[:, 2] += SIDE / 2 - SIDE * times / 2
    filter_ = cv2.INTER_LINEAR if rng.random() < 0.7 else cv2.INTER_NEAREST
    return cv2.warpAffine(grid, turn, (SIDE, SIDE), flags=filter_, borderMode=cv2.BORDER_REFLECT_101)


def emitted(pixels: np.ndarray, around: np.ndarray, rng: Rng) -> np.ndarray:
    """The display's light and the room's reflection in it, through a camera's exposure; floats of 0 to 255."""
    light = to_light(pixels)
    light = np.maximum(light, 1e-4) ** np.float32(np.exp(rng.normal(0, 0.15)))  # the panel's own gamma
    grey = light.mean(2, keepdims=True)
    light = grey + (light - grey) * np.float32(np.exp(rng.normal(0.05, 0.25)))  # and gamut
    light *= np.exp(rng.normal(0, 0.12, 3)).astype(np.float32)  # and white
    if rng.random() < 0.6:
        light += np.float32(rng.uniform(0, 0.06)) * rng.uniform(0.7, 1.2, 3).astype(np.float32)  # black is not quite black
    if rng.random() < 0.4:  # the room, out of focus, mirrored in the glass
        mirrored = cv2.GaussianBlur(np.ascontiguousarray(around[:, ::-1]), (0, 0), rng.uniform(1, 12))
        light += np.float32(rng.uniform(0.03, 0.25)) * to_light(mirrored)
    # A display is bright or dim beside its room, and the camera exposes for either.
    light *= np.float32(np.exp(rng.normal(0.1, 0.45)))
    return to_pixels(light)


def displayed(pixels: np.ndarray, around: np.ndarray, rng: Rng) -> np.ndarray:
    if rng.random() < 0.3:
        pixels = resample(pixels, rng, 110)
    if rng.random() < 0.3:
        pixels = subpixels(pixels, rng)
    if rng.random() < 0.75:
        image = emitted(pixels, around, rng)
    else:
        # Warm as often as cold: a cast that always leant one way would be learnt in place of the display.
        image = tone(pixels, rng, rng.choice([1.0, 2.0])) * np.exp(rng.normal(0, 0.09, 3)).astype(np.float32)
    if rng.random() < 0.4:
        image = fringes(image, rng)
    if rng.random() < 0.2:  # bands of a refresh that the shutter cuts
        image *= 1 + rng.uniform(0.02, 0.15) * np.sin(2 * np.pi * (Y * rng.uniform(1, 10) + rng.random()))[..., None]
    if rng.random() < 0.3:
        image = glare(image, rng)
    if rng.random() < 0.1:
        step = rng.choice([8, 12, 16])
        image = np.round(image / step) * step
    return to_bytes(image)
