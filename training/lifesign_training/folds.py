"""Leave sources out: whole sources dealt into folds, each judged by networks that never saw it.

OUT gets `manifest.csv` (the rows given, with a column `fold`), for each fold that was run `fold-K.csv` (columns image,
score), and once all were, all of them as `scores.csv`:

    lifesign evaluate OUT/manifest.csv --images DIR --scorer OUT/scores.csv --group fold
"""

import argparse
import csv
from pathlib import Path

import numpy as np

from .cache import Pictures, detected_boxes
from .detector import box_of_label, largest
from .judge import WEIGHTS, Judged
from .loop import fit
from .manifest import Box, Sample, read_manifest
from .options import parsed, training_options


def deal(samples: list[Sample], folds: int) -> dict[str, int]:
    """The fold of each source. The large ones first, each to the fold that then is nearest to an even share of bona fide
    frames, of attacks, and of sources; no chance in it."""
    names = sorted({sample.source for sample in samples})
    counts = {name: np.zeros(3) for name in names}
    for sample in samples:
        counts[sample.source][int(sample.attack)] += 1
    for count in counts.values():
        count[2] = 1
    total = np.maximum(sum(counts.values()), 1)
    held = np.zeros((folds, 3))
    fold_of = {}
    for name in sorted(names, key=lambda name: (-counts[name][:2].sum(), name)):
        share = counts[name] / total
        # adding `share` to a fold adds this much, and a constant, to the sum of all folds' squares
        fold_of[name] = int(np.argmin((held * share).sum(1)))
        held[fold_of[name]] += share
    return fold_of


def write_manifest(given: Path, fold_of: dict[str, int], file: Path) -> None:
    with open(given, newline="") as source, open(file, "w", newline="") as made:
        rows = csv.DictReader(source)
        writer = csv.DictWriter(made, [*rows.fieldnames, "fold"])
        writer.writeheader()
        writer.writerows({**row, "fold": fold_of[row["source"]]} for row in rows)


def write_scores(file: Path, samples: list[Sample], scores: dict[str, float]) -> None:
    """A picture without a face has an empty score: a non-response."""
    with open(file, "w", newline="") as made:
        writer = csv.writer(made)
        writer.writerow(["image", "score"])
        writer.writerows([sample.image, f"{scores[sample.image]:.6f}" if sample.image in scores else ""] for sample in samples)


def join(parts: list[Path], file: Path) -> None:
    lines = [part.read_text().splitlines() for part in parts]
    file.write_text("\n".join([lines[0][0], *(line for part in lines for line in part[1:])]) + "\n")


def run_fold(fold: int, samples: list[Sample], fold_of: dict[str, int], found: dict[str, list[Box]], options: argparse.Namespace) -> None:
    training = [sample for sample in samples if fold_of[sample.source] != fold]
    kept_back = [sample for sample in samples if fold_of[sample.source] == fold]
    judged_boxes = {sample.image: largest(found[sample.image]) for sample in kept_back}  # the face the service judges
    faces = [sample for sample in kept_back if judged_boxes[sample.image]]
    print(f"fold {fold}: {len(kept_back)} frames of {', '.join(sorted({sample.source for sample in kept_back}))}", flush=True)
    judged = Judged(faces, options.images, judged_boxes)
    pictures = Pictures(samples, options.images, options.cache)
    own = argparse.Namespace(**{**vars(options), "cache": options.cache / f"fold-{fold}"})
    own.cache.mkdir(exist_ok=True)  # for its checkpoint
    boxes = {sample.image: box_of_label(found[sample.image], sample.box) for sample in training}
    networks = fit(training, boxes, pictures, own, judged.report)
    # the raw sum as a probability, not calibrated: a calibration would need sources of its own
    score = 1 / (1 + np.exp(-(judged.logits(networks) @ WEIGHTS)))
    write_scores(options.out / f"fold-{fold}.csv", kept_back, {sample.image: value for sample, value in zip(faces, score)})


def main() -> None:
    parser = training_options(__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--fold", type=int, help="only this one, counted from 0; else all in turn")
    options = parsed(parser)
    if options.init:
        parser.error("--init: fold networks begin from ImageNet, not from networks that may have seen the fold")
    samples = read_manifest(options.manifest)
    fold_of = deal(samples, options.folds)
    options.out.mkdir(parents=True, exist_ok=True)
    write_manifest(options.manifest, fold_of, options.out / "manifest.csv")
    found = detected_boxes(samples, options.images, options.detector, options.cache)
    for fold in range(options.folds) if options.fold is None else [options.fold]:
        run_fold(fold, samples, fold_of, found, options)
    parts = [options.out / f"fold-{fold}.csv" for fold in range(options.folds)]
    if all(part.exists() for part in parts):
        join(parts, options.out / "scores.csv")


if __name__ == "__main__":
    main()
