"""Error rates of ISO/IEC 30107-3. A score is higher the more bona fide; attack below the threshold is detected."""

import numpy as np


def rates(bona_fide: np.ndarray, attack: np.ndarray, threshold: float) -> tuple[float, float]:
    """APCER (attacks accepted) and BPCER (bona fide refused) when scores at or above the threshold pass."""
    return float(np.mean(attack >= threshold)), float(np.mean(bona_fide < threshold))


def thresholds_of(bona_fide: np.ndarray, attack: np.ndarray) -> np.ndarray:
    """Every threshold that changes anything, rising."""
    return np.append(np.unique(np.concatenate([bona_fide, attack])), np.inf)


def curve(bona_fide: np.ndarray, attack: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """APCER and BPCER at each of `thresholds_of`."""
    thresholds = thresholds_of(bona_fide, attack)
    attack, bona_fide = np.sort(attack), np.sort(bona_fide)
    apcer = 1 - np.searchsorted(attack, thresholds, "left") / len(attack)
    bpcer = np.searchsorted(bona_fide, thresholds, "left") / len(bona_fide)
    return apcer, bpcer


def d_eer(bona_fide: np.ndarray, attack: np.ndarray) -> float:
    """Where APCER and BPCER cross; the mean of both at the threshold where they are nearest."""
    apcer, bpcer = curve(bona_fide, attack)
    best = np.argmin(np.abs(apcer - bpcer))
    return float((apcer[best] + bpcer[best]) / 2)


def bpcer_at_apcer(bona_fide: np.ndarray, attack: np.ndarray, apcer_limit: float) -> float:
    apcer, bpcer = curve(bona_fide, attack)
    return float(bpcer[apcer <= apcer_limit].min())


def auc(bona_fide: np.ndarray, attack: np.ndarray) -> float:
    attack = np.sort(attack)
    below = np.searchsorted(attack, bona_fide, "left")
    below_or_equal = np.searchsorted(attack, bona_fide, "right")
    return float((below + below_or_equal).mean() / 2 / len(attack))


def per_source_d_eer(scores: np.ndarray, attack: np.ndarray, source: np.ndarray) -> dict[str, float]:
    """D-EER of each source that holds both classes."""
    result = {}
    for name in sorted(set(source)):
        here = source == name
        if attack[here].any() and not attack[here].all():
            result[name] = d_eer(scores[here & ~attack], scores[here & attack])
    return result


def apcer_at_bpcer(bona_fide: np.ndarray, attack: np.ndarray, bpcer_limit: float) -> float:
    apcer, bpcer = curve(bona_fide, attack)
    return float(apcer[bpcer <= bpcer_limit].min())


def d_eer_threshold(bona_fide: np.ndarray, attack: np.ndarray) -> float:
    apcer, bpcer = curve(bona_fide, attack)
    return float(thresholds_of(bona_fide, attack)[np.argmin(np.abs(apcer - bpcer))])


FEWEST = 10  # presentations of which a rate is taken


FIGURES = ("AUC", "D-EER", "APCER at BPCER 5 %", "BPCER at APCER 10 %", "APCER at the D-EER threshold, worst species",
           "BPCER at the D-EER threshold, worst source")  # that a PAD network is chosen by


def headline(scores: np.ndarray, species: np.ndarray, source: np.ndarray) -> dict[str, float]:
    """The FIGURES, as shares; `species` is "" for bona fide. NaN where there is nothing to take a rate of."""
    live = species == ""
    bona_fide, attack = scores[live], scores[~live]
    if not len(bona_fide) or not len(attack):
        return dict.fromkeys(FIGURES, np.nan)
    threshold = d_eer_threshold(bona_fide, attack)
    refused = [float(np.mean(scores[of] < threshold)) for name in set(source) if (of := live & (source == name)).sum() >= FEWEST]
    accepted = [float(np.mean(scores[of] >= threshold)) for name in set(species[~live]) if (of := species == name).sum() >= FEWEST]
    return dict(zip(FIGURES, (
        auc(bona_fide, attack), d_eer(bona_fide, attack), apcer_at_bpcer(bona_fide, attack, 0.05), bpcer_at_apcer(bona_fide, attack, 0.1),
        max(accepted, default=np.nan), max(refused, default=np.nan),
    ), strict=True))
