"""What every training begins with: the labelled pictures, their boxes, and the pool of examples made of them."""

import argparse
import fcntl
from dataclasses import dataclass

from .cache import Pictures, detected_boxes
from .dataset import Examples
from .detector import box_of_label
from .manifest import Box, Sample, read_manifest
from .pool import Pool


@dataclass
class Data:
    samples: list[Sample]
    found: dict[str, list[Box]]  # by the service's detector, the most certain first
    pool: Pool


def examples_of(samples: list[Sample], found: dict[str, list[Box]], options: argparse.Namespace) -> Examples:
    boxes = {sample.image: box_of_label(found[sample.image], sample.box) for sample in samples}
    return Examples(samples, boxes, Pictures(samples, options.images, options.cache), options.seed)


def prepare(options: argparse.Namespace) -> Data:
    """What is not in the cache yet is made by the first process that comes; others wait for it."""
    options.cache.mkdir(parents=True, exist_ok=True)
    with open(options.cache / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        samples = read_manifest(options.manifest)
        found = detected_boxes(samples, options.images, options.detector, options.cache)
        names = sorted({sample.source for sample in samples})
        examples = examples_of(samples, found, options)
        return Data(samples, found, Pool(options.cache / "pool", options.pool, examples, names, options.peers, options.makers))
