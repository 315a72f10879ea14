"""What image tasks lose in bfloat16 and float16 against float32; prints one JSON line.

    python benchmarks/half_precision.py [--device cpu] [--steps 300]

Each task is trained on simulated fields, and predicts a field it has not seen and a smooth ramp. `psnr_db` is that of
the result against the same weights in float32 (range: that of the float32 result), `ramp_values` how many values the
ramp of 262,144 pixels has afterwards. 50 dB and 1,000 values are the least that is right.
"""

import argparse
import json
import os
import tempfile
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import numpy as np
import torch
from gpu_tools import Array, Sample, Tree, computing_in, psnr, rounded

import microforge
from microforge.config import PredictionConfig, TrainingConfig
from microforge.simulate import noisy_pair

FIELDS = 6
TYPES = {"bfloat16": torch.bfloat16, "float16": torch.float16}


def fields(task: str) -> list[Sample]:
    pairs = [noisy_pair(seed) for seed in range(FIELDS)]
    return [Sample(f"field {k}", a[None], b[None] if task != "denoising" else None) for k, (a, b) in enumerate(pairs)]


def ramp() -> Array:
    return np.linspace(100, 4000, 512 * 512, dtype=np.float32).reshape(512, 512)


def predicted(model: Path, image: Array, device: str, dtype: torch.dtype) -> Array:
    with computing_in(dtype):
        found = microforge.Predictor(model, PredictionConfig(device=device)).predict(image).image
    assert found is not None
    return np.asarray(found)


def compared(task: str, arguments: argparse.Namespace) -> Tree:
    config = TrainingConfig(task=task, device=arguments.device, steps=arguments.steps)
    with tempfile.TemporaryDirectory() as folder:
        *_, end = microforge.train(config, fields(task), (), folder)
        images = {"field": noisy_pair(99, (512, 512))[0], "ramp": ramp()}
        exact = {name: predicted(end.model, image, arguments.device, torch.float32) for name, image in images.items()}
        result: Tree = {}
        for kind, dtype in TYPES.items():
            found = {name: predicted(end.model, image, arguments.device, dtype) for name, image in images.items()}
            loss = {f"{name}_psnr_db": psnr(exact[name], found[name]) for name in images}
            result[kind] = {**loss, "ramp_values": len(np.unique(found["ramp"]))}
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--steps", type=int, default=300)
    arguments = parser.parse_args()
    tasks = {task: compared(task, arguments) for task in ("denoising", "restoration")}
    print(json.dumps(rounded({"benchmark": "half_precision", "steps": arguments.steps, "tasks": tasks})))


if __name__ == "__main__":
    main()
