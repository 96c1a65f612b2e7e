"""Simulated presentation attacks, made from bona fide scenes: the species that the training data lacks."""

import cv2
import numpy as np

from .capture import Rng, jpeg, resample, tone
from .scene import SIDE, Scene, warp_box

Y, X = (axis / SIDE for axis in np.mgrid[0:SIDE, 0:SIDE].astype(np.float32))


def to_bytes(image: np.ndarray) -> np.ndarray:
    return np.clip(image, 0, 255).astype(np.uint8)


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


def displayed(pixels: np.ndarray, rng: Rng) -> np.ndarray:
    """The picture as a display shows it and a camera sees the display."""
    if rng.random() < 0.4:
        pixels = resample(pixels, rng, 130)
    pixels = tone(pixels, rng, rng.choice([1.0, 2.0]))
    if rng.random() < 0.4:
        pixels = subpixels(pixels, rng)
    image = pixels.astype(np.float32)
    if rng.random() < 0.5:
        image = fringes(image, rng)
    # Warm as often as cold: a cast that always leant one way would be learnt in place of the display.
    image *= np.exp(rng.normal(0, 0.09, 3)).astype(np.float32)
    if rng.random() < 0.7:  # black is not quite black
        veil = rng.uniform(0, 0.25) * rng.uniform(60, 220)
        image = image * rng.uniform(0.7, 1.0) + veil
    if rng.random() < 0.3:  # bands of a refresh that the shutter cuts
        image *= 1 + rng.uniform(0.03, 0.2) * np.sin(2 * np.pi * (Y * rng.uniform(1, 10) + rng.random()))[..., None]
    if rng.random() < 0.4:
        image = glare(image, rng)
    if rng.random() < 0.15:
        step = rng.choice([8, 12, 16])
        image = np.round(image / step) * step
    return to_bytes(image)


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


def soft(mask: np.ndarray, blur: float) -> np.ndarray:
    """A mask of bytes as shares, with the edge that a lens would make of it."""
    return cv2.GaussianBlur(mask, (0, 0), blur)[..., None].astype(np.float32) / 255


def laid(image: np.ndarray, layer: np.ndarray, share: np.ndarray) -> np.ndarray:
    return image * (1 - share) + layer * share


def held(scene: Scene, background: np.ndarray, rng: Rng, edge_dark: bool) -> Scene:
    """The display or sheet as a leaning quadrilateral before a background; or so close that no edge shows."""
    close = rng.random() < 0.6
    width = 0.5 if close else rng.uniform(0.3, 0.48)
    height = 0.5 if close else rng.uniform(0.32, 0.5)
    corners = np.array([[-width, -height], [width, -height], [width, height], [-width, height]])
    corners = corners * (1 + rng.uniform(-0.08, 0.08, (4, 2)))
    if close:
        corners *= 1.12 + 0.1 * rng.random()
    angle = rng.normal(0, 0.08)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    target = corners @ turn + 0.5 + (0 if close else rng.uniform(-0.06, 0.06, 2))
    square = np.array([[0, 0], [SIDE, 0], [SIDE, SIDE], [0, SIDE]], np.float32)
    matrix = cv2.getPerspectiveTransform(square, (target * SIDE).astype(np.float32))
    box = warp_box(scene.box, matrix)
    if close:
        pixels = cv2.warpPerspective(scene.pixels, matrix, (SIDE, SIDE), borderMode=cv2.BORDER_REFLECT_101)
        return Scene(pixels, box)
    pixels = background.copy()
    rim = rng.uniform(0.0, 0.12)
    centre = target.mean(0)
    outer = (((target - centre) * (1 + rim) + centre) * SIDE).astype(np.int32)
    colour = rng.uniform(0, 60, 3) if edge_dark else rng.uniform(170, 255) * rng.uniform(0.9, 1, 3)
    frame = np.zeros((SIDE, SIDE), np.uint8)
    cv2.fillConvexPoly(frame, outer, 255)
    inside = cv2.warpPerspective(np.full((SIDE, SIDE), 255, np.uint8), matrix, (SIDE, SIDE))
    # Without a low-pass the shrunk content would alias, which no lens does.
    shrunk = cv2.GaussianBlur(scene.pixels, (0, 0), 0.5 / max(width, height) * 0.6)
    content = cv2.warpPerspective(shrunk, matrix, (SIDE, SIDE), borderMode=cv2.BORDER_REPLICATE)
    softness = rng.uniform(0.5, 1.5)
    image = laid(pixels.astype(np.float32), colour, soft(frame, softness))
    return Scene(to_bytes(laid(image, content, soft(inside, softness))), box)


