"""What the parts of `gpu.py` share: the inside of Microforge that they need, forced number types, clocks, likeness."""

import gc
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch

import microforge.device
from microforge.config import DeviceName

# What lies behind the public names. Everything inner that the parts use is imported here, and from here by them.
from microforge.data.sampler import Sampler
from microforge.metrics.images import psnr
from microforge.metrics.matching import average_precision, f1_score, match_objects, match_points
from microforge.networks.unet import UNet
from microforge.tasks import Task
from microforge.tasks.abilities import corrupted
from microforge.training.setup import Setup, make_sampler, make_setup
from microforge.training.step.learner import Learner
from microforge.types import Array, Batch, Points, Prediction, Sample

__all__ = [  # what is not used in this file, but by the parts
    "Array",
    "Batch",
    "Learner",
    "Points",
    "Prediction",
    "Sample",
    "Sampler",
    "Setup",
    "corrupted",
    "make_sampler",
    "make_setup",
]

#: Points of two predictions are the same within so many pixels.
SAME_POINT = 3.0

Tree = dict[str, Any]


class WrongResultError(Exception):
    """A number that must hold does not."""


@dataclass(frozen=True)
class Given:
    """What was asked for: the device by name, small or full size, and the seconds a part may take."""

    name: DeviceName
    quick: bool
    seconds: float

    @property
    def device(self) -> torch.device:
        """The torch device."""
        return microforge.device.choose_device(self.name)

    @property
    def is_cuda(self) -> bool:
        """Whether memory and kernels can be watched."""
        return self.device.type == "cuda"


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def guarded(work: Callable[[], Tree]) -> Tree:
    """Give a result, or what went wrong: the other parts must still run."""
    try:
        return work()
    except Exception as error:  # noqa: BLE001 - whatever it is, it is reported
        import traceback

        say(traceback.format_exc())
        return {"failure": f"{type(error).__name__}: {error}"}


def in_turn(works: dict[str, Callable[[float], Tree]], seconds: float) -> Tree:
    """Do works one by one, guarded; each is told its share of the time that is left, a second at least."""
    end, result = time.monotonic() + seconds, {}
    for left, (name, work) in zip(range(len(works), 0, -1), works.items(), strict=True):
        say(f"  {name}")
        share = max((end - time.monotonic()) / left, 1.0)
        result[name] = guarded(partial(work, share))
    return result


def require(holds: bool, text: str) -> None:
    if not holds:
        raise WrongResultError(text)


