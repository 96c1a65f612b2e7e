import csv

import numpy as np
import pytest

from lifesign_training.folds import deal, join, write_manifest, write_scores
from lifesign_training.manifest import Sample


def source(name: str, bona_fide: int, attacks: int) -> list[Sample]:
    labels = [False] * bona_fide + [True] * attacks
    return [Sample(f"{name}/{index}.jpg", name, attack, "screen" if attack else "", (0, 0, 9, 9)) for index, attack in enumerate(labels)]


def example(seed: int = 1) -> list[Sample]:
    rng = np.random.default_rng(seed)
    samples = source("many", 300, 0) + source("attacks_only", 0, 40)
    for index in range(18):
        samples += source(f"s{index:02}", int(rng.integers(5, 60)), int(rng.integers(5, 60)))
    return samples


def test_every_source_lies_in_one_fold_and_no_fold_is_empty():
    samples = example()
    fold_of = deal(samples, 5)
    assert set(fold_of) == {sample.source for sample in samples}
    assert set(fold_of.values()) == set(range(5))


def test_dealing_does_not_depend_on_the_order_of_the_rows():
    samples = example()
    shuffled = [samples[index] for index in np.random.default_rng(2).permutation(len(samples))]
    assert deal(samples, 5) == deal(shuffled, 5)


@pytest.mark.parametrize("seed", range(5))
def test_classes_and_sources_are_spread_evenly(seed):
    samples = example(seed)
    fold_of = deal(samples, 5)
    attacks = [sum(s.attack for s in samples if fold_of[s.source] == fold) for fold in range(5)]
    sources = [list(fold_of.values()).count(fold) for fold in range(5)]
    assert max(attacks) <= 2 * min(attacks)
    assert max(sources) - min(sources) <= 4


def test_each_fold_has_both_classes_where_two_sources_could_be_dealt_badly():
    samples = source("a", 10, 0) + source("b", 0, 10) + source("c", 10, 0) + source("d", 0, 10)
    fold_of = deal(samples, 2)
    assert fold_of["a"] != fold_of["c"]
    assert fold_of["b"] != fold_of["d"]


def test_files_for_lifesign_evaluate(tmp_path):
    samples = source("a", 1, 1) + source("b", 1, 1)
    given = tmp_path / "given.csv"
    given.write_text("image,source,label\na/0.jpg,a,bona_fide\nb/0.jpg,b,bona_fide\n")
    write_manifest(given, {"a": 0, "b": 1}, tmp_path / "manifest.csv")
    rows = list(csv.DictReader(open(tmp_path / "manifest.csv", newline="")))
    assert [row["fold"] for row in rows] == ["0", "1"]
    write_scores(tmp_path / "0.csv", samples[:2], {"a/0.jpg": 0.25})  # no face was found in the other
    write_scores(tmp_path / "1.csv", samples[2:], {"b/0.jpg": 0.5, "b/1.jpg": 0.75})
    join([tmp_path / "0.csv", tmp_path / "1.csv"], tmp_path / "scores.csv")
    assert (tmp_path / "scores.csv").read_text().split() == ["image,score", "a/0.jpg,0.250000", "a/1.jpg,", "b/0.jpg,0.500000", "b/1.jpg,0.750000"]
