"""The labelled pictures with the surroundings of the face cut away: what remains of a replay shot from so close that no edge
of the display shows, or of a face that fills the frame. OUT gets the pictures (keep them with the data) and `manifest.csv`."""

import argparse
import csv
from pathlib import Path

from .picture import open_picture, square_inside


def close_up(row: dict[str, str], images: Path, factor: float, out: Path) -> dict[str, str]:
    picture = open_picture(images / row["image"])
    x, y, w, h = (float(row[f"face_{key}"]) for key in "xywh")
    left, top, right, bottom = (round(edge) for edge in square_inside((x, y, w, h), factor, *picture.size))
    name = str(Path(row["image"]).with_suffix(".png"))
    (out / name).parent.mkdir(parents=True, exist_ok=True)
    picture.crop((left, top, right, bottom)).save(out / name)
    return {**row, "image": name, "face_x": f"{x - left:.1f}", "face_y": f"{y - top:.1f}",
            **({"width": str(right - left), "height": str(bottom - top)} if "width" in row else {})}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--manifest", type=Path, required=True, help="with boxes; that of `folds` has the column `fold`, too")
    parser.add_argument("--images", type=Path, required=True)
    parser.add_argument("--factor", type=float, default=2.0, help="side of what remains, in longer sides of the face box")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    with open(options.manifest, newline="") as given, open(options.out / "manifest.csv", "w", newline="") as made:
        rows = csv.DictReader(given)
        writer = csv.DictWriter(made, rows.fieldnames)
        writer.writeheader()
        writer.writerows(close_up(row, options.images, options.factor, options.out) for row in rows)


if __name__ == "__main__":
    main()
