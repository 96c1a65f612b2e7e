"""Scores by the product end to end, each fold's pictures by a service with that fold's networks, which never saw them:
its own detector, capture check, crops, engine and calibration. For `lifesign evaluate --scorer`; the figures by fold, their mean
and spread are printed. Pictures that the product refuses to judge are in no figure."""

import argparse
import csv
import json
import subprocess
from pathlib import Path

import numpy as np

from .metrics import headline

AT_ONCE = 500  # pictures a call


def judged(program: Path, models: Path, files: list[Path]) -> list[dict]:
    """One answer of `lifesign check --json` for each picture."""
    answers = []
    for start in range(0, len(files), AT_ONCE):
        part = files[start : start + AT_ONCE]
        # its exit code tells whether all passed, which is not the question here
        run = subprocess.run([program, "check", "--json", "--models-dir", models, *part], capture_output=True, text=True, check=False)
        lines = run.stdout.splitlines()
        if len(lines) != len(part):
            raise RuntimeError(f"{len(part)} pictures, {len(lines)} answers; {run.stderr}")
        answers += map(json.loads, lines)
    if [answer["image"] for answer in answers] != [str(file) for file in files]:
        raise RuntimeError("the answers are of other pictures, or in another order")
    return answers


def summary(rows: list[dict[str, str]], scores: list[float | None]) -> str:
    """One line a figure: of each fold, their mean and standard deviation, and of all pictures together."""
    kept = [(row, score) for row, score in zip(rows, scores) if score is not None]
    species = np.array([(row.get("pai_species") or "unknown") if row["label"] == "attack" else "" for row, _ in kept])
    source, fold = (np.array([row[column] for row, _ in kept]) for column in ("source", "fold"))
    score = np.array([score for _, score in kept])
    folds = sorted(set(fold), key=int)
    found = [headline(score[fold == name], species[fold == name], source[fold == name]) for name in folds]
    lines = [["", *(f"fold {name}" for name in folds), "mean", "sd", "all"]]
    for key, value in headline(score, species, source).items():
        of_folds = np.array([figures[key] for figures in found])
        cells = [*of_folds, np.nanmean(of_folds), np.nanstd(of_folds, ddof=1), value]
        lines.append([key, *(f"{cell:.4f}" if key == "AUC" else f"{100 * cell:.1f} %" for cell in cells)])
    return "\n".join(f"{line[0]:<45}" + "".join(f"{cell:>9}" for cell in line[1:]) for line in lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lifesign", type=Path, required=True, help="the program")
    parser.add_argument("--folds", type=Path, required=True, help="what `folds` wrote")
    parser.add_argument("--manifest", type=Path, required=True, help="with the column `fold`")
    parser.add_argument("--images", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True, help="columns image, score, reason; no score is a non-response")
    options = parser.parse_args()
    with open(options.manifest, newline="") as file:
        rows = list(csv.DictReader(file))
    found: dict[str, float | None] = {}
    with open(options.out, "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["image", "score", "reason"])
        for fold in sorted({row["fold"] for row in rows}, key=int):
            images = [row["image"] for row in rows if row["fold"] == fold]
            answers = judged(options.lifesign, options.folds / f"fold-{fold}", [options.images / image for image in images])
            for image, answer in zip(images, answers):
                found[image] = answer.get("liveness_score")
                writer.writerow([image, answer.get("liveness_score", ""), answer.get("failureReason", "")])
    print(summary(rows, [found[row["image"]] for row in rows]))


if __name__ == "__main__":
    main()
