"""Training examples without end: drawn balanced over class and source, each from its own seed."""

from pathlib import Path

import cv2
import numpy as np
from torch.utils.data import Dataset

from . import simulate
from .cache import Pictures
from .capture import capture
from .manifest import Box, Sample
from .peers import PEERS, Peers
from .picture import square_inside
from .scene import SIDE, Scene, scene_from
from .views import View

BONA_FIDE, REAL_ATTACK = 0.5, 0.25  # shares of a batch; the rest are simulated attacks
# Of the face, in longer sides of its box: from a selfie that the face fills to a webcam's room. Up to a little beyond the
# widest view and the widest teacher's crop, 4.0.
SURROUNDINGS = 1.4, 4.6
MANY_PEOPLE = 4.0  # how much more often a source of many people is drawn than one of one person
MANY_FROM = 150  # pictures of one class; sources of one person hold fewer


class Examples(Dataset):
    """Example `index` of run `seed`: one uint8 view per network, label, teachers' logits, whether simulated."""

    def __init__(self, samples: list[Sample], boxes: dict[str, Box], pictures: Pictures, views: list[View],
                 seed: int, count: int, teachers: Path | None):
        self.boxes, self.pictures, self.views = boxes, pictures, views
        self.seed, self.count, self.teachers, self.peers = seed, count, teachers, None
        self.groups = {}
        for attack in (False, True):
            sources = {s.source: [t for t in samples if t.source == s.source and t.attack == attack]
                       for s in samples if s.attack == attack}
            weight = np.array([MANY_PEOPLE if len(of) > MANY_FROM else 1.0 for of in sources.values()])
            self.groups[attack] = list(sources.values()), weight / weight.sum()

    def __len__(self) -> int:
        return self.count

    def draw(self, attack: bool, rng: np.random.Generator) -> Scene:
        """A real presentation, before `capture`."""
        sources, weight = self.groups[attack]
        of = sources[rng.choice(len(sources), p=weight)]
        sample = of[rng.integers(len(of))]
        pixels, box = self.pictures.get(sample.image, self.boxes[sample.image])
        return scene_from(pixels, box, np.exp(rng.uniform(*np.log(SURROUNDINGS))))

    def __getitem__(self, index: int):
        rng = np.random.default_rng([self.seed, index])
        kind = rng.random()
        simulated = kind > BONA_FIDE + REAL_ATTACK
        if simulated:
            scene = simulate.attack(self.draw(False, rng), self.draw(False, rng), rng)
        else:
            scene = self.draw(kind > BONA_FIDE, rng)
        scene = capture(scene, rng)
        logits = self.teach(scene)
        crops = []
        for view in self.views:
            x, y, w, h = scene.box
            jitter = np.exp(rng.normal(0, 0.06))
            dx, dy = rng.normal(0, 0.04, 2) * max(w, h)
            crop = square_inside((x + dx, y + dy, w, h), view.factor * jitter, SIDE, SIDE)
            crops.append(view.cut(scene.pixels, crop))
        return crops, np.float32(kind <= BONA_FIDE), logits, np.float32(simulated)

    def teach(self, scene: Scene) -> np.ndarray:
        if self.teachers is None:
            return np.full(len(PEERS), np.nan, np.float32)
        if self.peers is None:  # made in the worker: sessions do not travel between processes
            cv2.setNumThreads(1)
            self.peers = Peers(self.teachers)
        return self.peers.logits(scene.pixels, scene.box).astype(np.float32)
