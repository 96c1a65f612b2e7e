"""The training loop: from initial networks and endless examples to averaged networks."""

import argparse
import math
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, Subset

from .cache import Pictures
from .dataset import Examples
from .initial import load_initial
from .manifest import Box, Sample
from .network import Network
from .views import VIEWS, normalise

SMOOTHING = 0.05  # of the labels
# Teachers' share of the target, for real and for simulated examples. High, because on sources never trained on the
# sum of the teachers is still the better judge, and 15 sources of hard labels teach their cameras. Low where the
# attack was simulated: there the label is certain, and the teachers take six of ten simulated masks for people.
TEACHER_SHARE = {False: 0.85, True: 0.15}
SCALING = 256  # examples that scale the teachers, never trained on
EMA = 0.998
FROZEN = 3  # first blocks that stay as they were: edges and colours are general, and most of a step's time goes there


class Averaged:
    """Exponential moving average of the weights: what is evaluated and exported."""

    def __init__(self, networks: nn.ModuleList):
        self.networks = networks
        self.state = {key: value.detach().clone() for key, value in networks.state_dict().items()}

    def update(self, step: int) -> None:
        decay = min(EMA, (1 + step) / (10 + step))
        for key, value in self.networks.state_dict().items():
            self.state[key].lerp_(value, 1 - decay)

    def mix(self, other: nn.ModuleList, share: float) -> None:
        for key, value in other.state_dict().items():
            self.state[key].lerp_(value, share)

    def copy(self, networks: nn.ModuleList) -> nn.ModuleList:
        networks.load_state_dict(self.state)
        return networks.eval()


def new_networks(device: torch.device, init: Path | None) -> nn.ModuleList:
    networks = nn.ModuleList(Network() for _ in VIEWS)
    for network, view in zip(networks, VIEWS):
        load_initial(network, view, init)
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
    rows = [examples[index] for index in range(examples.count - SCALING, examples.count)]
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


class Trainer:
    """Networks, optimiser and average, as one checkpoint holds them."""

    def __init__(self, options: argparse.Namespace, device: torch.device):
        self.options, self.device = options, device
        self.networks, self.judged = (new_networks(device, options.init) for _ in range(2))
        for network in self.networks:
            for layer in (network._conv_stem, *network._blocks[:FROZEN]):
                layer.requires_grad_(False)
        self.trunk = [p for name, p in self.networks.named_parameters() if ".logit." not in name and p.requires_grad]
        head = [p for name, p in self.networks.named_parameters() if ".logit." in name]
        self.optimiser = torch.optim.AdamW([{"params": self.trunk}, {"params": head}], weight_decay=0.01)
        self.averaged, self.start, self.scale = Averaged(self.networks), 0, None
        self.checkpoint = options.cache / "checkpoint.pt"
        if options.resume and self.checkpoint.exists():
            state = torch.load(self.checkpoint, map_location=device, weights_only=True)
            self.networks.load_state_dict(state["networks"])
            self.optimiser.load_state_dict(state["optimiser"])
            self.averaged.state, self.start, self.scale = state["averaged"], state["step"], state["scale"]

    def save(self, step: int) -> None:
        torch.save({"networks": self.networks.state_dict(), "averaged": self.averaged.state,
                    "optimiser": self.optimiser.state_dict(), "step": step, "scale": self.scale}, self.checkpoint)

    def step(self, step: int, batch: list) -> float:
        crops, label, teachers, simulated = batch
        target = targets(label, teachers, simulated, self.scale).to(self.device)
        self.networks.train()
        share = rate_at(step, self.options)
        for parameter in self.trunk:
            parameter.requires_grad_(share > 0)
        self.optimiser.param_groups[0]["lr"] = self.options.rate * share
        self.optimiser.param_groups[1]["lr"] = 2e-3 if share == 0 else self.options.rate * share * 2
        loss = sum(
            F.binary_cross_entropy_with_logits(network(normalise(pixels.to(self.device)).contiguous(memory_format=torch.channels_last))[:, 0], target)
            for network, pixels in zip(self.networks, crops)
        ) / len(self.networks)
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(self.networks.parameters(), 5.0)
        self.optimiser.step()
        self.averaged.update(step)
        return loss.item()

    def run(self, examples: Examples, check: Callable[[nn.ModuleList], str]) -> nn.ModuleList:
        """The averaged networks after the last step; `check` looks at them on the way."""
        options = self.options
        self.scale = self.scale or teacher_scale(examples)
        order = range(self.start * options.batch, options.steps * options.batch)  # an example's seed is its index: resuming goes on exactly
        loader = iter(DataLoader(Subset(examples, order), options.batch, num_workers=options.workers,
                                 prefetch_factor=4 if options.workers else None))
        began, running = time.time(), 0.0
        for step in range(self.start, options.steps):
            loss = self.step(step, next(loader))
            running = loss if step == self.start else 0.98 * running + 0.02 * loss
            if (step + 1) % options.every == 0 or step + 1 == options.steps:
                self.save(step + 1)
                print(f"step {step + 1} loss {running:.3f} {time.time() - began:.0f} s; held-out: {check(self.averaged.copy(self.judged))}", flush=True)
        # Between two tunings of the same weights lie better ones (Wortsman et al., *Robust fine-tuning of zero-shot
        # models*, 2022): what the second learnt without what it forgot.
        self.averaged.mix(new_networks(self.device, options.init), options.keep)
        return self.averaged.copy(self.judged)


def fit(training: list[Sample], boxes: dict[str, Box], pictures: Pictures, options: argparse.Namespace,
        check: Callable[[nn.ModuleList], str]) -> nn.ModuleList:
    """Networks trained on the `training` samples."""
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    examples = Examples(training, boxes, pictures, VIEWS, options.seed, options.steps * options.batch + SCALING, options.peers)
    return Trainer(options, device).run(examples, check)
