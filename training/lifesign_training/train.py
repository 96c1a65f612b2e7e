"""From a manifest to models/pad: boxes, fine-tuning, calibration, export. `--help` lists the switches."""

import argparse
import json
import math
import time
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, Subset

from . import metrics
from .cache import Pictures, detected_boxes
from .dataset import Examples
from .detector import box_of_label
from .finish import finish
from .held_out import divide
from .manifest import read_manifest
from .network import Network, load_imagenet
from .picture import open_picture
from .views import VIEWS, normalise

SMOOTHING = 0.05  # of the labels
TEACHER_SHARE = {False: 0.7, True: 0.35}  # of the target, for real and for simulated examples, whose label is surer
EMA = 0.995
FROZEN = 3  # first blocks that stay ImageNet's: edges and colours are general, and most of a step's time goes there


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--manifest", type=Path)
    parser.add_argument("--images", type=Path)
    parser.add_argument("--detector", type=Path, help="centerface.onnx of the repository")
    parser.add_argument("--peers", type=Path, help="folder of the reference networks, as teachers; without it none")
    parser.add_argument("--cache", type=Path, required=True, help="folder for boxes, decoded pictures, checkpoints")
    parser.add_argument("--out", type=Path, help="folder for weights, card and golden.json")
    parser.add_argument("--steps", type=int, default=600)
    parser.add_argument("--head-steps", type=int, default=60, help="first steps, which train the last layer only")
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--rate", type=float, default=2e-4)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--every", type=int, default=50, help="steps between checks on held-out sources and checkpoints")
    parser.add_argument("--resume", action="store_true")
    parser.add_argument("--final", action="store_true", help="once all choices are made: train on the whole `train` split, calibrate on `dev`")
    parser.add_argument("--smoke", action="store_true", help="a few steps on generated pictures: does it all run?")
    options = parser.parse_args()
    if not options.smoke and None in (options.manifest, options.images, options.detector, options.out):
        parser.error("--manifest, --images, --detector and --out are needed")
    return options


class Averaged:
    """Exponential moving average of the weights: what is evaluated and exported."""

    def __init__(self, networks: nn.ModuleList):
        self.networks = networks
        self.state = {key: value.detach().clone() for key, value in networks.state_dict().items()}

    def update(self, step: int) -> None:
        decay = min(EMA, (1 + step) / (10 + step))
        for key, value in self.networks.state_dict().items():
            self.state[key].lerp_(value, 1 - decay)

    def copy(self, networks: nn.ModuleList) -> nn.ModuleList:
        networks.load_state_dict(self.state)
        return networks.eval()


def new_networks(device: torch.device) -> nn.ModuleList:
    networks = nn.ModuleList(Network() for _ in VIEWS)
    for network in networks:
        load_imagenet(network)
    return networks.to(device, memory_format=torch.channels_last)


def rate_at(step: int, options: argparse.Namespace) -> float:
    """Of the trunk, as a share of the peak: nothing, a short rise, then half a cosine down."""
    done = step - options.head_steps
    if done < 0:
        return 0.0
    rise = min(1.0, done / 100)
    return rise * 0.5 * (1 + math.cos(math.pi * done / max(1, options.steps - options.head_steps)))


def teacher_scale(examples: Examples) -> tuple[Tensor, Tensor] | None:
    """Middle between the classes and spread of each teacher's logit, on real examples as augmented."""
    if examples.teachers is None:
        return None
    rows = [examples[index] for index in range(examples.count - 256, examples.count)]
    logits = np.array([row[2] for row in rows])
    label, real = np.array([row[1] for row in rows]), np.array([row[3] for row in rows]) == 0
    live, attack = (logits[real & (label == value)] for value in (1, 0))
    middle, spread = (live.mean(0) + attack.mean(0)) / 2, logits[real].std(0)
    return torch.tensor(middle, dtype=torch.float32), torch.tensor(spread, dtype=torch.float32)


def targets(label: Tensor, teachers: Tensor, simulated: Tensor, scale: tuple[Tensor, Tensor] | None) -> Tensor:
    """Smoothed labels, mixed with what the teachers think of the very same capture."""
    hard = label * (1 - SMOOTHING) + SMOOTHING / 2
    if scale is None:
        return hard
    middle, spread = scale
    soft = torch.sigmoid(2 * ((teachers - middle) / spread).mean(1))
    share = torch.where(simulated > 0, TEACHER_SHARE[True], TEACHER_SHARE[False])
    return (1 - share) * hard + share * soft