def rounded(value: Any, digits: int = 4) -> Any:
    """Give a tree with its numbers rounded to significant digits; what is no number becomes null, as JSON has none."""
    if isinstance(value, dict):
        return {name: rounded(one, digits) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [rounded(one, digits) for one in value]
    if isinstance(value, float | np.floating):
        return float(f"{value:.{digits}g}") if np.isfinite(value) else None
    return value


def synchronise(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()


def forget(device: torch.device) -> None:
    """Give memory back that nobody uses, and begin to measure the peak afresh."""
    gc.collect()
    if device.type == "cuda":
        # Before its first use the device has no statistics that could be reset.
        torch.cuda.init()
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats(device)


def peak_mb(device: torch.device) -> float | None:
    """Give the peak of the memory since `forget`; null on a processor, whose peak belongs to the whole process."""
    return torch.cuda.max_memory_allocated(device) / 1e6 if device.type == "cuda" else None


def seconds_of(work: Callable[[], object], device: torch.device) -> float:
    """Give the seconds until the work is done, on the device too."""
    synchronise(device)
    begun = time.perf_counter()
    work()
    synchronise(device)
    return time.perf_counter() - begun


def rates(works: dict[str, Callable[[], object]], device: torch.device, seconds: float, rounds: int = 5) -> Tree:
    """Measure steps per second of several kinds of step in turns, so that what disturbs one disturbs all."""
    each = seconds / (rounds * len(works) + len(works))
    counts = {name: max(2, int(each / _warm(work, device))) for name, work in works.items()}
    found: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(rounds):
        for name, work in works.items():
            found[name].append(counts[name] / seconds_of(_repeated(work, counts[name]), device))
    return found


def _warm(work: Callable[[], object], device: torch.device) -> float:
    """Give the seconds of a step after the first ones, which choose kernels and fill caches."""
    seconds_of(_repeated(work, 3), device)
    return seconds_of(_repeated(work, 3), device) / 3


def _repeated(work: Callable[[], object], count: int) -> Callable[[], None]:
    def many() -> None:
        for _ in range(count):
            work()

    return many


def spread(values: Sequence[float]) -> Tree:
    return {"median": statistics.median(values), "least": min(values), "most": max(values)}


@contextmanager
def computing_in(dtype: torch.dtype) -> Iterator[None]:
    """Let networks made inside compute in a number type; fails where none asked for it, as nothing was forced then.

    There is no setting for it. The function that chooses is replaced in all modules that took it by its name.
    """
    chosen, asked = microforge.device.compute_dtype, []

    def forced(device: torch.device) -> torch.dtype:
        asked.append(device)
        return dtype

    _replace("compute_dtype", chosen, forced)
    try:
        yield
        require(bool(asked), "The number type could not be forced: nothing asks microforge.device for it.")
    finally:
        _replace("compute_dtype", forced, chosen)


def _replace(name: str, old: object, new: object) -> None:
    for module in [m for key, m in sys.modules.items() if key.partition(".")[0] == "microforge"]:
        if vars(module).get(name) is old:
            setattr(module, name, new)


@contextmanager
def exact_float32() -> Iterator[None]:
    """Switch TF32 off, whose products keep ten bits only: the reference must be float32 in fact."""
    kept = torch.backends.cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False
    try:
        with computing_in(torch.float32):
            yield
    finally:
        torch.backends.cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32 = kept


@contextmanager
def watched_inputs(most: float = float("inf")) -> Iterator[list[int]]:
    """Note the values of each input of a network; refuse more than `most` as a device without memory would.

    A stand-in for the limit of a GPU's memory: it shows that the program recovers, not what a device can hold.
    """
    seen: list[int] = []

    def note(module: torch.nn.Module, inputs: tuple[Any, ...]) -> None:
        if isinstance(module, UNet):
            if inputs[0].numel() > most:
                raise torch.OutOfMemoryError("out of memory: the stand-in for a limit was reached")
            seen.append(inputs[0].numel())

    handle = torch.nn.modules.module.register_module_forward_pre_hook(note)
    try:
        yield seen
    finally:
        handle.remove()


@contextmanager
def limited(device: torch.device, amount: float) -> Iterator[None]:
    """Limit the memory, in the units of `memory_of`."""
    forget(device)
    if device.type != "cuda":
        with watched_inputs(amount):
            yield
        return
    # Without an index the device is the current one, and this function takes no device without an index.
    torch.cuda.set_per_process_memory_fraction(amount / torch.cuda.get_device_properties(device).total_memory)
    try:
        yield
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)
        forget(device)


def memory_of(work: Callable[[], object], device: torch.device) -> float:
    """Give what work needs at most: bytes of a GPU; elsewhere values of the largest input of a network."""
    forget(device)
    with watched_inputs() as seen:
        work()
    return float(torch.cuda.max_memory_allocated(device)) if device.type == "cuda" else float(max(seen))


def deviation(reference: Array, other: Array) -> Tree:
    """Give the largest and the root mean square difference, in units of the range of the reference."""
    difference = np.abs(np.asarray(other, np.float64) - np.asarray(reference, np.float64))
    span = float(np.ptp(reference)) or 1.0
    return {"most": float(difference.max()) / span, "rms": float(np.sqrt(np.mean(difference**2))) / span}


def likeness(task: Task, reference: Prediction, other: Prediction) -> Tree:
    """Compare two results in the terms of the task; null where there is nothing in either."""
    if reference.points is not None and other.points is not None:
        return _like_points(reference.points.coordinates, other.points.coordinates)
    if reference.class_name:
        return {"same_class": reference.class_name == other.class_name}
    if reference.labels is None or other.labels is None:
        assert reference.image is not None
        assert other.image is not None
        same = np.array_equal(reference.image, other.image)
        return {"psnr_db": None if same else psnr(reference.image, other.image), "identical": same}
    if task.class_option:
        return {"same_pixels": float(np.mean(reference.labels == other.labels))}
    matching = match_objects(reference.labels, other.labels)
    objects = [len(matching.truth), len(matching.predicted)]
    scores = {f"AP@{level}": average_precision(*_wrong(matching.counts(level))) for level in (0.5, 0.9)}
    return {"objects": objects, **(scores if any(objects) else dict.fromkeys(scores))}


def _like_points(reference: Array, other: Array) -> Tree:
    hits = len(match_points(reference, other, SAME_POINT)[0])
    score = f1_score(hits, len(other) - hits, len(reference) - hits)
    return {"points": [len(reference), len(other)], "F1": score if len(reference) + len(other) else None}


def _wrong(counts: tuple[int, int, int]) -> tuple[float, float, float]:
    return float(counts[0]), float(counts[1]), float(counts[2])
