"""Training examples without end: drawn balanced over class and source, each from its own seed."""

from dataclasses import dataclass

import numpy as np

from . import simulate
from .cache import Pictures
from .capture import capture, light_of, lit_like
from .manifest import Box, Sample
from .scene import Scene, scene_from
from .wearing import dressed

BONA_FIDE, REAL_ATTACK = 0.5, 0.25  # shares of a batch; the rest are simulated attacks
# Of the face, in longer sides of its box: from a selfie that the face fills to a webcam's room. Up to a little beyond the
# widest view and the widest teacher's crop, 4.0.
SURROUNDINGS = 1.4, 4.6
MANY_PEOPLE = 4.0  # how much more often a source of many people is drawn than one of one person
MANY_FROM = 150  # pictures of one class; sources of one person hold fewer
RELIT = 0.4  # share of examples whose light and colours are taken from another picture, of either class


@dataclass
class Example:
    scene: Scene
    species: str  # PAI species; "" for bona fide
    simulated: bool
    sources: tuple[str, str]  # of the face, and of the picture that lent background or wearer (else the same)

    @property
    def attack(self) -> bool:
        return self.species != ""


class Examples:
    """Example `index` of the stream `seed`."""

    def __init__(self, samples: list[Sample], boxes: dict[str, Box], pictures: Pictures, seed: int):
        self.boxes, self.pictures, self.seed = boxes, pictures, seed
        self.groups = {}
        for attack in (False, True):
            sources = {s.source: [t for t in samples if t.source == s.source and t.attack == attack]
                       for s in samples if s.attack == attack}
            weight = np.array([MANY_PEOPLE if len(of) > MANY_FROM else 1.0 for of in sources.values()])
            self.groups[attack] = list(sources.values()), weight / weight.sum()

    def draw(self, attack: bool, rng: np.random.Generator) -> tuple[Scene, Sample]:
        """A real presentation, before `capture`."""
        sources, weight = self.groups[attack]
        of = sources[rng.choice(len(sources), p=weight)]
        sample = of[rng.integers(len(of))]
        pixels, box = self.pictures.get(sample.image, self.boxes[sample.image])
        scene = scene_from(pixels, box, np.exp(rng.uniform(*np.log(SURROUNDINGS))))
        return dressed(scene, rng), sample

    def before_capture(self, index: int, species: str | None = None) -> tuple[Example, np.random.Generator]:
        """Of the `species` asked for ("" bona fide, "real" a real attack), or drawn in the shares of a batch."""
        rng = np.random.default_rng([self.seed, index])
        if species is None:
            kind = rng.random()
            species = "" if kind <= BONA_FIDE else "real" if kind <= BONA_FIDE + REAL_ATTACK else simulate.drawn_species(rng)
        if species in ("", "real"):
            scene, sample = self.draw(species == "real", rng)
            return Example(scene, sample.species, False, (sample.source,) * 2), rng
        (scene, sample), (other, lender) = self.draw(False, rng), self.draw(False, rng)
        return Example(simulate.attack(scene, other, rng, species), species, True, (sample.source, lender.source)), rng

    def make(self, index: int, species: str | None = None) -> Example:
        example, rng = self.before_capture(index, species)
        if rng.random() < RELIT:
            # Light and colour must not carry the label: either class gets them from either class.
            other, _ = self.draw(rng.random() < 0.5, rng)
            example.scene = lit_like(example.scene, light_of(other), rng)
        example.scene = capture(example.scene, rng)
        return example
