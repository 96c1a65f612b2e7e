"""models/pad/golden.json: what a made-up picture must come out as, for the service's own tests."""

import json
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import nn

from .manifest import Box
from .network import fused
from .picture import square_inside
from .views import View, normalise

WIDTH, HEIGHT = 640, 480
FORMULA = (
    "value(x, y, c) = (x * (2 + c) / 5 + y * (4 - c) / 7 + ((x / 8 + y / 8) % 2) * 24 + (x * 7 + y * 13 + c * 29) % 17) % 256, "
    "integer division, x column, y row, c = 0 red, 1 green, 2 blue"
)
# in the middle; at the right and lower border, so that the square is shifted; so large that the picture limits the side
BOXES: list[Box] = [(250.25, 150.5, 90.0, 122.75), (533.5, 340.25, 84.5, 118.0), (170.75, 60.5, 280.25, 372.5)]


def synthetic() -> np.ndarray:
    y, x, c = np.mgrid[0:HEIGHT, 0:WIDTH, 0:3]
    value = x * (2 + c) // 5 + y * (4 - c) // 7 + ((x // 8 + y // 8) % 2) * 24 + (x * 7 + y * 13 + c * 29) % 17
    return (value % 256).astype(np.uint8)


@torch.no_grad()
def write_golden(folder: Path, networks: nn.ModuleList, views: list[View], slope: float, intercept: float) -> None:
    pixels = synthetic()
    picture = Image.fromarray(pixels)
    cases = []
    for box in BOXES:
        seen, raw = [], 0.0
        for network, view in zip(networks, views):
            tensor = normalise(torch.from_numpy(view.of(picture, box).copy())[None])
            logit = float(fused(network(tensor))[0])
            raw += view.weight * logit
            seen.append({
                "name": view.name,
                "crop": square_inside(box, view.factor, WIDTH, HEIGHT),
                "input_first_8": [round(float(v), 6) for v in tensor.contiguous().flatten()[:8]],
                "input_mean": round(float(tensor.mean()), 6),
                "logit": round(logit, 6),
            })
        score = float(1 / (1 + np.exp(-(slope * raw + intercept))))
        cases.append({"box": box, "views": seen, "raw": round(raw, 6), "score": round(score, 6)})
    corner_logits = {}
    for network, view in zip(networks, views):
        corner = torch.from_numpy(pixels[: view.size, : view.size].copy())[None]
        corner_logits[view.name] = round(float(fused(network(normalise(corner)))[0]), 6)
    golden = {
        "about": "crop: left, top, right, bottom; input: normalised, channels first, rows from the top; "
                 "crops bit for bit as fast_image_resize 6 makes them (Convolution, Bilinear, U8x3), PyTorch logits; "
                 "corner_logits: of the top-left corner at the network's size, which nothing resamples",
        "formula": FORMULA, "width": WIDTH, "height": HEIGHT, "cases": cases, "corner_logits": corner_logits,
    }
    (folder / "golden.json").write_text(json.dumps(golden, indent=1) + "\n")
