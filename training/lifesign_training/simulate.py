"""Simulated presentation attacks, made from bona fide scenes: the species that the training data lacks."""

from .capture import jpeg
from .display import displayed
from .held import held
from .optics import Rng
from .paper import printed, worn
from .scene import Scene


def screen(scene: Scene, other: Scene, rng: Rng) -> Scene:
    return held(Scene(displayed(scene.pixels, other.pixels, rng), scene.box), other, rng, edge_dark=rng.random() < 0.8)


def print_(scene: Scene, other: Scene, rng: Rng) -> Scene:
    return held(Scene(printed(scene.pixels, rng), scene.box), other, rng, edge_dark=rng.random() < 0.15)


SPECIES = {"screen": screen, "print": print_, "paper_mask": worn}
SHARE = {"screen": 0.45, "print": 0.33, "paper_mask": 0.22}


def drawn_species(rng: Rng) -> str:
    return str(rng.choice(list(SHARE), p=list(SHARE.values())))


def attack(scene: Scene, other: Scene, rng: Rng, species: str) -> Scene:
    """An attack showing the face of `scene`; `other`, also bona fide, lends the background or the wearer."""
    if rng.random() < 0.3:  # what was shown had been compressed before
        scene = Scene(jpeg(scene.pixels, int(rng.integers(30, 90))), scene.box)
    return SPECIES[species](scene, other, rng)