@torch.no_grad()
def raw_logits(networks: nn.ModuleList, views: list[np.ndarray], device: torch.device) -> np.ndarray:
    """One column per view."""
    columns = []
    for network, pixels in zip(networks, views):
        parts = [network(normalise(torch.from_numpy(pixels[i : i + 32]).to(device)))[:, 0].cpu() for i in range(0, len(pixels), 32)]
        columns.append(torch.cat(parts).numpy())
    return np.stack(columns, 1).astype(np.float64)


def report(logits: np.ndarray, attack: np.ndarray, source: np.ndarray) -> str:
    texts = []
    fused = logits @ np.array([view.weight for view in VIEWS])
    for name, score in [*((view.name, column) for view, column in zip(VIEWS, logits.T)), ("fused", fused)]:
        macro = np.mean(list(metrics.per_source_d_eer(score, attack, source).values()))
        texts.append(f"{name} D-EER {metrics.d_eer(score[~attack], score[attack]):.3f} macro {macro:.3f} AUC {metrics.auc(score[~attack], score[attack]):.4f}")
    return "; ".join(texts)


def main() -> None:
    options = arguments()
    if options.smoke:
        from .smoke import prepare

        prepare(options)
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    training, held_out = divide(read_manifest(options.manifest), options.final)
    samples = training + held_out
    found = detected_boxes(samples, options.images, options.detector, options.cache)
    boxes = {sample.image: box_of_label(found[sample.image], sample.box) for sample in samples}
    pictures = Pictures(training, options.images, options.cache)
    # the last 256 examples are never trained on: they scale the teachers
    examples = Examples(training, boxes, pictures, VIEWS, options.seed, options.steps * options.batch + 256, options.peers)

    opened = [open_picture(options.images / sample.image) for sample in held_out]
    held_views = [np.stack([view.of(p, boxes[s.image]) for p, s in zip(opened, held_out)]) for view in VIEWS]
    held_attack = np.array([sample.attack for sample in held_out])
    held_source = np.array([sample.source for sample in held_out])
    del opened

    networks, judged = new_networks(device), new_networks(device)
    for network in networks:
        for layer in (network._conv_stem, *network._blocks[:FROZEN]):
            layer.requires_grad_(False)
    trunk = [p for name, p in networks.named_parameters() if ".logit." not in name and p.requires_grad]
    head = [p for name, p in networks.named_parameters() if ".logit." in name]
    optimiser = torch.optim.AdamW([{"params": trunk}, {"params": head}], weight_decay=0.01)
    averaged, start, scale = Averaged(networks), 0, None
    checkpoint = options.cache / "checkpoint.pt"
    if options.resume and checkpoint.exists():
        state = torch.load(checkpoint, map_location=device, weights_only=True)
        networks.load_state_dict(state["networks"])
        optimiser.load_state_dict(state["optimiser"])
        averaged.state, start, scale = state["averaged"], state["step"], state["scale"]
    scale = scale or teacher_scale(examples)

    order = range(start * options.batch, options.steps * options.batch)  # an example's seed is its index: resuming goes on exactly
    loader = iter(DataLoader(Subset(examples, order), options.batch, num_workers=options.workers, prefetch_factor=4 if options.workers else None))
    began, running = time.time(), 0.0
    for step in range(start, options.steps):
        crops, label, teachers, simulated = next(loader)
        target = targets(label, teachers, simulated, scale).to(device)
        networks.train()
        share = rate_at(step, options)
        for parameter in trunk:
            parameter.requires_grad_(share > 0)
        optimiser.param_groups[0]["lr"] = options.rate * share
        optimiser.param_groups[1]["lr"] = 2e-3 if share == 0 else options.rate * share * 2
        loss = sum(
            F.binary_cross_entropy_with_logits(network(normalise(pixels.to(device)).contiguous(memory_format=torch.channels_last))[:, 0], target)
            for network, pixels in zip(networks, crops)
        ) / len(networks)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(networks.parameters(), 5.0)
        optimiser.step()
        averaged.update(step)
        running = loss.item() if step == start else 0.98 * running + 0.02 * loss.item()
        if (step + 1) % options.every == 0 or step + 1 == options.steps:
            logits = raw_logits(averaged.copy(judged), held_views, device)
            print(f"step {step + 1} loss {running:.3f} {time.time() - began:.0f} s; held-out: {report(logits, held_attack, held_source)}", flush=True)
            torch.save({"networks": networks.state_dict(), "averaged": averaged.state, "optimiser": optimiser.state_dict(),
                        "step": step + 1, "scale": scale}, checkpoint)

    judged = averaged.copy(judged)
    logits = raw_logits(judged, held_views, device)
    summary = finish(judged, VIEWS, logits, held_attack, held_source, options.out)
    print(json.dumps(summary, indent=1))


if __name__ == "__main__":
    main()
