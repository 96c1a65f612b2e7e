import hashlib

import numpy as np
import pytest

from lifesign_training.golden import synthetic
from lifesign_training.picture import cut
from lifesign_training.resample import resample

# The first 16 hexadecimal digits of the SHA-256 of what fast_image_resize 6.1.0 makes of the golden picture
# (`Convolution(Bilinear)`, U8x3), with and without SIMD.
ENGINE = [
    ((147.1875, 53.0625, 443.40625, 349.28125), 112, "8118ae9ab5ce5b70"),
    ((0.1, 0.2, 480.1, 480.0), 144, "8ba61982d377b770"),
    ((321.4, 100.0, 640.0, 418.6), 144, "9e446df29f6ed28d"),
    ((200.3, 100.7, 260.3, 160.7), 144, "eb785c0a161db27d"),  # enlarged
    ((16, 16, 160, 160), 144, "7e73551c64e06359"),  # at its own size
    ((10, 20, 490, 480), 31, "64d9f7fd2c745a1f"),
]


@pytest.mark.parametrize(("crop", "size", "expected"), ENGINE)
def test_is_the_engines_bit_for_bit(crop, size, expected):
    made = resample(synthetic(), crop, size)
    assert made.shape == (size, size, 3)
    assert hashlib.sha256(made.tobytes()).hexdigest()[:16] == expected


@pytest.mark.parametrize(("crop", "size", "_"), ENGINE)
def test_is_pillows_to_a_grey_level(crop, size, _):
    pixels = synthetic()
    assert np.abs(resample(pixels, crop, size).astype(int) - cut(pixels, crop, size)).max() <= 1


def test_a_crop_at_its_own_size_is_the_crop_itself():
    pixels = synthetic()
    assert np.array_equal(resample(pixels, (16, 24, 80, 88), 64), pixels[24:88, 16:80])


def test_a_flat_picture_stays_flat():
    for value in (0, 1, 254, 255):
        assert (resample(np.full((90, 70, 3), value, np.uint8), (3.3, 5.7, 60.1, 62.5), 32) == value).all()
