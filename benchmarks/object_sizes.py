"""Objects of every size, filled and hollow, from small to large: how well they are found; prints one JSON line.

    python benchmarks/object_sizes.py [--diameters 4 8 16 64 150 300] [--steps 400] [--scale 1] [--seeds 0]

For each diameter six simulated fields are learnt from and three others scored. Hollow objects show their rim only, as
vesicles and organoids do: inside they look like the ground. `--scale 1` has the network see images as they are.
"""

import argparse
import json
import os
import tempfile
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import numpy as np
from scipy import ndimage

from microforge import Predictor, train
from microforge.config import PredictionConfig, TrainingConfig
from microforge.metrics.matching import average_precision, f1_score, match_objects
from microforge.simulate import simulate_nuclei
from microforge.types import Sample

LEARNT, SCORED = 6, 3


def field(diameter: float, seed: int, *, hollow: bool) -> Sample:
    """Make a field of about 25 objects, of 200 to 900 pixels a side."""
    side = int(np.clip(10 * diameter, 200, 900))
    made = simulate_nuclei((side, side), diameter=diameter, seed=seed, clustering=0.5)
    image = made.image.astype(np.float32)
    if hollow:
        image = _rims(made.labels, diameter, np.random.default_rng(seed))
    return Sample(f"field {seed}", image[None], made.labels)


def _rims(labels: np.ndarray, diameter: float, rng: np.random.Generator) -> np.ndarray:
    """Give a picture of the rims of objects, one twelfth of their width, with noise."""
    depth = np.zeros(labels.shape, np.float32)
    for label, box in enumerate(ndimage.find_objects(labels), start=1):
        if box is not None:
            inside = np.pad(labels[box] == label, 1)
            own = ndimage.distance_transform_edt(inside)[1:-1, 1:-1]
            depth[box] = np.maximum(depth[box], own)
    width = max(1.0, diameter / 12)
    light = 400 * ((depth > 0) & (depth <= width)) + 100
    return ndimage.gaussian_filter(light.astype(np.float32), max(0.5, width / 3)) + rng.normal(0, 20, labels.shape)


def measure(diameter: float, *, hollow: bool, steps: int, scale: float | None, seed: int) -> dict[str, Any]:
    """Train on some fields and score others."""
    learnt = [field(diameter, 100 * seed + k, hollow=hollow) for k in range(LEARNT)]
    scored = [field(diameter, 100 * seed + 50 + k, hollow=hollow) for k in range(SCORED)]
    options = {} if scale is None else {"working_scale": scale}
    config = TrainingConfig(steps=steps, seed=seed, task_options=options, validation_fraction=0)
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        list(train(config, learnt, None, Path(folder)))
        trained = time.perf_counter() - began
        predictor = Predictor(Path(folder) / "model.safetensors", PredictionConfig(device="cpu"))
    began, matched = time.perf_counter(), []
    for sample in scored:
        labels = predictor.predict(sample).labels
        assert labels is not None
        assert sample.annotation is not None
        matched.append(match_objects(sample.annotation, labels))
    pixels = sum(sample.size for sample in scored)
    return {
        "diameter": diameter,
        "hollow": hollow,
        "scale": round(predictor.task.options.model_dump()["working_scale"], 2),
        "depth": len(predictor.card.network.pools),
        "objects": sum(len(one.truth) for one in matched),
        "ap50": round(average_precision(*_sum(matched, 0.5)), 3),
        "ap70": round(average_precision(*_sum(matched, 0.7)), 3),
        "f1_50": round(f1_score(*_sum(matched, 0.5)), 3),
        "train_s": round(trained, 1),
        "predict_mps": round(pixels / 1e6 / (time.perf_counter() - began), 2),
    }


def _sum(matched: list[Any], threshold: float) -> tuple[int, int, int]:
    hits, extra, missed = np.sum([one.counts(threshold) for one in matched], axis=0)
    return int(hits), int(extra), int(missed)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--diameters", type=float, nargs="+", default=[4, 8, 16, 64, 150, 300])
    parser.add_argument("--kinds", nargs="+", default=["filled", "hollow"], choices=["filled", "hollow"])
    parser.add_argument("--steps", type=int, default=400)
    parser.add_argument("--scale", type=float, help="instead of what the objects ask for")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    given = parser.parse_args()
    rows = [
        measure(diameter, hollow=kind == "hollow", steps=given.steps, scale=given.scale, seed=seed)
        for seed in given.seeds
        for kind in given.kinds
        for diameter in given.diameters
    ]
    print(json.dumps({"benchmark": "object_sizes", "steps": given.steps, "rows": rows}))


if __name__ == "__main__":
    main()
