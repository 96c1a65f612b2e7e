"""`--smoke`: drawn faces of a few made-up sources, and switches that end well within a minute."""

import argparse
import csv
import json
from pathlib import Path

import cv2
import numpy as np

WIDTH, HEIGHT, PER_CLASS = 320, 240, 6


def face(rng: np.random.Generator, attack: bool) -> tuple[np.ndarray, tuple[int, int, int, int]]:
    picture = np.full((HEIGHT, WIDTH, 3), rng.integers(40, 200, 3), np.uint8)
    w = int(rng.integers(50, 80))
    h = int(w * 1.3)
    x, y = int(rng.integers(20, WIDTH - w - 20)), int(rng.integers(10, HEIGHT - h - 10))
    cv2.ellipse(picture, (x + w // 2, y + h // 2), (w // 2, h // 2), 0, 0, 360, rng.integers(90, 230, 3).tolist(), -1)
    for side in (0.32, 0.68):
        cv2.circle(picture, (int(x + side * w), int(y + 0.4 * h)), w // 14, (20, 20, 20), -1)
    cv2.line(picture, (int(x + 0.35 * w), int(y + 0.75 * h)), (int(x + 0.65 * w), int(y + 0.75 * h)), (90, 30, 30), 3)
    if attack:
        picture[::3] //= 2
    return picture, (x, y, w, h)


def write_pictures(folder: Path) -> None:
    """Pictures, their manifest, and boxes as if detected already."""
    rng = np.random.default_rng(1)
    rows, boxes = [], {}
    for source in ("a", "b", "c", "d"):
        for attack in (False, True):
            for index in range(PER_CLASS):
                image = f"{source}/{'attack' if attack else 'bona_fide'}/{index}.jpg"
                (folder / image).parent.mkdir(parents=True, exist_ok=True)
                picture, box = face(rng, attack)
                cv2.imwrite(str(folder / image), picture)
                boxes[image] = [box]
                rows.append([image, source, "attack" if attack else "bona_fide", "screen" if attack else "", *box])
    with open(folder / "manifest.csv", "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["image", "source", "label", "pai_species", "face_x", "face_y", "face_w", "face_h"])
        writer.writerows(rows)
    (folder / "boxes.json").write_text(json.dumps(boxes))


def prepare(options: argparse.Namespace) -> None:
    """Writes the pictures, points the options at them, and shortens the run."""
    folder = options.cache / "smoke"
    write_pictures(folder)
    options.manifest, options.images, options.cache = folder / "manifest.csv", folder, folder
    options.out = options.out or folder / "out"
    options.peers = options.detector = None
    options.steps, options.head_steps, options.final_steps, options.batch, options.every = 4, 2, 3, 4, 3
    options.pool, options.folds, options.workers, options.makers = 24, 2, 0, 0
