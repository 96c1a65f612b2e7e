import numpy as np
import pytest
import torch
from torch import nn

from lifesign_training.loop import loss_of, mean_of
from lifesign_training.network import FEATURES, HEADS, Network, fused


def outputs(label: float, teachers: float) -> torch.Tensor:
    made = torch.zeros(2, HEADS)
    made[:, 0], made[:, 1:4] = label, teachers
    return made


def test_the_loss_wants_the_label_and_the_teachers_view():
    bona_fide, unknown_attack = torch.tensor([0, 0], dtype=torch.int8), torch.tensor([-1, 1], dtype=torch.int8)
    alike, none = torch.full((2, 3), 1.5), torch.full((2, 3), float("nan"))
    assert loss_of(outputs(2, 0), bona_fide, none) < loss_of(outputs(-2, 0), bona_fide, none)
    assert loss_of(outputs(-2, 0), unknown_attack, none) < loss_of(outputs(2, 0), unknown_attack, none)
    assert loss_of(outputs(2, 1.5), bona_fide, alike) < loss_of(outputs(2, -1.5), bona_fide, alike)


def test_the_fused_head_is_the_fused_outputs():
    torch.manual_seed(1)
    network = Network().eval()
    nn.init.normal_(network.heads.weight)
    features = torch.randn(5, FEATURES)
    weight, bias = network.fused_head()
    assert torch.allclose(features @ weight.T + bias, fused(network.heads(features))[:, None], atol=1e-3)


def test_the_mean_of_weights():
    states = [{"w": torch.tensor([1.0, 2.0])}, {"w": torch.tensor([3.0, 6.0])}]
    assert np.allclose(mean_of(states)["w"], [2, 4])
    assert mean_of(states[:1])["w"].tolist() == pytest.approx([1, 2])


def test_a_batch_of_attacks_of_unknown_kinds_has_a_loss():
    unknown = torch.tensor([-1, -1], dtype=torch.int8)
    assert loss_of(outputs(2, 0), unknown, torch.full((2, 3), float("nan"))).isfinite()
