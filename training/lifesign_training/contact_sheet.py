"""A sheet of what the networks are trained on, for a person to look at: real presentations and simulated attacks, all
after `capture`. Of real data it shows real faces: mind where you keep it."""

import argparse
from pathlib import Path

import cv2
import numpy as np

from .cache import detected_boxes
from .dataset import Examples
from .manifest import read_manifest
from .picture import square_inside
from .prepare import examples_of
from .scene import SIDE, Scene
from .simulate import SPECIES
from .smoke import write_pictures
from .views import VIEWS

TILE, CAPTION = 192, 22  # pixels
REAL = {"bona fide": "", "real attack": "real"}


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="the sheet, as PNG or JPEG")
    parser.add_argument("--manifest", type=Path)
    parser.add_argument("--images", type=Path)
    parser.add_argument("--detector", type=Path, help="centerface.onnx of the repository")
    parser.add_argument("--cache", type=Path, required=True, help="folder for boxes and decoded pictures")
    parser.add_argument("--columns", type=int, default=10)
    parser.add_argument("--rows", type=int, default=2, help="of each kind")
    parser.add_argument("--species", choices=SPECIES, help="only this one, with nothing beside it")
    parser.add_argument("--clean", action="store_true", help="leave out `capture`")
    parser.add_argument("--views", action="store_true", help="draw the outlines of the networks' crops")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--smoke", action="store_true", help="of generated pictures, which need no data")
    options = parser.parse_args()
    if options.smoke:
        options.cache = options.cache / "smoke"
        write_pictures(options.cache)
        options.manifest, options.images = options.cache / "manifest.csv", options.cache
    elif None in (options.manifest, options.images, options.detector):
        parser.error("--manifest, --images and --detector are needed")
    return options


def scene_of(kind: str, examples: Examples, index: int, clean: bool) -> Scene:
    species = REAL.get(kind, kind)
    return (examples.before_capture(index, species)[0] if clean else examples.make(index, species)).scene


def tile(scene: Scene, outlines: bool) -> np.ndarray:
    pixels = scene.pixels.copy()
    for view in VIEWS if outlines else []:
        left, top, right, bottom = (int(value) for value in square_inside(scene.box, view.factor, SIDE, SIDE))
        cv2.rectangle(pixels, (left, top), (right - 1, bottom - 1), (0, 255, 0), 1)
    return cv2.resize(pixels, (TILE, TILE), interpolation=cv2.INTER_AREA)


def sheet(examples: Examples, kinds: list[str], options: argparse.Namespace) -> np.ndarray:
    """RGB: for each kind a caption and its rows."""
    bands = []
    for number, kind in enumerate(kinds):
        caption = np.full((CAPTION, TILE * options.columns, 3), 255, np.uint8)
        cv2.putText(caption, kind.replace("_", " "), (6, CAPTION - 7), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (0, 0, 0), 1, cv2.LINE_AA)
        bands.append(caption)
        for row in range(options.rows):
            tiles = []
            for column in range(options.columns):
                index = (number * options.rows + row) * options.columns + column
                tiles.append(tile(scene_of(kind, examples, index, options.clean), options.views))
            bands.append(np.hstack(tiles))
    return np.vstack(bands)


def main() -> None:
    options = arguments()
    samples = read_manifest(options.manifest)
    found = detected_boxes(samples, options.images, options.detector, options.cache)
    examples = examples_of(samples, found, options)
    kinds = [options.species] if options.species else [*REAL, *SPECIES]
    options.out.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(options.out), cv2.cvtColor(sheet(examples, kinds, options), cv2.COLOR_RGB2BGR))


if __name__ == "__main__":
    main()
