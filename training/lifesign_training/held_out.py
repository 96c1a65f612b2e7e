"""Which pictures are kept back: for choosing a model, and for its calibration."""

import hashlib

from .manifest import Sample

# Whole sources: three with both classes, one bona fide only.
SOURCES = ("m_codersworld", "m_pagolu", "m_sudipto", "m_sankalita")
# Of the one source of web portraits, which has hundreds of people, a share of the pictures: without it the
# calibration would know webcams only.
SHARED_SOURCE, SHARE = "x_fossasia", 0.2


def is_held_out(sample: Sample) -> bool:
    if sample.source == SHARED_SOURCE:
        return hashlib.sha256(sample.image.encode()).digest()[0] < 256 * SHARE
    return sample.source in SOURCES


def divide(samples: list[Sample], final: bool = False) -> tuple[list[Sample], list[Sample]]:
    """Training and held-out pictures: both of the `train` split while there are choices to make; in the end all of
    it, with the sources of `dev` for the calibration alone."""
    train = [sample for sample in samples if sample.split == "train"]
    if final:
        return train, [sample for sample in samples if sample.split == "dev"]
    return [s for s in train if not is_held_out(s)], [s for s in train if is_held_out(s)]
