"""Kill a training at random again and again, resume it, and compare its weights with those of an uninterrupted one.

    PYTHONPATH=tests python benchmarks/exact_resume.py [--kills 50] [--seed 0]

Each run has its annotations changed, gets a new image, and is short of memory once. Prints one JSON line.
"""

import argparse
import json
import random
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

EDIT_AT, SHORT_AT, BATCH = 10, 16, 4
MEASURED = ("network.", "average.", "optimiser.")


def samples(edited: bool) -> list[Any]:
    """Give small fields of discs; `edited` as they are after the change."""
    from support.discs import disc_sample

    given = [disc_sample(f"field {k}", seed=k) for k in range(4)]
    if not edited:
        return given
    # Handed over in another order on purpose: that of the run counts.
    changed = [replace(one, annotation=given[0].annotation) if one.name == "field 2" else one for one in given]
    return [disc_sample("late", seed=30), *changed[::-1]]


def child(folder: Path, steps: int) -> None:
    """Train or go on, up to the end."""
    import torch
    from torch import nn

    from microforge.config import TrainingConfig
    from microforge.events import StepFinished
    from microforge.networks.unet import UNet
    from microforge.training import schedule
    from microforge.training.checkpoint import load_checkpoint
    from microforge.training.history.run_folder import CHECKPOINT_NAMES
    from microforge.training.loop import train
    from microforge.training.mailbox import Live

    schedule.CHECKPOINT_EVERY = schedule.FIRST_VALIDATION = 0.1
    schedule.CHECKPOINT_SHARE = schedule.VALIDATION_SHARE = 1.0
    torch.set_num_threads(1)
    resume = any((folder / name).exists() for name in CHECKPOINT_NAMES)
    values = load_checkpoint(folder).values if resume else {"step": 0, "run": {"batch_size": BATCH}}
    at = int(values["step"])
    # A checkpoint of the step before may hold the smaller batch already.
    was_short = values["run"]["batch_size"] < BATCH
    forward, live = iter(range(at + 1, 10**9)), Live()

    def short(module: nn.Module, _: object, __: object) -> None:
        if isinstance(module, UNet) and module.training and next(forward) == SHORT_AT and not was_short:
            raise torch.OutOfMemoryError("CUDA out of memory")

    nn.modules.module.register_module_forward_hook(short)
    config = TrainingConfig(device="cpu", steps=steps, width=8, patch_size=32, batch_size=BATCH)

    def edit() -> None:
        for sample in samples(edited=True):
            live.replace(sample)

    if at == EDIT_AT:
        edit()
    for event in train(config, samples(at > EDIT_AT), None, folder, live, resume=resume):
        if isinstance(event, StepFinished) and event.step == EDIT_AT:
            edit()
        print("step" if isinstance(event, StepFinished) else type(event).__name__, flush=True)


def start(folder: Path, steps: int) -> "subprocess.Popen[str]":
    """Train in a process of its own."""
    command = [sys.executable, __file__, "--child", str(folder), "--steps", str(steps)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def killed(process: "subprocess.Popen[str]", after: int, delay: float) -> bool:
    """Kill a training a moment after so many steps; False where it ended before."""
    assert process.stdout is not None
    seen = 0
    for line in process.stdout:
        seen += line == "step\n"
        if seen >= after:
            time.sleep(delay)
            process.kill()
            break
    process.stdout.read()
    if process.wait() not in (0, -signal.SIGKILL):
        assert process.stderr is not None
        raise RuntimeError(process.stderr.read()[-2000:])
    return process.returncode != 0


def state(folder: Path) -> dict[str, Any]:
    """Give all weights and what the optimiser keeps."""
    from microforge.training.checkpoint import load_checkpoint

    tensors = load_checkpoint(folder).tensors
    return {name: tensor for name, tensor in tensors.items() if name.startswith(MEASURED)}


def measure(place: Path, kills: int, steps: int, rng: random.Random) -> dict[str, int]:
    """Train run after run until there were enough kills."""
    done, runs, equal = 0, 0, 0
    killed(start(place / "whole", steps), steps + 1, 0)
    expected = state(place / "whole")
    while done < kills:
        folder = place / f"run {runs}"
        while killed(start(folder, steps), rng.randint(1, 30) if done < kills else steps + 1, rng.uniform(0, 0.03)):
            done += 1
        found, runs = state(folder), runs + 1
        equal += found.keys() == expected.keys() and all(found[name].equal(expected[name]) for name in expected)
    return {"kills": done, "runs": runs, "runs_with_equal_weights": equal}


def main() -> None:
    """Measure, or be one of the trainings."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--steps", type=int, default=80)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--child", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.child:
        child(asked.child, asked.steps)
        return
    with tempfile.TemporaryDirectory() as place:
        print(json.dumps(measure(Path(place), asked.kills, asked.steps, random.Random(asked.seed))))


if __name__ == "__main__":
    main()
