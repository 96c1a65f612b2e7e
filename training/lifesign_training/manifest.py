"""The labelled pictures: one row of the manifest each."""

import csv
from dataclasses import dataclass
from pathlib import Path

Box = tuple[float, float, float, float]  # x, y, width, height in pixels; may reach outside the picture


@dataclass(frozen=True)
class Sample:
    image: str  # path below the images folder
    source: str  # one collector; the unit of generalisation
    attack: bool
    species: str  # PAI species, "unknown" where an attack has none given; "" for bona fide
    box: Box  # the labelled face


def read_manifest(path: Path) -> list[Sample]:
    with open(path, newline="") as file:
        return [
            Sample(
                image=row["image"],
                source=row["source"],
                attack=row["label"] == "attack",
                species=(row.get("pai_species") or "unknown") if row["label"] == "attack" else "",
                box=tuple(float(row[f"face_{key}"]) for key in "xywh"),
            )
            for row in csv.DictReader(file)
        ]
