"""The table of error rates: our networks, the reference networks, and the service itself from its own output."""

import argparse
import json
from pathlib import Path

import numpy as np
import onnxruntime as ort
import torch

from . import metrics
from .cache import detected_boxes
from .card import read_card
from .detector import largest
from .manifest import Box, Sample, read_manifest
from .peers import PEERS, Peers
from .picture import open_picture
from .views import normalise

OURS = "Lifesign"
MEAN_OF_TWO = "mean of V2 and V1SE"
DRAWS = 2000  # of the bootstrap over sources


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--manifest", type=Path, required=True)
    parser.add_argument("--images", type=Path, required=True)
    parser.add_argument("--detector", type=Path, required=True, help="centerface.onnx of the repository")
    parser.add_argument("--cache", type=Path, required=True, help="folder for boxes and peer scores")
    parser.add_argument("--peers", type=Path, help="folder of the reference networks")
    parser.add_argument("--card", type=Path, help="card.toml of our networks")
    parser.add_argument("--scores", action="append", default=[], metavar="NAME=FILE", help="output of `lifesign check --json`")
    parser.add_argument("--split", default="dev")
    parser.add_argument("--threshold", type=float, default=0.6, help="of our liveness score")
    return parser.parse_args()


def our_scores(card_file: Path, samples: list[Sample], images: Path, boxes: dict[str, Box]) -> dict[str, float]:
    card = read_card(card_file)
    sessions = [ort.InferenceSession(str(card_file.parent / file), providers=["CPUExecutionProvider"]) for file in card.weights]
    scores = {}
    for sample in samples:
        picture = open_picture(images / sample.image)
        raw = 0.0
        for view, session in zip(card.views, sessions):
            tensor = normalise(torch.from_numpy(view.of(picture, boxes[sample.image]))[None])
            raw += view.weight * float(session.run(None, {"input": tensor.contiguous().numpy()})[0][0, 0])
        scores[sample.image] = float(1 / (1 + np.exp(-(card.slope * raw + card.intercept))))
    return scores


def peer_scores(folder: Path, samples: list[Sample], images: Path, boxes: dict[str, Box], cache: Path) -> dict[str, dict[str, float]]:
    file = cache / "peer_scores.json"
    known = json.loads(file.read_text()) if file.exists() else {}
    missing = [sample.image for sample in samples if sample.image not in known]
    peers = Peers(folder) if missing else None
    for image in missing:
        known[image] = peers.logits(np.asarray(open_picture(images / image)), boxes[image]).tolist()
    if missing:
        file.write_text(json.dumps(known))
    live = {sample.image: 1 / (1 + np.exp(-np.array(known[sample.image]))) for sample in samples}
    columns = {name: {image: float(p[i]) for image, p in live.items()} for i, name in enumerate(PEERS)}
    first, second, third = columns
    columns[MEAN_OF_TWO] = {image: float((p[0] + p[1]) / 2) for image, p in live.items()}
    return {name: columns[name] for name in (first, second, MEAN_OF_TWO, third)}


def service_scores(file: Path, samples: list[Sample]) -> dict[str, float]:
    """By the last three parts of the path; rejected presentations have no score."""
    names, scores = {sample.image for sample in samples}, {}
    for line in file.read_text().splitlines():
        row = json.loads(line)
        image = "/".join(Path(row["image"]).parts[-3:])
        if image in names and row["outcome"] == "assessed":
            scores[image] = row["liveness_score"]
    return scores


def percent(value: float) -> str:
    return f"{100 * value:.1f}"


