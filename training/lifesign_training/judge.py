"""What networks in training make of whole pictures, cut as the service cuts them."""

from pathlib import Path

import numpy as np
import torch
from torch import nn

from . import metrics
from .manifest import Box, Sample
from .network import fused
from .picture import open_picture
from .views import VIEWS, View, normalise

WEIGHTS = np.array([view.weight for view in VIEWS])


class Judged:
    """Pictures kept back, with their crops."""

    def __init__(self, samples: list[Sample], images: Path, boxes: dict[str, Box], views: list[View] = VIEWS):
        self.attack = np.array([sample.attack for sample in samples])
        self.source = np.array([sample.source for sample in samples])
        crops = [[] for _ in views]
        for sample in samples:
            picture = open_picture(images / sample.image)
            for of_view, view in zip(crops, views):
                of_view.append(view.of(picture, boxes[sample.image]))
        self.crops = [np.stack(of_view) for of_view in crops]

    @torch.no_grad()
    def logits(self, networks: nn.ModuleList) -> np.ndarray:
        """One column per view."""
        columns = []
        for network, pixels in zip(networks, self.crops):
            parts = [fused(network(normalise(torch.from_numpy(pixels[i : i + 32])))) for i in range(0, len(pixels), 32)]
            columns.append(torch.cat(parts).numpy())
        return np.stack(columns, 1).astype(np.float64)

    def report(self, networks: nn.ModuleList) -> str:
        """One line: each view and their sum."""
        logits, texts = self.logits(networks), []
        for name, score in [*((view.name, column) for view, column in zip(VIEWS, logits.T)), ("fused", logits @ WEIGHTS)]:
            live, spoof = score[~self.attack], score[self.attack]
            macro = np.mean(list(metrics.per_source_d_eer(score, self.attack, self.source).values()))
            texts.append(f"{name} D-EER {metrics.d_eer(live, spoof):.3f} macro {macro:.3f} AUC {metrics.auc(live, spoof):.4f}")
        return "; ".join(texts)
