import numpy as np
import pytest

from lifesign_training import metrics
from lifesign_training.calibrate import balanced, platt, shifted

BONA_FIDE = np.array([0.9, 0.8, 0.7, 0.3])
ATTACK = np.array([0.1, 0.2, 0.4, 0.6])


def test_rates_by_hand():
    assert metrics.rates(BONA_FIDE, ATTACK, 0.5) == (0.25, 0.25)


def test_d_eer_by_hand():
    assert metrics.d_eer(BONA_FIDE, ATTACK) == 0.25
    assert metrics.d_eer(BONA_FIDE + 1, ATTACK) == 0
    assert metrics.d_eer(-BONA_FIDE - 1, ATTACK) == 1


def test_auc_by_hand():
    assert metrics.auc(BONA_FIDE, ATTACK) == pytest.approx(14 / 16)
    assert metrics.auc(np.ones(3), np.ones(3)) == 0.5


def test_bpcer_at_apcer():
    assert metrics.bpcer_at_apcer(BONA_FIDE, ATTACK, 0.25) == 0.25
    assert metrics.bpcer_at_apcer(BONA_FIDE, ATTACK, 0.0) == 0.25


def test_headline_figures_by_hand():
    scores = np.concatenate([np.repeat(BONA_FIDE, 10), np.repeat(ATTACK, 10)])
    species = np.repeat(["", "", "", "", "screen", "screen", "screen", "print"], 10)
    source = np.repeat(["a", "a", "b", "b", "a", "a", "b", "b"], 10)
    found = metrics.headline(scores, species, source)
    assert found["D-EER"] == 0.25
    assert found["APCER at BPCER 5 %"] == 0.5  # the bona fide of 0.3 must pass, and so do 0.4 and 0.6
    assert found["BPCER at APCER 10 %"] == 0.25
    assert found["APCER at the D-EER threshold, worst species"] == 1  # of print, all at 0.6
    assert found["BPCER at the D-EER threshold, worst source"] == 0.5  # of b


def test_a_fold_of_one_class_has_no_figures():
    found = metrics.headline(BONA_FIDE, np.full(4, ""), np.full(4, "a"))
    assert tuple(found) == metrics.FIGURES and np.isnan(list(found.values())).all()


def test_calibration_keeps_bona_fide_above_the_threshold():
    rng = np.random.default_rng(1)
    attack = np.repeat([False, True], 100)
    source = np.tile(np.array(["a", "b"]), 100)
    raw = rng.normal(0, 1, 200) + np.where(attack, -1, 1)
    slope, intercept = platt(raw, attack, source)
    assert slope > 0
    moved = shifted(raw, attack, source, slope, intercept, 0.6, 0.05)
    score = 1 / (1 + np.exp(-(slope * raw + moved)))
    assert moved >= intercept
    assert np.mean(score[~attack] < 0.6) <= 0.05
    assert balanced(attack, source).sum() == pytest.approx(1)
