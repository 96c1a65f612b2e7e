"""models/pad/card.toml: what the service needs to know about the networks. Written here, read by Rust and by us."""

import hashlib
import tomllib
from dataclasses import dataclass
from pathlib import Path

from .network import MEAN, STD
from .views import View


@dataclass(frozen=True)
class Card:
    views: list[View]
    weights: list[str]  # file of each view's network
    slope: float
    intercept: float


def _text(value: str) -> str:
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def write_card(folder: Path, version: str, views: list[View], slope: float, intercept: float, info: dict[str, str]) -> None:
    """For networks that lie in `folder` as NAME.onnx."""
    lines = ["format = 1", 'name = "lifesign-pad"', f"version = {_text(version)}"]
    for view in views:
        file = f"{view.name}.onnx"
        digest = hashlib.sha256((folder / file).read_bytes()).hexdigest()
        lines += [
            "", "[[view]]", f"name = {_text(view.name)}", f"weights = {_text(file)}", f'sha256 = "{digest}"',
            f"weight = {view.weight}",
            "[view.input]", f"width = {view.size}", f"height = {view.size}", 'colour = "rgb"',
            f"mean = {list(MEAN)}", f"std = {list(STD)}",
            "[view.crop]", 'rule = "square-inside"', f"factor = {view.factor}",
            "[view.output]", 'kind = "logit"', "index = 0",
        ]
    lines += ["", "[calibration.default]", f"slope = {slope:.6f}", f"intercept = {intercept:.6f}", "", "[info]"]
    lines += [f"{key} = {_text(value)}" for key, value in info.items()]
    (folder / "card.toml").write_text("\n".join(lines) + "\n")


def read_card(file: Path) -> Card:
    card = tomllib.loads(file.read_text())
    if card["format"] != 1:
        raise ValueError(f"card format {card['format']}")
    views = []
    for view in card["view"]:
        digest = hashlib.sha256((file.parent / view["weights"]).read_bytes()).hexdigest()
        if digest != view["sha256"]:
            raise ValueError(f"{view['weights']} is not the file that the card names")
        if view["crop"]["rule"] != "square-inside" or view["output"] != {"kind": "logit", "index": 0}:
            raise ValueError(f"view {view['name']}: not one that this code makes")
        views.append(View(view["name"], view["crop"]["factor"], view["input"]["width"], view["weight"]))
    calibration = card["calibration"]["default"]
    return Card(views, [view["weights"] for view in card["view"]], calibration["slope"], calibration["intercept"])
