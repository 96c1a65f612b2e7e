import json

import numpy as np
import onnxruntime as ort
import pytest
import torch
from PIL import Image
from torch import nn

from lifesign_training.card import read_card
from lifesign_training.finish import finish
from lifesign_training.golden import synthetic
from lifesign_training.initial import load_initial
from lifesign_training.network import Network, fused
from lifesign_training.views import View, normalise

VIEWS = [View("wide", 2.7, 64, 0.5), View("tight", 1.25, 32, 0.5)]


@pytest.fixture
def made(tmp_path):
    torch.manual_seed(1)
    networks = nn.ModuleList(Network() for _ in VIEWS)
    for network in networks:
        nn.init.normal_(network.heads.weight)
    rng = np.random.default_rng(1)
    attack, source = np.repeat([False, True], 20), np.array(["a", "b"] * 20)
    raw = rng.normal(0, 1, 40) + np.where(attack, -2, 2)
    finish(networks, VIEWS, raw, attack, source, 1 / (1 + np.exp(-raw)), tmp_path)
    return tmp_path


def test_card_round_trip(made):
    card = read_card(made / "card.toml")
    assert card.views == VIEWS
    assert card.slope > 0
    assert sorted(file.name for file in made.iterdir()) == ["card.toml", "golden.json", "tight.onnx", "wide.onnx"]


def test_card_notices_other_weights(made):
    (made / "tight.onnx").write_bytes(b"other")
    with pytest.raises(ValueError):
        read_card(made / "card.toml")


def test_golden_values_are_those_of_the_exported_networks(made):
    card, golden = read_card(made / "card.toml"), json.loads((made / "golden.json").read_text())
    picture = Image.fromarray(synthetic())
    for case in golden["cases"]:
        raw = 0.0
        for view, file in zip(card.views, card.weights):
            tensor = normalise(torch.from_numpy(view.of(picture, case["box"]))[None]).contiguous().numpy()
            raw += view.weight * float(ort.InferenceSession(made / file).run(None, {"input": tensor})[0][0, 0])
        assert raw == pytest.approx(case["raw"], abs=1e-4)
        assert 1 / (1 + np.exp(-(card.slope * raw + card.intercept))) == pytest.approx(case["score"], abs=1e-4)


def logit(network: Network, size: int) -> float:
    with torch.no_grad():
        return float(fused(network.eval()(torch.ones(1, 3, size, size)))[0])


@pytest.mark.parametrize(("name", "file"), [("tight", "tight.onnx"), ("far", "wide.onnx")])
def test_training_goes_on_from_exported_networks(made, name, file):
    """A view begins as its namesake on the card, one that the card lacks as the first."""
    network = Network()
    load_initial(network, View(name, 4.0, 32, 0.5), made)
    found = ort.InferenceSession(made / file)
    size = found.get_inputs()[0].shape[2]
    expected = found.run(None, {"input": np.ones((1, 3, size, size), np.float32)})[0][0, 0]
    assert logit(network, size) == pytest.approx(expected, rel=1e-4, abs=1e-4)
    alone = Network()
    load_initial(alone, View("any", 1.0, 32, 1.0), made / file)
    assert logit(alone, size) == logit(network, size)
