"""Switches that every training run has."""

import argparse
from pathlib import Path


def training_options(description: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--manifest", type=Path)
    parser.add_argument("--images", type=Path)
    parser.add_argument("--detector", type=Path, help="centerface.onnx of the repository")
    parser.add_argument("--peers", type=Path, help="folder of the reference networks, as teachers; without it none")
    parser.add_argument("--cache", type=Path, required=True, help="folder for boxes, decoded pictures, the pool, checkpoints")
    parser.add_argument("--out", type=Path, help="folder for what is made")
    parser.add_argument("--init", type=Path, help="begin from exported networks, not ImageNet: a folder with a card, or one ONNX file for all views")
    parser.add_argument("--pool", type=int, default=40000, help="examples to make, which all folds and the final training share; of 200 kB each")
    parser.add_argument("--makers", type=int, default=2, help="processes that make the pool")
    parser.add_argument("--folds", type=int, default=6)
    parser.add_argument("--steps", type=int, default=2000, help="of each fold")
    parser.add_argument("--head-steps", type=int, default=60, help="first steps, which train the last layer only; 0 suits --init")
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--rate", type=float, default=2e-4)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=0, help="processes that cut crops")
    parser.add_argument("--threads", type=int, default=2, help="of the training itself; two processes of 1 thread each are half as fast again as one of 2")
    parser.add_argument("--every", type=int, default=500, help="steps between checks on held-out sources and checkpoints")
    parser.add_argument("--resume", action="store_true")
    parser.add_argument("--smoke", action="store_true", help="a few steps on generated pictures: does it all run?")
    return parser


def parsed(parser: argparse.ArgumentParser) -> argparse.Namespace:
    """The switches as given; with `--smoke` they point at generated pictures."""
    options = parser.parse_args()
    if options.smoke:
        from .smoke import prepare

        prepare(options)
    elif None in (options.manifest, options.images, options.detector, options.out):
        parser.error("--manifest, --images, --detector and --out are needed")
    return options
