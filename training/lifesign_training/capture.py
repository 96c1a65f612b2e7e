"""What cameras, codecs and uploads do to every picture. Applied alike to both classes: resolution, compression,
sharpness, colour and framing must not tell bona fide from attack."""

import cv2
import numpy as np

from .optics import Rng
from .scene import SIDE, Scene, warp_box


def geometry(scene: Scene, rng: Rng) -> Scene:
    """Mirror, and at times a slight turn and shift."""
    pixels, (x, y, w, h) = scene.pixels, scene.box
    if rng.random() < 0.5:
        pixels, x = pixels[:, ::-1], SIDE - x - w
    scene = Scene(np.ascontiguousarray(pixels), (x, y, w, h))
    if rng.random() < 0.5:
        # Nearer or further as well: how large the face is in the scene must not tell the classes apart.
        turn = cv2.getRotationMatrix2D((SIDE / 2, SIDE / 2), rng.uniform(-10, 10), np.exp(rng.uniform(-0.2, 0.25)))
        turn[:, 2] += rng.uniform(-8, 8, 2)
        scene = Scene(
            cv2.warpAffine(scene.pixels, turn, (SIDE, SIDE), borderMode=cv2.BORDER_REFLECT_101),
            warp_box(scene.box, np.vstack([turn, [0, 0, 1]])),
        )
    return scene


