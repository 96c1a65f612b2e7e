import argparse

import numpy as np
import pytest

from lifesign_training.cache import Pictures
from lifesign_training.capture import light_of, lit_like
from lifesign_training.contact_sheet import CAPTION, TILE, sheet
from lifesign_training.dataset import Examples
from lifesign_training.manifest import read_manifest
from lifesign_training.pool import Crops, Pool
from lifesign_training.scene import SIDE, Scene
from lifesign_training.simulate import SPECIES
from lifesign_training.smoke import write_pictures
from lifesign_training.views import VIEWS
from lifesign_training.wearing import dark_glasses, medical_mask

NAMES = ["a", "b", "c", "d"]


@pytest.fixture
def examples(tmp_path):
    write_pictures(tmp_path)
    samples = read_manifest(tmp_path / "manifest.csv")
    boxes = {sample.image: sample.box for sample in samples}
    return Examples(samples, boxes, Pictures(samples, tmp_path, tmp_path), 1)


@pytest.fixture
def pool(examples, tmp_path):
    return Pool(tmp_path / "pool", 40, examples, NAMES, None, 0)


def test_an_example_depends_on_its_index_alone(examples):
    first, again = examples.make(3), examples.make(3)
    assert np.array_equal(first.scene.pixels, again.scene.pixels)
    assert (first.species, first.simulated, first.sources) == (again.species, again.simulated, again.sources)


@pytest.mark.parametrize("species", ["", "real", *SPECIES])
def test_every_kind_is_a_scene(examples, species):
    for index in range(5):
        made = examples.make(index, species)
        assert made.scene.pixels.shape == (SIDE, SIDE, 3)
        assert made.scene.pixels.dtype == np.uint8
        assert np.isfinite(made.scene.box).all()
        assert made.attack == (species != "")
        assert made.simulated == (species in SPECIES)


@pytest.mark.parametrize("worn", [medical_mask, dark_glasses])
def test_what_is_worn_covers_part_of_the_face_and_nothing_else(worn):
    grey = Scene(np.full((SIDE, SIDE, 3), 120, np.uint8), (80.0, 60.0, 100.0, 130.0))
    changed = np.abs(worn(grey, np.random.default_rng(1)) - 120).max(2) > 5
    rows, columns = np.where(changed)
    assert 0.02 < changed.sum() / (100 * 130) < 0.7
    assert rows.min() > 60 and rows.max() < 60 + 130 * 1.15
    assert columns.min() > 75 and columns.max() < 185


def test_light_is_taken_from_another_picture(examples):
    dark = Scene(np.random.default_rng(1).integers(0, 60, (SIDE, SIDE, 3)).astype(np.uint8), (0, 0, 9, 9))
    bright = (np.full(3, 180.0), np.full(3, 40.0))
    mean, spread = light_of(lit_like(dark, bright, np.random.default_rng(1)))
    before, narrow = light_of(dark)
    assert (mean > before + 20).all()
    assert (spread > narrow).all()


def test_a_pool_is_made_once_and_holds_what_the_examples_are(pool, examples, tmp_path):
    again = Pool(tmp_path / "pool", 40, examples, NAMES, None, 0)
    for row in (0, 17, 39):
        made = examples.make(row)
        assert np.array_equal(again["pixels"][row], made.scene.pixels)
        assert [NAMES[of] for of in again["sources"][row]] == list(made.sources)
        assert (again["species"][row] == 0) != made.attack
    assert np.isnan(again["teachers"]).all()


def test_a_pool_of_other_boxes_is_made_anew(pool, examples, tmp_path):
    before = pool["box"][:].copy()
    examples.boxes = {image: (x + 5, y, w, h) for image, (x, y, w, h) in examples.boxes.items()}
    assert not np.array_equal(Pool(tmp_path / "pool", 40, examples, NAMES, None, 0)["box"], before)


def test_a_source_left_out_has_no_part_in_what_remains(pool):
    rows = pool.without({"b", "d"})
    assert 0 < len(rows) < 40
    assert {NAMES[of] for of in pool["sources"][rows].ravel()} == {"a", "c"}


def test_every_row_comes_once_before_any_comes_again(pool):
    rows = np.arange(0, 40, 2)
    crops = Crops(pool, rows, VIEWS, 1, 45)
    assert sorted(crops.order[:20]) == sorted(crops.order[20:40]) == list(rows)
    first, again = crops[7], crops[7]
    assert all(np.array_equal(a, b) for a, b in zip(first[0], again[0]))
    assert [crop.shape for crop in first[0]] == [(view.size, view.size, 3) for view in VIEWS]


def test_contact_sheet_has_a_band_for_each_kind(examples):
    options = argparse.Namespace(columns=3, rows=2, seed=1, clean=False, views=True)
    made = sheet(examples, ["bona fide", "real attack", "screen"], options)
    assert made.shape == (3 * (CAPTION + 2 * TILE), 3 * TILE, 3)
