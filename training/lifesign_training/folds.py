"""Leave sources out: whole sources dealt into folds, each judged by networks that never saw it.

OUT gets `manifest.csv` (the rows given, with a column `fold`), a folder `fold-K/pad` of each fold's networks, for each fold
that was run `fold-K.csv` (columns image, score), and once all were, all of them as `scores.csv`, calibrated fold by fold
on the others:

    lifesign evaluate OUT/manifest.csv --images DIR --scorer OUT/scores.csv --group fold
"""

import argparse
import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from torch import nn

from .calibrate import fitted
from .detector import largest
from .finish import write_model
from .judge import WEIGHTS, Judged
from .loop import fit, new_networks
from .manifest import Sample
from .options import parsed, training_options
from .prepare import Data, prepare
from .views import VIEWS


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


@dataclass
class Held:
    """What a fold's networks say of the sources that they never saw."""

    samples: list[Sample]  # with a face, as the service would judge it
    logits: np.ndarray  # a column a view
    networks: nn.ModuleList

    @property
    def raw(self) -> np.ndarray:
        return self.logits @ WEIGHTS


def run_fold(fold: int, data: Data, fold_of: dict[str, int], options: argparse.Namespace) -> Held:
    kept_back = [sample for sample in data.samples if fold_of[sample.source] == fold]
    boxes = {sample.image: largest(data.found[sample.image]) for sample in kept_back}  # the face the service judges
    faces = [sample for sample in kept_back if boxes[sample.image]]
    left_out = {sample.source for sample in kept_back}
    print(f"fold {fold}: {len(kept_back)} frames of {', '.join(sorted(left_out))}", flush=True)
    judged = Judged(faces, options.images, boxes)
    networks = fit(new_networks(options.init), data.pool, data.pool.without(left_out), options, options.cache / f"fold-{fold}.pt",
                   judged.report, steps=options.steps, head_steps=options.head_steps, rate=options.rate)
    return Held(faces, judged.logits(networks), networks)


def joined(held: list[Held]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Raw scores, whether attacks, sources."""
    samples = [sample for of in held for sample in of.samples]
    return (np.concatenate([of.raw for of in held]), np.array([sample.attack for sample in samples]),
            np.array([sample.source for sample in samples]))


def run_folds(data: Data, options: argparse.Namespace, out: Path) -> tuple[list[Held], list[np.ndarray]]:
    """All folds and their files in `out`; of each what it held back, and the scores of that by a calibration fitted on the
    other folds: what an unseen camera can expect."""
    fold_of = deal(data.samples, options.folds)
    out.mkdir(parents=True, exist_ok=True)
    write_manifest(options.manifest, fold_of, out / "manifest.csv")
    held = [run_fold(fold, data, fold_of, options) for fold in range(options.folds)]
    unseen = []
    for fold, own in enumerate(held):
        slope, intercept = fitted(*joined([other for other in held if other is not own]))
        scores = 1 / (1 + np.exp(-(slope * own.raw + intercept)))
        unseen.append(scores)
        kept_back = [sample for sample in data.samples if fold_of[sample.source] == fold]
        write_scores(out / f"fold-{fold}.csv", kept_back, {sample.image: value for sample, value in zip(own.samples, scores)})
        info = {"origin": f"fold {fold} of {options.folds}: for measuring"}
        write_model(own.networks, VIEWS, slope, intercept, info, out / f"fold-{fold}" / "pad")
    join([out / f"fold-{fold}.csv" for fold in range(options.folds)], out / "scores.csv")
    return held, unseen


def main() -> None:
    parser = training_options(__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--only", type=int, nargs="+", default=[], metavar="FOLD",
                        help="train these alone, counted from 0, so that several processes share the work; then run with --resume for the files")
    options = parsed(parser)
    data = prepare(options)
    if options.only:
        fold_of = deal(data.samples, options.folds)
        for fold in options.only:
            run_fold(fold, data, fold_of, options)
    else:
        run_folds(data, options, options.out)


if __name__ == "__main__":
    main()