def tone(pixels: np.ndarray, rng: Rng, strength: float = 1.0) -> np.ndarray:
    """Exposure, gamma, white balance, contrast and saturation."""
    ramp = np.linspace(0, 1, 256)[:, None] * np.exp(rng.normal(0, 0.1 * strength, 3))
    ramp = np.clip(ramp, 0, 1) ** np.exp(rng.normal(0, 0.22 * strength))
    ramp = (ramp - 0.5) * np.exp(rng.normal(0, 0.12 * strength)) + 0.5 + rng.normal(0, 0.05 * strength)
    table = np.clip(ramp * 255, 0, 255).astype(np.uint8)
    pixels = cv2.LUT(pixels, table[None])
    if rng.random() < 0.5:
        grey = cv2.cvtColor(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
        amount = float(np.clip(np.exp(rng.normal(0, 0.25 * strength)), 0, 2))
        pixels = cv2.addWeighted(pixels, amount, grey, 1 - amount, 0)
    return pixels


def light_of(scene: Scene) -> tuple[np.ndarray, np.ndarray]:
    """Mean and spread of each channel."""
    mean, spread = cv2.meanStdDev(scene.pixels)
    return mean[:, 0], spread[:, 0]


def lit_like(scene: Scene, light: tuple[np.ndarray, np.ndarray], rng: Rng) -> Scene:
    """Brightness, contrast and colour cast moved towards another picture's."""
    (mean, spread), (wanted_mean, wanted_spread) = light_of(scene), light
    share = rng.uniform(0.3, 1)
    gain = np.clip(wanted_spread.mean() / max(spread.mean(), 4), 0.4, 2.5) ** share
    move = wanted_mean - mean
    cast = move - move.mean()
    table = (np.arange(256)[:, None] - mean) * gain + mean + share * (move.mean() + 0.6 * cast)
    return Scene(cv2.LUT(scene.pixels, np.clip(table, 0, 255).astype(np.uint8)[None]), scene.box)


def jpeg(pixels: np.ndarray, quality: int) -> np.ndarray:
    _, data = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return cv2.imdecode(data, cv2.IMREAD_COLOR)


def resample(pixels: np.ndarray, rng: Rng, smallest: int = 80) -> np.ndarray:
    """Fewer pixels, then back."""
    side = int(rng.uniform(smallest, SIDE))
    down = rng.choice([cv2.INTER_AREA, cv2.INTER_LINEAR, cv2.INTER_CUBIC], p=[0.6, 0.25, 0.15])
    up = rng.choice([cv2.INTER_LINEAR, cv2.INTER_CUBIC])
    return cv2.resize(cv2.resize(pixels, (side, side), interpolation=int(down)), (SIDE, SIDE), interpolation=int(up))


def blur(pixels: np.ndarray, rng: Rng) -> np.ndarray:
    if rng.random() < 0.6:
        return cv2.GaussianBlur(pixels, (0, 0), rng.uniform(0.5, 2.0))
    length, angle = int(rng.integers(3, 9)), rng.uniform(0, np.pi)
    kernel = np.zeros((length, length), np.float32)
    reach = np.array([np.cos(angle), np.sin(angle)]) * (length - 1) / 2
    middle = (length - 1) / 2
    a, b = (np.round(middle + sign * reach).astype(int).tolist() for sign in (-1, 1))
    cv2.line(kernel, a, b, 1.0)
    return cv2.filter2D(pixels, -1, kernel / kernel.sum())


def noise(pixels: np.ndarray, rng: Rng) -> np.ndarray:
    grain = np.empty((SIDE, SIDE, 3), np.int16)
    cv2.setRNGSeed(int(rng.integers(1 << 31)))
    cv2.randn(grain, (0, 0, 0), (rng.uniform(1, 10),) * 3)
    if rng.random() < 0.4:  # in blotches, as after a camera's own noise reduction
        grain = cv2.GaussianBlur(grain, (0, 0), rng.uniform(0.6, 1.5)) * 2
    return cv2.add(pixels.astype(np.int16), grain).clip(0, 255).astype(np.uint8)


def haze(pixels: np.ndarray, rng: Rng) -> np.ndarray:
    """A greasy lens or light from behind: lifted blacks, also of bona fide faces, often stronger to one side."""
    light = np.exp(rng.normal(0, 0.15, 3)) * rng.uniform(90, 230)
    angle = rng.uniform(0, 2 * np.pi)
    y, x = np.mgrid[-0.5 : 0.5 : SIDE * 1j, -0.5 : 0.5 : SIDE * 1j]
    amount = rng.uniform(0.05, 0.45) * (1 + rng.uniform(0, 1.2) * (x * np.cos(angle) + y * np.sin(angle)))
    amount = np.clip(amount, 0, 0.8).astype(np.float32)[..., None]
    return np.clip(pixels * (1 - amount) + amount * light.astype(np.float32), 0, 255).astype(np.uint8)


def beauty(pixels: np.ndarray, rng: Rng) -> np.ndarray:
    """The smoothing of a selfie camera, or its local contrast."""
    if rng.random() < 0.5:
        return cv2.bilateralFilter(pixels, 5, rng.uniform(15, 50), rng.uniform(2, 5))
    lab = cv2.cvtColor(pixels, cv2.COLOR_RGB2LAB)
    lab[..., 0] = cv2.createCLAHE(rng.uniform(1, 2.5), (int(rng.integers(2, 6)),) * 2).apply(lab[..., 0])
    return cv2.cvtColor(lab, cv2.COLOR_LAB2RGB)


def hard_light(pixels: np.ndarray, rng: Rng) -> np.ndarray:
    """A window or lamp to one side: one part of the scene bright, the rest in shade."""
    angle, edge, width = rng.uniform(0, 2 * np.pi), rng.normal(0, 0.15), rng.uniform(0.05, 0.5)
    y, x = np.mgrid[-0.5 : 0.5 : SIDE * 1j, -0.5 : 0.5 : SIDE * 1j].astype(np.float32)
    share = 1 / (1 + np.exp(-(x * np.cos(angle) + y * np.sin(angle) - edge) / width * 4))
    gain = np.exp(rng.uniform(-1.2, 0) * (1 - share) + rng.uniform(0, 0.5) * share)
    return np.clip(pixels * gain[..., None], 0, 255).astype(np.uint8)


LIGHTLY = 0.3  # share of captures by a good camera in good light, as most pictures will be that the service judges


def capture(scene: Scene, rng: Rng) -> Scene:
    """The whole chain, each step at times."""
    scene = geometry(scene, rng)
    pixels = scene.pixels
    if rng.random() < LIGHTLY:
        pixels = tone(pixels, rng, 0.5)
        return Scene(jpeg(pixels, int(rng.integers(70, 98))), scene.box)
    if rng.random() < 0.8:
        pixels = tone(pixels, rng)
    if rng.random() < 0.15:
        pixels = hard_light(pixels, rng)
    if rng.random() < 0.3:
        pixels = haze(pixels, rng)
    if rng.random() < 0.1:
        pixels = beauty(pixels, rng)
    if rng.random() < 0.45:
        pixels = resample(pixels, rng)
    if rng.random() < 0.2:
        pixels = blur(pixels, rng)
    if rng.random() < 0.15:  # a phone's sharpening
        amount = rng.uniform(0.3, 1.2)
        pixels = cv2.addWeighted(pixels, 1 + amount, cv2.GaussianBlur(pixels, (0, 0), rng.uniform(0.8, 2)), -amount, 0)
    if rng.random() < 0.3:
        pixels = noise(pixels, rng)
    if rng.random() < 0.6:
        pixels = jpeg(pixels, int(rng.integers(30, 96)))
    return Scene(pixels, scene.box)
