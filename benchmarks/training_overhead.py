"""Share of a training step spent outside forward, backward and optimiser; prints one JSON line.

    python benchmarks/training_overhead.py [--device cpu] [--steps 100]

Compares the whole run (sampling, augmentation, events, log) with the bare step on one fixed batch, in turns, so that
it holds on a GPU too, where work queued ahead cannot be told apart by a clock on the Python side.
"""

import argparse
import json
import os
import statistics
import tempfile
import time
from collections.abc import Iterator

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import torch

from microforge.config import TrainingConfig
from microforge.events import StepFinished
from microforge.simulate import simulate_nuclei
from microforge.training.loop import train
from microforge.training.setup import make_sampler, make_setup
from microforge.training.step.learner import Learner
from microforge.types import Sample


def samples(count: int = 8) -> list[Sample]:
    fields = [simulate_nuclei(shape=(256, 256), n=40, seed=k) for k in range(count)]
    return [Sample(f"field {k}", field.image[None], field.labels) for k, field in enumerate(fields)]


def bare_steps(config: TrainingConfig) -> Iterator[float]:
    """Yield the seconds of each step on one batch."""
    setup = make_setup(config, samples(), ())
    encoding = make_sampler(setup)
    while True:
        try:
            next(encoding)
        except StopIteration as end:
            batch = end.value.draw()
            break
    learner = Learner(setup.task, setup.plan.network, setup.device, None, 0)
    while True:
        begun = time.perf_counter()
        loss = learner.learn(batch, 0.5)
        if setup.device.type == "cuda":
            torch.cuda.synchronize()
        float(loss)
        yield time.perf_counter() - begun


def whole_steps(config: TrainingConfig, folder: str) -> Iterator[float]:
    """Yield the seconds between the steps of a run."""
    before = None
    for event in train(config, samples(), (), folder):
        if isinstance(event, StepFinished):
            if before is not None:
                yield event.seconds - before
            before = event.seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--steps", type=int, default=100)
    a = parser.parse_args()
    config = TrainingConfig(device=a.device)
    with tempfile.TemporaryDirectory() as folder:
        bare, whole = bare_steps(config), whole_steps(config, folder)
        for _ in range(15):
            next(bare), next(whole)
        times = [(next(bare), next(whole)) for _ in range(a.steps)]
        whole.close()
    step, total = (statistics.mean(values) for values in zip(*times, strict=True))
    middle = [statistics.median(values) for values in zip(*times, strict=True)]
    line = {
        "benchmark": "training_overhead",
        "bare_step_ms": round(step * 1e3, 2),
        "whole_step_ms": round(total * 1e3, 2),
        "share_outside": round(1 - step / total, 4),
        "share_outside_of_medians": round(1 - middle[0] / middle[1], 4),
        "steps": a.steps,
    }
    print(json.dumps(line))


if __name__ == "__main__":
    main()
