"""Boxes and decoded pictures, kept on disk: decoding and detecting once is enough."""

import json
import os
from pathlib import Path

import numpy as np
from PIL import Image

from .detector import Detector
from .manifest import Box, Sample
from .picture import open_picture

LONG_SIDE = 640  # of a kept picture: every training crop is made from it


def detected_boxes(samples: list[Sample], images: Path, weights: Path, cache: Path) -> dict[str, list[Box]]:
    """Boxes found in each picture, in its own pixels."""
    file = cache / "boxes.json"
    known = json.loads(file.read_text()) if file.exists() else {}
    missing = [sample.image for sample in samples if sample.image not in known]
    if missing:
        detector = Detector(weights)
        for image in missing:
            known[image] = detector.detect(open_picture(images / image))
        cache.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(known))
    return {sample.image: [tuple(box) for box in known[sample.image]] for sample in samples}


class Pictures:
    """Decoded training pictures in one memory-mapped file, at most LONG_SIDE on the long side."""

    def __init__(self, samples: list[Sample], images: Path, cache: Path):
        index_file, data_file = cache / "pictures.json", cache / "pictures.u8"
        names = [sample.image for sample in samples]
        self.index = json.loads(index_file.read_text()) if index_file.exists() else {}
        if any(name not in self.index for name in names):
            cache.mkdir(parents=True, exist_ok=True)
            self.index, start = {}, 0
            fresh = data_file.with_suffix(".new")  # a run that reads the old file keeps it until it ends
            with open(fresh, "wb") as data:
                for name in names:
                    picture = open_picture(images / name)
                    scale = min(1.0, LONG_SIDE / max(picture.size))
                    width, height = (max(1, round(side * scale)) for side in picture.size)
                    pixels = np.asarray(picture.resize((width, height), Image.Resampling.BILINEAR))
                    data.write(pixels.tobytes())
                    self.index[name] = [start, height, width, picture.size[0]]
                    start += pixels.size
            os.replace(fresh, data_file)
            index_file.write_text(json.dumps(self.index))
        self.data = np.memmap(data_file, np.uint8, "r")

    def get(self, name: str, box: Box) -> tuple[np.ndarray, Box]:
        """The pixels and `box` (given in the original picture's pixels) in them."""
        start, height, width, original = self.index[name]
        pixels = self.data[start : start + height * width * 3].reshape(height, width, 3)
        scale = width / original
        return pixels, tuple(value * scale for value in box)
