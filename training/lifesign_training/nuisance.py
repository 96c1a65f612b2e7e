"""Do nuisances carry the label? Values of the capture that say nothing about liveness, measured on scenes as training
draws them; each value alone, and a small classifier on all of them, should be at chance (AUC 0.5).

The classifier is judged on random folds, and on folds of whole sources: within one source a camera's sharpness may
separate the classes, which is of no use, and no danger, on the next camera."""

import argparse
from pathlib import Path

import cv2
import numpy as np

from . import simulate
from .cache import detected_boxes
from .dataset import BONA_FIDE, REAL_ATTACK, Example, Examples
from .folds import deal
from .manifest import Box, read_manifest
from .metrics import auc
from .prepare import examples_of
from .scene import SIDE, Scene

FOLDS = 5
RIDGE = 1.0  # as much as one example of each value
FRAME = 8  # pixels at the border that count as background, whatever the box
U, V = np.mgrid[0:SIDE, 0:SIDE]
HIGH = np.hypot(U, V) > SIDE / 2  # of the cosine transform: above half of what the pixels can hold
CHECKER = np.float32([[1, -2, 1], [-2, 4, -2], [1, -2, 1]])  # blind to edges along the axes


def face_mask(box: Box) -> np.ndarray:
    x, y, w, h = box
    low, high = FRAME, SIDE - FRAME
    left, right, top, bottom = (int(np.clip(edge, low, high)) for edge in (x, x + w, y, y + h))
    mask = np.zeros((SIDE, SIDE), bool)
    mask[top : max(bottom, top + 1), left : max(right, left + 1)] = True
    return mask


def blockiness(grey: np.ndarray) -> float:
    """Steps across the edges of 8 x 8 blocks against those inside the blocks."""
    ratio = 0.0
    for plane in (grey, grey.T):
        steps = np.abs(np.diff(plane, axis=1)).mean(0)
        edge = np.arange(SIDE - 1) % 8 == 7
        ratio += np.log((steps[edge].mean() + 0.1) / (steps[~edge].mean() + 0.1)) / 2
    return ratio