def screen(scene: Scene, other: Scene, rng: Rng) -> Scene:
    return held(Scene(displayed(scene.pixels, rng), scene.box), other.pixels, rng, edge_dark=rng.random() < 0.8)


def print_(scene: Scene, other: Scene, rng: Rng) -> Scene:
    return held(Scene(printed(scene.pixels, rng), scene.box), other.pixels, rng, edge_dark=rng.random() < 0.15)


def paper_mask(scene: Scene, other: Scene, rng: Rng) -> Scene:
    """A printed face cut out along its outline and worn by someone else (`other`)."""
    face = printed(scene.pixels, rng)
    (x, y, w, h), (ox, oy, ow, oh) = scene.box, other.box
    grow = rng.uniform(0.95, 1.3)
    matrix = np.array([[ow * grow / w, 0, 0], [0, oh * grow / h, 0]])
    matrix[:, 2] = [ox + ow / 2, oy + oh / 2] - matrix[:, :2] @ [x + w / 2, y + h / 2] + rng.uniform(-0.05, 0.05, 2) * oh
    turns = np.linspace(0, 2 * np.pi, 28, endpoint=False)
    wobble = 1 + cv2.GaussianBlur(rng.normal(0, 0.1, (1, 28)), (0, 0), 1.5)[0]
    reach = np.stack([np.cos(turns) * w * 0.55, np.sin(turns) * h * 0.55], 1) * wobble[:, None] * rng.uniform(0.95, 1.15)
    outline = np.array([x + w / 2, y + h / 2]) + reach
    shape = np.zeros((SIDE, SIDE), np.uint8)
    cv2.fillPoly(shape, [outline.astype(np.int32)], 255)
    if rng.random() < 0.5:  # holes for the eyes, through which the wearer looks
        for side in (0.31, 0.69):
            centre = (int(x + side * w), int(y + rng.uniform(0.38, 0.44) * h))
            cv2.ellipse(shape, centre, (max(2, int(0.1 * w)), max(1, int(0.045 * h))), 0, 0, 360, 0, -1)
    rim = int(rng.integers(0, 4))
    paper = cv2.warpAffine(cv2.dilate(shape, np.ones((2 * rim + 1,) * 2, np.uint8)), matrix, (SIDE, SIDE))
    inside = cv2.warpAffine(shape, matrix, (SIDE, SIDE))
    face = cv2.warpAffine(face, matrix, (SIDE, SIDE), borderMode=cv2.BORDER_REFLECT_101)
    shadow = cv2.GaussianBlur(paper, (0, 0), rng.uniform(2, 8))
    image = other.pixels * (1 - (rng.uniform(0, 0.5) * shadow[..., None].astype(np.float32) / 255))
    softness = rng.uniform(0.6, 1.5)
    for layer, mask in ((np.float32(rng.uniform(160, 250)), paper), (face, inside)):
        image = laid(image, layer, soft(mask, softness))
    if rng.random() < 0.5:
        image = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.4, 1.0))
    return Scene(to_bytes(image), other.box)


SPECIES = {"screen": screen, "print": print_, "paper_mask": paper_mask}
SHARE = {"screen": 0.45, "print": 0.35, "paper_mask": 0.2}


def attack(scene: Scene, other: Scene, rng: Rng, species: str | None = None) -> Scene:
    """An attack showing the face of `scene`, of one species or drawn; `other`, also bona fide, lends the background or
    the wearer."""
    if rng.random() < 0.3:  # what was shown had been compressed before
        scene = Scene(jpeg(scene.pixels, int(rng.integers(30, 90))), scene.box)
    species = species or str(rng.choice(list(SHARE), p=list(SHARE.values())))
    return SPECIES[species](scene, other, rng)
