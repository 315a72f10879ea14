"""How many slips of an annotator are listed as doubtful; prints one JSON line.

    python benchmarks/doubtful.py DATA [--images 60] [--steps 300] [--seeds 3]

DATA holds ``images/``, ``labels/`` and ``split.csv`` (columns name, split). For each seed a model learns from some
images of the split "train". The annotations of the split "val", which it has not seen, then get slips: of a hundred
objects about five are forgotten, three painted as one with their nearest neighbour, and three discs painted where
nothing is. Printed for each seed are how many slips of each kind are listed, of how many; how long the list is and how
many of it are slips; and the same of all differences between annotation and model.
"""

import argparse
import json
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from label_next import learnt, load
from scipy import ndimage

from microforge import Predictor
from microforge.evaluation.doubtful import doubtful_annotations
from microforge.evaluation.object_errors import ObjectFinding, compare_objects
from microforge.types import Sample

FORGOTTEN, JOINED, INVENTED = 0.05, 0.03, 0.03


class Slip(NamedTuple):
    """What the annotator did wrong, and where."""

    kind: str
    place: tuple[int, int]


def with_slips(labels: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, list[Slip], float]:
    """Give annotations with slips, what these are, and the radius of a typical object."""
    drawn, ids = labels.copy(), rng.permutation(np.unique(labels[labels > 0]))
    centres = ndimage.center_of_mass(labels > 0, labels, ids)
    middles = {i: np.round(centre).astype(int) for i, centre in zip(ids, centres, strict=True)}
    radius = float(np.sqrt(np.median(np.bincount(labels[labels > 0])[1:]) / np.pi)) if len(ids) else 5.0
    forgotten, joined, invented = (rng.binomial(len(ids), part) for part in (FORGOTTEN, JOINED, INVENTED))
    slips = [Slip("forgotten", tuple(middles[i])) for i in ids[:forgotten]]
    drawn[np.isin(labels, ids[:forgotten])] = 0
    left = list(ids[forgotten:])
    for _ in range(joined if len(left) > 2 * joined else 0):
        one = left.pop(0)
        other = left.pop(int(np.argmin([np.hypot(*(middles[one] - middles[i])) for i in left])))
        drawn[labels == other] = one
        slips.append(Slip("joined", tuple(middles[one])))
    return drawn, slips + list(_invented(drawn, invented, radius, rng)), radius


def _invented(drawn: np.ndarray, number: int, radius: float, rng: np.random.Generator) -> Iterator[Slip]:
    rows, columns = np.indices(drawn.shape)
    for label in range(int(drawn.max()) + 1, int(drawn.max()) + 1 + number):
        free = np.argwhere(ndimage.distance_transform_edt(drawn == 0) > radius + 2)
        if not len(free):
            return
        y, x = free[rng.integers(len(free))]
        drawn[(rows - y) ** 2 + (columns - x) ** 2 <= radius**2] = label
        yield Slip("invented", (int(y), int(x)))


def measured(predictor: Predictor, samples: Sequence[Sample], rng: np.random.Generator) -> dict[str, Any]:
    made, listed, counts = Counter[str](), Counter[str](), Counter[str]()
    for sample in samples:
        drawn, slips, radius = with_slips(np.asarray(sample.annotation).astype(np.int32), rng)
        found = predictor.predict(sample)
        assert found.labels is not None
        comparison = compare_objects(drawn, found.labels)
        columns = (found.measurements[name].tolist() for name in ("label", "confidence"))
        doubts = doubtful_annotations(comparison, {(0, label): sure for label, sure in zip(*columns, strict=True)})
        where = {"truth": drawn, "prediction": found.labels}
        doubtful = [one.finding for one in doubts]
        made.update(slip.kind for slip in slips)
        listed.update(slip.kind for slip in slips if any(is_at(one, slip, where, radius) for one in doubtful))
        for name, ones in (("listed", doubtful), ("differences", comparison.findings)):
            counts[name] += len(ones)
            counts[f"slips_{name}"] += sum(any(is_at(one, slip, where, radius) for slip in slips) for one in ones)
    return {"slips": {kind: [listed[kind], made[kind]] for kind in made}, **counts}


def is_at(finding: ObjectFinding, slip: Slip, where: dict[str, np.ndarray], radius: float) -> bool:
    on = where[finding.where][slip.place] == finding.label
    return bool(on or np.hypot(*np.subtract(finding.centre, slip.place)) <= radius)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--images", type=int, default=60)
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--width", type=int, default=16)
    parser.add_argument("--seeds", type=int, default=3)
    a = parser.parse_args()
    torch.set_num_threads(1)
    validation = load(a.data, "val")
    rows = []
    for seed in range(a.seeds):
        predictor = learnt(load(a.data, "train", a.images, seed), seed, a, None)
        rows.append(measured(predictor, validation, np.random.default_rng(seed)))
    head = {"benchmark": "doubtful", "data": a.data.name, "images": a.images, "steps": a.steps, "cores": os.cpu_count()}
    print(json.dumps({**head, "seeds": rows}))


if __name__ == "__main__":
    main()