class Column:
    """One scorer's figures. Presentations without a score are left out of the rates and counted apart."""

    def __init__(self, samples: list[Sample], scores: dict[str, float]):
        known = [sample for sample in samples if sample.image in scores]
        self.missing = [sample for sample in samples if sample.image not in scores]
        self.score = np.array([scores[sample.image] for sample in known])
        self.attack = np.array([sample.attack for sample in known])
        self.source = np.array([sample.source for sample in known])
        self.species = np.array([sample.species for sample in known])
        self.live, self.spoof = self.score[~self.attack], self.score[self.attack]
        self.by_source = metrics.per_source_d_eer(self.score, self.attack, self.source)

    def pooled(self) -> list[str]:
        each = np.array(list(self.by_source.values()))
        draws = np.random.default_rng(1).choice(each, (DRAWS, len(each))).mean(1)
        low, high = np.percentile(draws, [2.5, 97.5])
        refused = [sum(sample.attack == attack for sample in self.missing) for attack in (False, True)]
        return [
            f"{metrics.auc(self.live, self.spoof):.4f}", percent(metrics.d_eer(self.live, self.spoof)),
            percent(metrics.bpcer_at_apcer(self.live, self.spoof, 0.1)), f"{percent(each.mean())} ({percent(low)}-{percent(high)})",
            f"{refused[0]} / {refused[1]}",
        ]

    def of_source(self, source: str) -> str:
        return percent(self.by_source[source]) if source in self.by_source else ""

    def of_species(self, species: str) -> str:
        spoof = self.score[self.species == species]
        return percent(metrics.d_eer(self.live, spoof)) if len(spoof) else ""

    def at(self, threshold: float, chosen: np.ndarray) -> str:
        """Error rate of the chosen presentations, which are of one class."""
        passed = self.score[chosen] >= threshold
        return percent(float(np.mean(passed if self.attack[chosen][0] else ~passed))) if chosen.any() else ""


def rows_of(columns: dict[str, Column], samples: list[Sample]) -> list[list[str]]:
    names = ["AUC", "D-EER", "BPCER at APCER 10 %", "macro D-EER over sources (95 % by bootstrap)", "no score: bona fide / attack"]
    rows = [[name, *cells] for name, cells in zip(names, zip(*(column.pooled() for column in columns.values())))]
    for source in sorted({sample.source for sample in samples}):
        here = [sample for sample in samples if sample.source == source]
        if len({sample.attack for sample in here}) == 2:
            rows.append([f"D-EER, source {source}", *(column.of_source(source) for column in columns.values())])
    for species in sorted({sample.species for sample in samples if sample.attack}):
        count = sum(sample.species == species for sample in samples)
        rows.append([f"D-EER, {species} ({count}) against all bona fide", *(column.of_species(species) for column in columns.values())])
    return rows


def operating_rows(column: Column, threshold: float) -> list[list[str]]:
    """APCER and BPCER of each source, single-class ones too, and of the whole, at one threshold."""
    rows = []
    for source in ["all", *sorted(set(column.source))]:
        here = np.ones(len(column.source), bool) if source == "all" else column.source == source
        rows.append([source, column.at(threshold, here & column.attack), column.at(threshold, here & ~column.attack)])
    return rows


def markdown(head: list[str], rows: list[list[str]]) -> str:
    lines = ["| " + " | ".join(row) + " |" for row in [head, ["---"] * len(head), *rows]]
    return "\n".join(lines)


def main() -> None:
    options = arguments()
    samples = [sample for sample in read_manifest(options.manifest) if sample.split == options.split]
    found = detected_boxes(samples, options.images, options.detector, options.cache)
    boxes = {sample.image: largest(found[sample.image]) for sample in samples}
    faces = [sample for sample in samples if boxes[sample.image]]
    scorers: dict[str, dict[str, float]] = {}
    if options.card:
        scorers[OURS] = our_scores(options.card, faces, options.images, boxes)
    if options.peers:
        scorers |= peer_scores(options.peers, faces, options.images, boxes, options.cache)
    for argument in options.scores:
        name, _, file = argument.partition("=")
        scorers[name] = service_scores(Path(file), samples)
    columns = {name: Column(samples, scores) for name, scores in scorers.items()}
    print(f"{len(samples)} presentations of the split `{options.split}`, error rates in per cent.\n")
    print(markdown(["", *columns], rows_of(columns, samples)))
    for name in columns:
        if name not in (*PEERS, MEAN_OF_TWO):
            print(f"\n{name} at threshold {options.threshold}:\n")
            print(markdown(["source", "APCER", "BPCER"], operating_rows(columns[name], options.threshold)))
            print(f"\n{name}, all sources, by threshold:\n")
            everyone = {t: operating_rows(columns[name], t)[0][1:] for t in (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)}
            print(markdown(["threshold", "APCER", "BPCER"], [[str(t), *cells] for t, cells in everyone.items()]))


if __name__ == "__main__":
    main()
