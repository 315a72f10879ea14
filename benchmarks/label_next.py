"""Which images a simulated annotator should annotate next; prints one JSON line.

    python benchmarks/label_next.py DATA [--orders random spread doubt] [--seeds 5] [--sizes 5 10 20 40] [--log FILE]

DATA holds ``images/``, ``labels/`` and ``split.csv`` (columns name, split). For each seed a pool of images of the split
"train" is drawn, and of it the first few to begin with, the same for all orders. At each further size the model trained
on all images so far says which of the pool come next; a new one is trained from scratch with the same number of
steps, and measured on all images of the split "val". What is done already is taken from the log, one line of JSON per
training, so that the measurement goes on after an interruption.

Printed for each order and size: mean and spread over seeds of AP@0.5 (all objects together, and the mean over images)
and of the objects annotated. `share` is how many images reach the mean AP of random at the last size, as a part of that
size (interpolated along the logarithm of their number; null if it is not reached), `share_images` the same of the
second kind of AP.
"""

import argparse
import csv
import json
import os
import tempfile
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch

from microforge import Predictor, train
from microforge.axes.samples import to_samples
from microforge.config import TrainingConfig
from microforge.evaluation.label_next import ORDERS, Candidate, Part, Seen, look_around, ranked
from microforge.io.images import read_image, read_labels
from microforge.types import Sample

METRIC = "AP@0.5"
KINDS = ("AP", "AP_images", "objects")


def load(data: Path, split: str, most: int | None = None, seed: int = 0) -> list[Sample]:
    with (data / "split.csv").open() as file:
        names = sorted(row["name"] for row in csv.DictReader(file) if row["split"] == split)
    names = names if most is None else np.random.default_rng(seed).permutation(names)[:most].tolist()
    paths = [next((data / "images").glob(f"{name}.*")) for name in names]
    return [to_samples(read_image(path), read_labels(data / "labels" / path.name))[0] for path in paths]


def learnt(
    samples: Sequence[Sample], seed: int, a: argparse.Namespace, validation: Sequence[Sample] | None = ()
) -> Predictor:
    """Train; with a validation of None some of the samples are kept aside."""
    config = TrainingConfig(steps=a.steps, width=a.width, patch_size=96, batch_size=8, device="cpu", seed=seed)
    with tempfile.TemporaryDirectory() as folder:
        for _ in train(config, samples, validation, Path(folder)):
            pass
        return Predictor(Path(folder) / "model.safetensors")


def measured(predictor: Predictor, validation: Sequence[Sample]) -> dict[str, float]:
    tallies = [predictor.task.tally(predictor.predict(sample), sample) for sample in validation]
    single = [predictor.task.summarise(tally)[METRIC] for tally in tallies]
    return {"AP": predictor.task.summarise_all(tallies)[METRIC], "AP_images": float(np.mean(single))}


def extended(
    predictor: Predictor, pool: list[Sample], chosen: list[int], orders: Sequence[str], more: int, seed: int
) -> dict[str, list[int]]:
    """Give what is annotated after each order has chosen some more images."""
    known = [Candidate(sample.name, partial(tuple, [Part(sample, k in chosen)])) for k, sample in enumerate(pool)]
    if list(orders) == ["random"]:
        left = [k for k in range(len(pool)) if k not in chosen]
        return {"random": chosen + np.random.default_rng([seed, len(chosen)]).permutation(left)[:more].tolist()}
    *_, seen = look_around(predictor, known, seed=seed)
    assert isinstance(seen, Seen)
    return {order: chosen + [one.number for one in ranked(seen, order, more, seed)] for order in orders}


def curves(a: argparse.Namespace, seed: int, validation: list[Sample], known: list[dict[str, Any]]) -> Iterator[Any]:
    """Give a line per training of a seed, first those of the first size, which all orders share."""
    pool = load(a.data, "train", a.pool, seed)
    chosen = {order: list(range(a.sizes[0])) for order in ORDERS}
    for size, following in zip(a.sizes, [*a.sizes[1:], None], strict=True):
        orders = [("first", list(ORDERS))] if size == a.sizes[0] else [(order, [order]) for order in a.orders]
        for name, those in orders:
            line = found(known, name, seed, size)
            if line is None or not set(those) <= set(line["next"]):
                images = chosen[those[0]]
                predictor = learnt([pool[k] for k in images], seed, a)
                more = 0 if following is None else following - size
                further = extended(predictor, pool, images, those, more, seed) if more else {those[0]: images}
                objects = sum(len(np.unique(np.asarray(pool[k].annotation))) - 1 for k in images)
                line = {"order": name, "seed": seed, "size": size, **measured(predictor, validation)}
                line |= {"objects": objects, "next": further}
                yield line
            chosen |= {order: line["next"][order] for order in those}


def found(known: list[dict[str, Any]], order: str, seed: int, size: int) -> dict[str, Any] | None:
    same = [one for one in known if (one["order"], one["seed"], one["size"]) == (order, seed, size)]
    return same[-1] if same else None


def summary(lines: list[dict[str, Any]], order: str, sizes: list[int]) -> dict[str, Any]:
    at = {size: [one for one in lines if one["size"] == size and one["order"] in (order, "first")] for size in sizes}
    return {
        kind: {
            str(size): [round(float(f([one[kind] for one in ones])), 4) for f in (np.mean, np.std)]
            for size, ones in at.items()
        }
        for kind in KINDS
    }


def share(curve: dict[str, list[float]], wanted: float) -> float | None:
    sizes, values = [int(size) for size in curve], [mean for mean, _ in curve.values()]
    for (low, high), (before, after) in zip(pairwise(sizes), pairwise(values), strict=True):
        if after >= wanted:
            part = max(wanted - before, 0) / max(after - before, 1e-9)
            return round(float(np.exp(np.interp(part, [0, 1], np.log([low, high])))) / sizes[-1], 3)
    return None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--orders", nargs="+", default=list(ORDERS))
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--sizes", nargs="+", type=int, default=[5, 10, 20, 40])
    parser.add_argument("--pool", type=int, default=160)
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--width", type=int, default=16)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--log", type=Path, default=Path(tempfile.gettempdir()) / "label_next.jsonl")
    a = parser.parse_args()
    torch.set_num_threads(a.threads)
    validation = load(a.data, "val")
    lines = [json.loads(line) for line in a.log.read_text().splitlines()] if a.log.exists() else []
    for seed in range(a.seeds):
        for line in curves(a, seed, validation, lines):
            lines.append(line)
            with a.log.open("a") as log:
                log.write(json.dumps(line) + "\n")
    lines = [one for one in lines if one["seed"] < a.seeds]
    by_order = {order: summary(lines, order, a.sizes) for order in a.orders}
    last = str(a.sizes[-1])
    for order in a.orders if "random" in a.orders else ():
        for kind, name in (("AP", "share"), ("AP_images", "share_images")):
            by_order[order][name] = share(by_order[order][kind], by_order["random"][kind][last][0])
    head = {"benchmark": "label_next", "data": a.data.name, "steps": a.steps, "width": a.width, "cores": os.cpu_count()}
    print(json.dumps({**head, "pool": a.pool, "seeds": a.seeds, **by_order}))


if __name__ == "__main__":
    main()
