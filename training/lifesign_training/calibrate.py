"""From the raw logit to the liveness score: Platt scaling, score = sigmoid(slope * raw + intercept)."""

import numpy as np
from scipy.optimize import minimize

THRESHOLD = 0.6  # the service's default
BPCER = 0.05  # wanted there, on held-out sources


def balanced(attack: np.ndarray, source: np.ndarray) -> np.ndarray:
    """Weights that make both classes count alike, and inside a class each source."""
    weight = np.zeros(len(attack))
    for label in (False, True):
        names = set(source[attack == label])
        for name in names:
            here = (attack == label) & (source == name)
            weight[here] = 0.5 / len(names) / here.sum()
    return weight


def platt(raw: np.ndarray, attack: np.ndarray, source: np.ndarray) -> tuple[float, float]:
    weight, sign = balanced(attack, source), np.where(attack, -1.0, 1.0)

    def loss(parameters: np.ndarray) -> float:
        z = parameters[0] * raw + parameters[1]
        # a little weight decay on the slope: held-out sources that separate cleanly must not give certainty
        return float((weight * np.logaddexp(0, -sign * z)).sum() + 0.005 * parameters[0] ** 2)

    slope, intercept = minimize(loss, np.array([1.0, 0.0])).x
    return float(slope), float(intercept)


def shifted(raw: np.ndarray, attack: np.ndarray, source: np.ndarray, slope: float, intercept: float,
            threshold: float, bpcer: float) -> float:
    """The intercept raised until at most `bpcer` of the bona fide presentations (each source alike) fall below
    `threshold`; never lowered. A product choice, not a probability: the card says that it was made."""
    live = ~attack
    weight = balanced(attack, source)[live] * 2
    order = np.argsort(raw[live])
    lost = np.cumsum(weight[order])
    index = np.searchsorted(lost, bpcer, "right")  # the first that must pass
    needed = np.log(threshold / (1 - threshold)) - slope * raw[live][order][index]
    return max(intercept, float(needed) + 1e-6)


def fitted(raw: np.ndarray, attack: np.ndarray, source: np.ndarray) -> tuple[float, float]:
    """Slope and intercept as the service ships them."""
    slope, intercept = platt(raw, attack, source)
    return slope, shifted(raw, attack, source, slope, intercept, THRESHOLD, BPCER)
