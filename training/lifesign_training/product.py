"""Scores by the product end to end, each fold's pictures by a service with that fold's networks, which never saw them:
its own detector, capture check, crops, engine and calibration. For `lifesign evaluate --scorer`."""

import argparse
import csv
import json
import subprocess
from pathlib import Path

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
    return answers


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
    with open(options.out, "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["image", "score", "reason"])
        for fold in sorted({row["fold"] for row in rows}, key=int):
            images = [row["image"] for row in rows if row["fold"] == fold]
            answers = judged(options.lifesign, options.folds / f"fold-{fold}", [options.images / image for image in images])
            for image, answer in zip(images, answers):
                writer.writerow([image, answer.get("liveness_score", ""), answer.get("failureReason", "")])


if __name__ == "__main__":
    main()
