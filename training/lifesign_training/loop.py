"""The training loop: from initial networks and rows of the pool to averaged networks."""

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

from .initial import load_initial
from .network import LABEL, SPECIES, TEACHERS, Network
from .pool import Crops, Pool
from .views import VIEWS, normalise

SMOOTHING = 0.05  # of the labels
TEACHERS_SHARE, SPECIES_SHARE = 0.5, 0.2  # weights in the loss, beside 1 for the label
OUTLIER = 3.0  # spreads, to which the teachers' logits are cut
EMA = 0.998
FROZEN = 3  # first blocks that stay as they were: edges and colours are general, and most of a step's time goes there
Check = Callable[[nn.ModuleList], str]


class Averaged:
    """Exponential moving average of the weights: what is evaluated and exported."""

    def __init__(self, networks: nn.ModuleList):
        self.state = {key: value.detach().clone() for key, value in networks.state_dict().items()}

    def update(self, networks: nn.ModuleList, step: int) -> None:
        decay = min(EMA, (1 + step) / (10 + step))
        for key, value in networks.state_dict().items():
            self.state[key].lerp_(value, 1 - decay)


def new_networks(init: Path | None) -> nn.ModuleList:
    networks = nn.ModuleList(Network() for _ in VIEWS)
    for network, view in zip(networks, VIEWS):
        load_initial(network, view, init)
    return networks


def networks_with(state: dict[str, Tensor]) -> nn.ModuleList:
    """On the CPU."""
    networks = nn.ModuleList(Network() for _ in VIEWS)
    networks.load_state_dict(state)
    return networks


def mean_of(states: list[dict[str, Tensor]]) -> dict[str, Tensor]:
    """The mean of the weights of networks that were tuned from the same beginning: between several tunings lie better ones
    (Wortsman et al., *Model soups*, 2022)."""
    return {key: torch.stack([state[key] for state in states]).mean(0) for key in states[0]}


def teacher_scale(pool: Pool, rows: np.ndarray) -> tuple[Tensor, Tensor]:
    """Mean and spread of each teacher's logit, on real presentations as augmented."""
    logits = pool["teachers"][rows[~pool["simulated"][rows]]]
    return torch.tensor(logits.mean(0)), torch.tensor(logits.std(0))


def loss_of(outputs: Tensor, species: Tensor, teachers: Tensor, share: float = TEACHERS_SHARE) -> Tensor:
    """`teachers` are standardised; NaN where there are none. A species of -1 is an attack of a kind unknown."""
    label = (species == 0).float() * (1 - SMOOTHING) + SMOOTHING / 2
    loss = F.binary_cross_entropy_with_logits(outputs[:, LABEL][:, 0], label)
    if not teachers.isnan().any():
        loss = loss + share * F.smooth_l1_loss(outputs[:, TEACHERS], teachers.clamp(-OUTLIER, OUTLIER))
    known = species >= 0
    if known.any():
        loss = loss + SPECIES_SHARE * F.cross_entropy(outputs[:, SPECIES][known], species[known].long(), label_smoothing=SMOOTHING)
    return loss


class Trainer:
    """Networks, optimiser and average, as one checkpoint holds them."""

    def __init__(self, networks: nn.ModuleList, options: argparse.Namespace, checkpoint: Path, steps: int, head_steps: int, rate: float,
                 teachers_share: float):
        self.options, self.checkpoint, self.teachers_share = options, checkpoint, teachers_share
        self.steps, self.head_steps, self.rate = steps, head_steps, rate
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.networks = networks.to(self.device, memory_format=torch.channels_last)
        for network in self.networks:
            for layer in (network._conv_stem, *network._blocks[:FROZEN]):
                layer.requires_grad_(False)
        self.trunk = [p for name, p in self.networks.named_parameters() if ".heads." not in name and p.requires_grad]
        heads = [p for name, p in self.networks.named_parameters() if ".heads." in name]
        self.optimiser = torch.optim.AdamW([{"params": self.trunk}, {"params": heads}], weight_decay=0.01, fused=True)
        self.averaged, self.start = Averaged(self.networks), 0
        if options.resume and checkpoint.exists():
            state = torch.load(checkpoint, map_location=self.device, weights_only=True)
            self.networks.load_state_dict(state["networks"])
            self.optimiser.load_state_dict(state["optimiser"])
            self.averaged.state, self.start = state["averaged"], state["step"]

    def save(self, step: int) -> None:
        torch.save({"networks": self.networks.state_dict(), "averaged": self.averaged.state,
                    "optimiser": self.optimiser.state_dict(), "step": step}, self.checkpoint)

    def rate_at(self, step: int) -> float:
        """Of the trunk, as a share of the peak: nothing, a short rise, then half a cosine down."""
        done = step - self.head_steps
        if done < 0:
            return 0.0
        return min(1.0, done / 100) * 0.5 * (1 + math.cos(math.pi * done / max(1, self.steps - self.head_steps)))

    def step(self, step: int, crops: list[Tensor], species: Tensor, teachers: Tensor) -> float:
        self.networks.train()
        share = self.rate_at(step)
        for parameter in self.trunk:
            parameter.requires_grad_(share > 0)
        self.optimiser.param_groups[0]["lr"] = self.rate * share
        self.optimiser.param_groups[1]["lr"] = 2e-3 if share == 0 else self.rate * share * 2
        species, teachers = species.to(self.device), teachers.to(self.device)
        loss = sum(
            loss_of(network(normalise(pixels.to(self.device)).contiguous(memory_format=torch.channels_last)), species, teachers, self.teachers_share)
            for network, pixels in zip(self.networks, crops)
        ) / len(self.networks)
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(self.networks.parameters(), 5.0)
        self.optimiser.step()
        self.averaged.update(self.networks, step)
        return loss.item()

    def current(self) -> nn.ModuleList:
        """The averaged networks, on the CPU."""
        return networks_with(self.averaged.state).to(memory_format=torch.channels_last).eval()

    def run(self, pool: Pool, rows: np.ndarray, check: Check) -> nn.ModuleList:
        """The averaged networks after the last step; `check` looks at them on the way."""
        options = self.options
        middle, spread = teacher_scale(pool, rows)
        crops = Crops(pool, rows, VIEWS, options.seed, self.steps * options.batch)
        order = range(self.start * options.batch, len(crops))  # an item is its index: resuming goes on exactly
        loader = iter(DataLoader(Subset(crops, order), options.batch, num_workers=options.workers,
                                 prefetch_factor=4 if options.workers else None))
        began, running = time.time(), 0.0
        for step in range(self.start, self.steps):
            views, species, teachers = next(loader)
            loss = self.step(step, views, species, (teachers - middle) / spread)
            running = loss if step == self.start else 0.98 * running + 0.02 * loss
            if (step + 1) % options.every == 0 or step + 1 == self.steps:
                self.save(step + 1)
                print(f"step {step + 1} loss {running:.3f} {time.time() - began:.0f} s; held-out: {check(self.current())}", flush=True)
        return self.current()


def fit(networks: nn.ModuleList, pool: Pool, rows: np.ndarray, options: argparse.Namespace, checkpoint: Path, check: Check,
        *, steps: int, head_steps: int, rate: float, teachers_share: float = TEACHERS_SHARE) -> nn.ModuleList:
    """`networks` trained on these rows of the pool."""
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    checkpoint.parent.mkdir(parents=True, exist_ok=True)
    return Trainer(networks, options, checkpoint, steps, head_steps, rate, teachers_share).run(pool, rows, check)
