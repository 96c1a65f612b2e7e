import argparse

import numpy as np
import pytest

from lifesign_training.cache import Pictures
from lifesign_training.contact_sheet import CAPTION, TILE, sheet
from lifesign_training.dataset import Examples
from lifesign_training.manifest import read_manifest
from lifesign_training.scene import SIDE
from lifesign_training.simulate import SPECIES, attack
from lifesign_training.smoke import write_pictures
from lifesign_training.views import VIEWS


@pytest.fixture
def examples(tmp_path):
    write_pictures(tmp_path)
    samples = read_manifest(tmp_path / "manifest.csv")
    boxes = {sample.image: sample.box for sample in samples}
    return Examples(samples, boxes, Pictures(samples, tmp_path, tmp_path), VIEWS, 1, 10, None)


def test_an_example_depends_on_its_index_alone(examples):
    first, again = examples[3], examples[3]
    assert all(np.array_equal(a, b) for a, b in zip(first[0], again[0]))
    assert [crop.shape for crop in first[0]] == [(view.size, view.size, 3) for view in VIEWS]
    assert first[1] == again[1] and first[3] == again[3]


def test_every_species_is_a_scene(examples):
    for species in SPECIES:
        for seed in range(5):
            rng = np.random.default_rng(seed)
            scene = attack(examples.draw(False, rng), examples.draw(False, rng), rng, species)
            assert scene.pixels.shape == (SIDE, SIDE, 3)
            assert scene.pixels.dtype == np.uint8
            assert np.isfinite(scene.box).all()


def test_contact_sheet_has_a_band_for_each_kind(examples):
    options = argparse.Namespace(columns=3, rows=2, seed=1, clean=False, views=True)
    made = sheet(examples, ["bona fide", "real attack", "screen"], options)
    assert made.shape == (3 * (CAPTION + 2 * TILE), 3 * TILE, 3)
