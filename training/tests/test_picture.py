import numpy as np
import pytest
from PIL import Image

from lifesign_training.picture import cut, open_picture, overlap, square_inside


def test_square_about_the_centre():
    assert square_inside((100, 100, 40, 50), 2.0, 640, 480) == (70, 75, 170, 175)


def test_square_is_shifted_inside():
    left, top, right, bottom = square_inside((600, 10, 60, 80), 2.0, 640, 480)
    assert (left, top, right, bottom) == (480, 0, 640, 160)


def test_side_is_limited_by_the_picture():
    left, top, right, bottom = square_inside((200, 100, 300, 300), 2.7, 640, 480)
    assert (top, bottom) == (0, 480)
    assert right - left == 480
    assert left + right == pytest.approx(2 * 350)


def test_cut_shrinks_without_aliasing():
    stripes = np.zeros((64, 64, 3), np.uint8)
    stripes[:, ::2] = 200
    small = cut(stripes, (0, 0, 64, 64), 8)
    assert abs(small.astype(int) - 100).max() <= 5  # the border pixels see less to average


def test_exif_orientation(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90 degrees
    Image.new("RGB", (40, 20)).save(tmp_path / "turned.jpg", exif=exif)
    assert open_picture(tmp_path / "turned.jpg").size == (20, 40)


def test_overlap():
    assert overlap((0, 0, 2, 2), (1, 0, 2, 2)) == pytest.approx(1 / 3)
    assert overlap((0, 0, 1, 1), (5, 5, 1, 1)) == 0