def noise(grey: np.ndarray) -> float:
    """Checkered residue in the flattest tenth of the blocks."""
    residue = np.abs(cv2.filter2D(grey, -1, CHECKER))
    blocks = residue.reshape(SIDE // 8, 8, SIDE // 8, 8).mean((1, 3))
    return np.log(np.quantile(blocks, 0.1) + 0.1)


def measure(scene: Scene) -> dict[str, float]:
    grey = cv2.cvtColor(scene.pixels, cv2.COLOR_RGB2GRAY).astype(np.float32)
    red, green, blue = scene.pixels.reshape(-1, 3).mean(0)
    x, y, w, h = scene.box
    face = face_mask(scene.box)
    edges = cv2.Laplacian(grey, cv2.CV_32F)
    energy = cv2.dct(grey) ** 2
    energy[0, 0] = 0  # the mean
    brightest, darkest = scene.pixels.max(2).astype(np.float32), scene.pixels.min(2)
    return {
        "sharpness": np.log(edges[face].var() + 0.1),  # of the face: variance of the Laplacian
        "background_sharpness": np.log(edges[~face].var() + 0.1),  # the same outside the box
        "high_frequencies": np.log(energy[HIGH].sum() / (energy.sum() + 1) + 1e-6),  # share of the finest detail
        "blockiness": blockiness(grey),  # of JPEG
        "noise": noise(grey),  # of the sensor, in flat places
        "brightness": grey[face].mean(),  # of the face
        "background_brightness": grey[~face].mean(),  # outside the box
        "face_light": grey[face].mean() - grey[~face].mean(),  # of the lamp, the backlight, the automatic exposure
        "contrast": grey.std(),  # of the whole scene
        "darkest": np.quantile(grey, 0.02),  # black level: haze, veil, exposure
        "lightest": np.quantile(grey, 0.98),  # white level
        "red_cast": red - green,  # mean colour, as of lamps and white balance
        "blue_cast": blue - green,
        "saturation": ((brightest - darkest) / (brightest + 1)).mean(),  # colourfulness
        "box_share": max(w, h) / SIDE,  # size of the face in the scene
        "box_aspect": h / w,
        "box_x": (x + w / 2) / SIDE,  # centre of the face
        "box_y": (y + h / 2) / SIDE,
    }


def draw(examples: Examples, index: int, raw: bool) -> tuple[str, Example]:
    """Kind and example, in training's shares; `raw`: a real presentation before `capture`."""
    if raw:
        real = index % round((BONA_FIDE + REAL_ATTACK) / REAL_ATTACK) == 0
        made, _ = examples.before_capture(index, "real" if real else "")
    else:
        made = examples.make(index)
    return made.species if made.simulated else "real attack" if made.attack else "bona fide", made


def fit(values: np.ndarray, bona_fide: np.ndarray) -> np.ndarray:
    """Ridge logistic regression by Newton's method; the last weight is the intercept."""
    values = np.column_stack([values, np.ones(len(values))])
    ridge = np.append(np.full(values.shape[1] - 1, RIDGE), 1e-3)
    weights = np.zeros(values.shape[1])
    for _ in range(15):
        chance = 1 / (1 + np.exp(-np.clip(values @ weights, -30, 30)))
        curvature = (values * (chance * (1 - chance))[:, None]).T @ values + np.diag(ridge)
        weights -= np.linalg.solve(curvature, values.T @ (chance - bona_fide) + ridge * weights)
    return weights


def with_squares(values: np.ndarray, like: np.ndarray) -> np.ndarray:
    """Standardised as `like`, and squared: a value may tell by being too large and too small alike."""
    scaled = np.clip((values - like.mean(0)) / (like.std(0) + 1e-9), -4, 4)
    return np.hstack([scaled, scaled**2])


def judged(values: np.ndarray, bona_fide: np.ndarray, folds: np.ndarray) -> float:
    """Mean AUC of folds that the classifier has not seen. An example made of two pictures has two folds: it is judged in
    the first, and trained on where neither is left out."""
    found = []
    for fold in np.unique(folds):
        judge, train = folds[:, 0] == fold, (folds != fold).all(1)
        if len(set(bona_fide[judge])) < 2 or len(set(bona_fide[train])) < 2:
            continue
        weights = fit(with_squares(values[train], values[train]), bona_fide[train])
        score = with_squares(values[judge], values[train]) @ weights[:-1]
        found.append(auc(score[bona_fide[judge]], score[~bona_fide[judge]]))
    return float(np.mean(found)) if found else np.nan


def report(names: list[str], values: np.ndarray, kinds: np.ndarray, folds: np.ndarray, seed: int) -> str:
    """AUC of bona fide against each kind: of the classifier, then of each value, the most telling first."""
    real = kinds == "bona fide"
    groups = {"all attacks": ~real, **{kind: kinds == kind for kind in ("real attack", *simulate.SPECIES)}}
    groups = {group: which for group, which in groups.items() if which.any()}
    if len(groups) == 2:
        del groups["all attacks"]  # which are all of one kind
    chance = np.random.default_rng(seed).integers(FOLDS, size=len(kinds))
    rows = [("examples", ["bona fide " + str(real.sum()), *(str(which.sum()) for which in groups.values())])]
    spread = [np.sqrt((1 / real.sum() + 1 / which.sum()) / 12) for which in groups.values()]
    rows.append(("chance, 2 sd", ["", *(f"±{2 * sd:.3f}" for sd in spread)]))
    for title, dealt in (("random folds", np.column_stack([chance, chance])), ("sources left out", folds)):
        found = [judged(values[which | real], real[which | real], dealt[which | real]) for which in groups.values()]
        rows.append((title, ["", *(f"{value:.3f}" for value in found)]))
    alone = np.array([[auc(column[real], column[which]) for which in groups.values()] for column in values.T])
    for row in np.argsort(-np.abs(alone - 0.5).max(1)):
        rows.append((names[row], ["", *(f"{value:.3f}" for value in alone[row])]))
    rows.insert(0, ("AUC, bona fide against", ["", *groups]))
    return "\n".join(f"{title:<23}" + "".join(f"{cell:>14}" for cell in cells) for title, cells in rows)


def table(examples: Examples, count: int, fold_of: dict[str, int], raw: bool) -> str:
    kinds, values, folds = [], [], []
    for index in range(count):
        kind, made = draw(examples, index, raw)
        kinds.append(kind)
        values.append(measure(made.scene))
        folds.append([fold_of[source] for source in made.sources])
    matrix = np.array([list(of.values()) for of in values], float)
    return report(list(values[0]), matrix, np.array(kinds), np.array(folds), examples.seed)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--manifest", type=Path, required=True)
    parser.add_argument("--images", type=Path, required=True)
    parser.add_argument("--detector", type=Path, required=True, help="centerface.onnx of the repository")
    parser.add_argument("--cache", type=Path, required=True, help="folder for boxes and decoded pictures")
    parser.add_argument("--count", type=int, default=2000, help="examples to draw")
    parser.add_argument("--raw", action="store_true", help="real presentations before `capture`: what it takes away")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    samples = read_manifest(options.manifest)
    found = detected_boxes(samples, options.images, options.detector, options.cache)
    print(table(examples_of(samples, found, options), options.count, deal(samples, FOLDS), options.raw))


if __name__ == "__main__":
    main()
