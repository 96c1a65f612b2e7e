"""Examples made once and read many times: the folds and the final training share them. Each has its sources beside it, so
that a fold leaves out whatever a source kept back had a part in (but for the light that `lit_like` takes from any picture: six
numbers), and the teachers' logits of the very same capture."""

import hashlib
import json
import time
from pathlib import Path

import cv2
import numpy as np
from numpy.lib.format import open_memmap
from torch.utils.data import DataLoader, Dataset

from .dataset import Examples
from .peers import PEERS, Peers
from .picture import square_inside
from .scene import SIDE
from .views import View

MAKERS = ("capture", "dataset", "display", "held", "optics", "paper", "scene", "simulate", "wearing")  # the files that decide what an example is
SPECIES = ("", "screen", "print", "paper_mask")  # those with a code of their own; any other attack is -1
COLUMNS = {
    "pixels": (np.uint8, (SIDE, SIDE, 3)), "box": (np.float32, (4,)), "species": (np.int8, ()), "simulated": (np.bool_, ()),
    "sources": (np.int16, (2,)), "teachers": (np.float32, (len(PEERS),)),
}


class Made(Dataset):
    """One row of the pool after the other, made in worker processes."""

    def __init__(self, examples: Examples, names: list[str], teachers: Path | None, first: int, count: int):
        self.examples, self.names, self.teachers, self.first, self.count = examples, names, teachers, first, count
        self.peers = None

    def __len__(self) -> int:
        return self.count - self.first

    def __getitem__(self, index: int) -> dict[str, np.ndarray]:
        cv2.setNumThreads(1)
        made = self.examples.make(self.first + index)
        row = {
            "pixels": made.scene.pixels, "box": made.scene.box, "simulated": made.simulated,
            "species": SPECIES.index(made.species) if made.species in SPECIES else -1,
            "sources": [self.names.index(source) for source in made.sources],
            "teachers": self.teach(made.scene.pixels, made.scene.box),
        }
        return {key: np.asarray(row[key], kind) for key, (kind, _) in COLUMNS.items()}

    def teach(self, pixels: np.ndarray, box: tuple) -> np.ndarray:
        if self.teachers is None:
            return np.full(len(PEERS), np.nan)
        if self.peers is None:  # made in the worker: sessions do not travel between processes
            self.peers = Peers(self.teachers)
        return self.peers.logits(pixels, box)


def made_from(examples: Examples) -> str:
    """A digest of all that decides what the examples are: the pictures, and the code that makes examples of them."""
    digest = hashlib.sha256(repr(sorted(examples.boxes.items())).encode())
    digest.update(repr(examples.groups).encode())
    for name in MAKERS:
        digest.update((Path(__file__).parent / f"{name}.py").read_bytes())
    return digest.hexdigest()


class Pool:
    """`count` examples in memory-mapped files below `folder`. Making goes on where it was interrupted."""

    def __init__(self, folder: Path, count: int, examples: Examples, names: list[str], teachers: Path | None, workers: int):
        folder.mkdir(parents=True, exist_ok=True)
        stamp = {"count": count, "seed": examples.seed, "sources": names, "teachers": teachers is not None, "made_from": made_from(examples)}
        file = folder / "pool.json"
        state = json.loads(file.read_text()) if file.exists() else {}
        made = state.get("made", 0) if state.get("stamp") == stamp else 0
        self.names = names
        self.columns = {
            key: open_memmap(folder / f"{key}.npy", "r+" if made else "w+", kind, (count, *shape)) for key, (kind, shape) in COLUMNS.items()
        }
        began = time.time()
        rows = DataLoader(Made(examples, names, teachers, made, count), 100, num_workers=workers, collate_fn=list)
        for batch in rows if made < count else []:
            for row in batch:
                for key, value in row.items():
                    self.columns[key][made] = value
                made += 1
            if made % 2000 < 100 or made == count:
                file.write_text(json.dumps({"stamp": stamp, "made": made}))
                print(f"pool: {made} of {count} examples, {time.time() - began:.0f} s", flush=True)

    def __getitem__(self, key: str) -> np.ndarray:
        return self.columns[key]

    def __len__(self) -> int:
        return len(self.columns["species"])

    def without(self, left_out: set[str]) -> np.ndarray:
        """Rows in which none of these sources has a part."""
        out = np.isin(self.names, sorted(left_out))
        return np.flatnonzero(~out[self["sources"]].any(1))


class Crops(Dataset):
    """Rows of a pool as the networks see them: one crop a view, mirrored, shifted and scaled anew each time.

    Item `i` depends on `i` and the seed alone; every row comes once before any comes again."""

    def __init__(self, pool: Pool, rows: np.ndarray, views: list[View], seed: int, count: int):
        self.pool, self.views, self.seed = pool, views, seed
        rounds = -(-count // max(1, len(rows)))
        self.order = np.concatenate([np.random.default_rng([seed, turn]).permutation(rows) for turn in range(rounds)])[:count]

    def __len__(self) -> int:
        return len(self.order)

    def __getitem__(self, item: int):
        rng = np.random.default_rng([self.seed, item, 1])
        row = self.order[item]
        x, y, w, h = self.pool["box"][row]
        pixels = np.asarray(self.pool["pixels"][row])
        if rng.random() < 0.5:
            pixels, x = np.ascontiguousarray(pixels[:, ::-1]), SIDE - x - w
        crops = []
        for view in self.views:
            dx, dy = rng.normal(0, 0.04, 2) * max(w, h)
            crop = square_inside((x + dx, y + dy, w, h), view.factor * np.exp(rng.normal(0, 0.06)), SIDE, SIDE)
            crops.append(view.cut(pixels, crop))
        return crops, self.pool["species"][row], self.pool["teachers"][row]
