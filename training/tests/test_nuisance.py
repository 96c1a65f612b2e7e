import cv2
import numpy as np
import pytest

from lifesign_training.cache import Pictures
from lifesign_training.capture import jpeg
from lifesign_training.dataset import Examples
from lifesign_training.folds import deal
from lifesign_training.manifest import read_manifest
from lifesign_training.nuisance import judged, measure, table
from lifesign_training.scene import SIDE, Scene
from lifesign_training.simulate import SPECIES
from lifesign_training.smoke import face, write_pictures

BOX = (110.0, 90.0, 100.0, 130.0)


@pytest.fixture
def pixels():
    rng = np.random.default_rng(1)
    drawn = cv2.resize(face(rng, False)[0], (SIDE, SIDE))
    return np.clip(drawn * 0.8 + rng.normal(0, 4, drawn.shape), 0, 255).astype(np.uint8)


def change(name: str, before: np.ndarray, after: np.ndarray, box=BOX) -> float:
    return measure(Scene(after, box))[name] - measure(Scene(before, BOX))[name]


@pytest.mark.parametrize("name", ["sharpness", "background_sharpness", "high_frequencies", "noise"])
def test_blur_takes_detail(pixels, name):
    assert change(name, pixels, cv2.GaussianBlur(pixels, (0, 0), 1.5)) < -0.5


def test_sharpness_knows_face_from_background(pixels):
    blurred = cv2.GaussianBlur(pixels, (0, 0), 1.5)
    x, y, w, h = (int(value) for value in BOX)
    blurred[y : y + h, x : x + w] = pixels[y : y + h, x : x + w]
    assert change("sharpness", pixels, blurred) == pytest.approx(0, abs=0.01)  # but for the box's own edge
    assert change("background_sharpness", pixels, blurred) < -0.5


def test_jpeg_leaves_blocks(pixels):
    assert abs(measure(Scene(pixels, BOX))["blockiness"]) < 0.1
    assert change("blockiness", pixels, jpeg(pixels, 30)) > 0.3


def test_light_and_colour(pixels):
    for name in ("brightness", "background_brightness", "darkest", "lightest"):
        assert change(name, pixels, pixels + np.uint8(20)) == pytest.approx(20, abs=0.01)
    assert change("face_light", pixels, pixels + np.uint8(20)) == pytest.approx(0, abs=0.01)
    redder = pixels + np.uint8([20, 0, 0])
    assert change("red_cast", pixels, redder) == pytest.approx(20, abs=0.01)
    assert change("blue_cast", pixels, redder) == pytest.approx(0, abs=0.01)
    grey = cv2.cvtColor(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    assert measure(Scene(grey, BOX))["saturation"] == 0
    assert change("contrast", pixels, pixels // 2) < 0


def test_box(pixels):
    assert change("box_share", pixels, pixels, (110, 90, 100, 162)) == pytest.approx(32 / SIDE)
    assert change("box_x", pixels, pixels, (142, 90, 100, 130)) == pytest.approx(32 / SIDE)
    assert change("box_y", pixels, pixels, (110, 58, 100, 130)) == pytest.approx(-32 / SIDE)


def test_a_box_that_fills_the_scene(pixels):
    for box in ((-20, -20, 400, 400), (400, 400, 50, 60)):
        assert np.isfinite(list(measure(Scene(pixels, box)).values())).all()


def test_classifier_is_at_chance_without_a_label_and_finds_one():
    rng = np.random.default_rng(1)
    values, bona_fide = rng.normal(size=(1500, 6)), rng.random(1500) < 0.5
    folds = rng.integers(5, size=(1500, 2))
    assert judged(values, bona_fide, folds) == pytest.approx(0.5, abs=0.05)
    values[:, 2] *= np.where(bona_fide, 1, 3)  # no mean tells them apart: this takes the squares
    assert judged(values, bona_fide, folds) > 0.75


@pytest.mark.parametrize("raw", [False, True])
def test_table_of_drawn_faces(tmp_path, raw):
    write_pictures(tmp_path)
    samples = read_manifest(tmp_path / "manifest.csv")
    boxes = {sample.image: sample.box for sample in samples}
    examples = Examples(samples, boxes, Pictures(samples, tmp_path, tmp_path), 1)
    made = table(examples, 120, deal(samples, 5), raw)
    assert all((species in made) != raw for species in SPECIES)
    assert "sources left out" in made and "blockiness" in made
