"""What `gpu.py` trains on: for each task fields of the simulator, and one that is not trained on."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from gpu_tools import Given, Points, Sample, WrongResultError

import microforge
from microforge.config import TrainingConfig
from microforge.events import RunAdvice, RunFinished, StepFinished
from microforge.simulate import noisy_pair, simulate_cells, simulate_crowd, simulate_focus, simulate_nuclei

FIELDS, QUICK_FIELDS = 8, 4
SIDE, QUICK_SIDE = 384, 128
STACK, QUICK_STACK = (24, 160, 160), (12, 64, 64)
#: Enough to see whether something works, on a processor within a second.
QUICK_2D = {"patch_size": 64, "batch_size": 2, "width": 8}
QUICK_3D = {"patch_size": 32, "patch_depth": 8, "batch_size": 1, "width": 8}

#: The name of the case whose images are stacks; those of the others are the names of tasks.
STACKS = "instances 3D"

Field = Callable[[int, int], Sample]


@dataclass(frozen=True)
class Case:
    """A task with samples to train on, one more to predict, and the settings of its training."""

    name: str
    task: str
    training: tuple[Sample, ...]
    image: Sample
    settings: dict[str, Any]


@dataclass(frozen=True)
class Trained:
    """What a training run gave: its file, losses, when each step was done, and what was said about memory."""

    model: Path
    losses: list[float]
    times: list[float]
    memory: list[str]

    @property
    def steps_per_second(self) -> float | None:
        """Over the second half: the first steps choose kernels and fill caches."""
        half = self.times[len(self.times) // 2 :]
        return (len(half) - 1) / (half[-1] - half[0]) if len(half) > 2 else None


def nuclei(seed: int, side: int) -> Sample:
    field = simulate_nuclei((side, side), seed=seed)
    return Sample(f"field {seed}", field.image[None], field.labels)


def classes(seed: int, side: int) -> Sample:
    sample = nuclei(seed, side)
    assert sample.annotation is not None
    return replace(sample, annotation=(sample.annotation > 0).astype(np.int32))


def noisy(seed: int, side: int) -> Sample:
    return Sample(f"field {seed}", noisy_pair(seed, (side, side))[0][None])


def pair(seed: int, side: int) -> Sample:
    dim, bright = noisy_pair(seed, (side, side))
    return Sample(f"field {seed}", dim[None], bright[None])


def finer(seed: int, side: int) -> Sample:
    bright = noisy_pair(seed, (side, side))[1]
    coarse = bright.reshape(side // 2, 2, side // 2, 2).mean((1, 3)).astype(np.uint16)
    return Sample(f"field {seed}", coarse[None], bright[None])


def stained(seed: int, side: int) -> Sample:
    field = simulate_cells((side, side), seed)
    return Sample(f"field {seed}", field.image[1:], field.image[:1])


def crowd(seed: int, side: int) -> Sample:
    field = simulate_crowd((side, side), seed=seed)
    return Sample(f"field {seed}", field.image[None], points=Points(field.points, field.kind * 0))


def focus(seed: int, side: int) -> Sample:
    image = simulate_focus(seed, sharp=seed % 2 == 0, shape=(side, side))
    return Sample(f"field {seed}", image[None], class_name=("sharp", "blurred")[seed % 2])


def stack(seed: int, shape: tuple[int, ...]) -> Sample:
    field = simulate_nuclei(shape, seed=seed)
    return Sample(f"stack {seed}", field.image[None], field.labels, pixel_size=(1.5, 0.5, 0.5))


#: How a field for each task is made; a task that is not here is reported as left out.
MAKERS: dict[str, Field] = {
    "classification": focus,
    "counting": crowd,
    "denoising": noisy,
    "instances": nuclei,
    "label-free": stained,
    "restoration": pair,
    "segmentation": classes,
    "super-resolution": finer,
}


def case_of(name: str, given: Given) -> Case:
    """Give the case of a task in the plane, or of objects in stacks."""
    return stack_case(given) if name == STACKS else plane_case(name, given)


def plane_case(task: str, given: Given) -> Case:
    side, count = (QUICK_SIDE, QUICK_FIELDS) if given.quick else (SIDE, FIELDS)
    fields = [MAKERS[task](seed, side) for seed in range(count + 1)]
    return Case(task, task, tuple(fields[:-1]), fields[-1], dict(QUICK_2D) if given.quick else {})


def stack_case(given: Given) -> Case:
    fields = [stack(seed, QUICK_STACK if given.quick else STACK) for seed in range(3)]
    return Case(STACKS, "instances", tuple(fields[:-1]), fields[-1], dict(QUICK_3D) if given.quick else {})


def enlarged(sample: Sample, side: int) -> Sample:
    """Repeat a field until its YX are `side` pixels: simulating so large a one would take longer than predicting it."""
    image = np.asarray(sample.image)
    times = [1] * (image.ndim - 2) + [-(-side // n) for n in image.shape[-2:]]
    return Sample(f"{sample.name}, {side} pixels", np.tile(image, times)[..., :side, :side].copy())


def config_of(case: Case, given: Given, **more: Any) -> TrainingConfig:
    return TrainingConfig.model_validate({"task": case.task, "device": given.name, **case.settings, **more})


def trained(case: Case, given: Given, folder: Path, seconds: float | None, **more: Any) -> Trained:
    """Train for so many steps (in `more`), and no longer than `seconds`; in the small size they do not count.

    Without validation, which would take a part of the time.
    """
    time_limit = None if given.quick or seconds is None else max(seconds, 2.0)
    losses, times, memory = [], [], []
    for event in microforge.train(config_of(case, given, time=time_limit, **more), case.training, (), folder):
        if isinstance(event, StepFinished):
            losses.append(event.loss)
            times.append(time.perf_counter())
        elif isinstance(event, RunAdvice) and event.code.startswith("memory"):
            memory.append(event.text)
        elif isinstance(event, RunFinished) and event.model:
            return Trained(event.model, losses, times, memory)
    raise WrongResultError("The training ended without a model.")


def endless(case: Case, given: Given, folder: Path) -> Iterator[StepFinished]:
    """Train until closed, giving the steps."""
    for event in microforge.train(config_of(case, given), case.training, (), folder):
        if isinstance(event, StepFinished):
            yield event


def write_files(samples: Sequence[Sample], folder: Path) -> list[Path]:
    """Write images as files with one channel, as a microscope would leave them."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"image_{k:03d}.tif" for k in range(len(samples))]
    for path, sample in zip(paths, samples, strict=True):
        axes = "ZYX" if np.ndim(sample.image) == 4 else "YX"
        tifffile.imwrite(path, np.asarray(sample.image)[0], imagej=True, metadata={"axes": axes})
    return paths
