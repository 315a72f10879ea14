"""Parts of `gpu.py` about speed: how much of the time the device waits, and what the loop costs beside a bare one."""

import json
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from itertools import cycle
from pathlib import Path

import torch
from gpu_data import STACKS, Case, case_of, config_of, endless, enlarged, trained, write_files
from gpu_tools import (
    Batch,
    Given,
    Learner,
    Sampler,
    Setup,
    Tree,
    computing_in,
    corrupted,
    in_turn,
    make_sampler,
    make_setup,
    rates,
    require,
    seconds_of,
    spread,
)

import microforge
from microforge.config import PredictionConfig
from microforge.events import FolderStarted, ImageFailed, ImageFinished

#: Work of the GPU as a trace names it.
GPU_WORK = ("kernel", "gpu_memcpy", "gpu_memset")
NO_GPU = "nothing ran on a GPU that can be traced"
PACE = 0.5
#: Batches that wait on the device for the bare loop.
BATCHES = 4
#: Most steps under the profiler: a step is a thousand kernels or more, and all are written as text.
TRACED_STEPS = 30

Span = tuple[float, float]


def waiting(given: Given) -> Tree:
    """Measure the share of the time in which no kernel and no copy runs, in training and in folders."""
    training = {f"training {name}": partial(idle_training, name, given) for name in ("instances", STACKS)}
    folders = {f"folder {name}": partial(idle_folder, name, given) for name in ("instances", "restoration")}
    return in_turn({**training, **folders}, given.seconds)


def idle_training(name: str, given: Given, seconds: float) -> Tree:
    with tempfile.TemporaryDirectory() as folder:
        steps = endless(case_of(name, given), given, Path(folder))
        alone = statistics.median(rates({"own": lambda: next(steps)}, given.device, seconds / 3, 3)["own"])
        count = 3 if given.quick else max(3, min(TRACED_STEPS, int(alone * seconds / 6)))
        watched, spans = gpu_spans(lambda: [next(steps) for _ in range(count)], given.device)
        steps.close()
    return {"steps_per_second": alone, **idle(spans, watched, count / alone), **per_step(spans, count)}


def idle_folder(name: str, given: Given, seconds: float) -> Tree:
    case = case_of(name, given)
    count, side, steps = (4, 128, 6) if given.quick else (64, 512, 100)
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        model = trained(case, given, place / "run", seconds / 4, steps=steps).model
        paths = write_files([enlarged(case.training[k % len(case.training)], side) for k in range(count)], place / "in")
        run_folder(model, paths, place / "first", given)
        alone = statistics.median(run_folder(model, paths, place / f"alone {k}", given) for k in range(3))
        times: list[float] = []
        _, spans = gpu_spans(lambda: times.append(run_folder(model, paths, place / "watched", given)), given.device)
    return {"images": count, "megapixels_per_second": count * side**2 / 1e6 / alone, **idle(spans, times[0], alone)}


def run_folder(model: Path, paths: Sequence[Path], output: Path, given: Given) -> float:
    """Give the seconds from the first event, when the model is loaded, to the closed run."""
    events = microforge.predict_folder(model, paths, output, config=PredictionConfig(device=given.name))
    require(isinstance(next(events), FolderStarted), "A folder run does not begin with FolderStarted.")
    begun, done = time.perf_counter(), 0
    for event in events:
        require(not isinstance(event, ImageFailed), f"A file failed: {getattr(event, 'reason', '')}")
        done += isinstance(event, ImageFinished)
    require(done == len(paths), f"{done} of {len(paths)} files were predicted.")
    return time.perf_counter() - begun


def gpu_spans(work: Callable[[], object], device: torch.device) -> tuple[float, dict[str, list[Span]]]:
    """Run work under the profiler; give its seconds, and when the GPU was at work, by kind, in seconds.

    Only the GPU is recorded where there is one: recording each operation of torch would slow the loop and make the GPU
    wait for that.
    """
    activity = torch.profiler.ProfilerActivity
    activities = [activity.CUDA if device.type == "cuda" else activity.CPU]
    with torch.profiler.profile(activities=activities):
        # What the profiler does once takes seconds, in which nothing is to be measured.
        torch.zeros(8, device=device).add_(1)
    with tempfile.TemporaryDirectory() as folder:
        with torch.profiler.profile(activities=activities) as profile:
            seconds = seconds_of(work, device)
        profile.export_chrome_trace(f"{folder}/trace.json")
        return seconds, read_spans(Path(folder) / "trace.json")


def read_spans(trace: Path) -> dict[str, list[Span]]:
    """Give begin and end of all work of the GPU in a trace, by kind, in seconds."""
    spans: dict[str, list[Span]] = {kind: [] for kind in GPU_WORK}
    for event in json.loads(trace.read_text(encoding="utf-8"))["traceEvents"]:
        kind = str(event.get("cat", "")).lower()
        if kind in spans and "dur" in event:
            spans[kind].append((event["ts"] / 1e6, (event["ts"] + event["dur"]) / 1e6))
    return spans


def covered(spans: Sequence[Span]) -> float:
    """Give the length of the union: kernels on several streams run beside each other."""
    total, reached = 0.0, float("-inf")
    for begin, end in sorted(spans):
        total += max(0.0, end - max(begin, reached))
        reached = max(reached, end)
    return total


def idle(spans: dict[str, list[Span]], watched: float, alone: float) -> Tree:
    """Compare the work of the GPU with the seconds of the same work unwatched, as the profiler slows what it watches.

    The share under the profiler is an upper bound: its work and its time are of one and the same run.
    """
    busy = covered([span for kind in spans.values() for span in kind])
    if not busy:
        return {"idle_share": None, "reason": NO_GPU}
    return {
        "idle_share": 1 - busy / alone,
        "idle_share_profiled": 1 - busy / watched,
        "copy_share": covered([*spans["gpu_memcpy"], *spans["gpu_memset"]]) / alone,
        "slowed_by_profiler": watched / alone,
    }


def per_step(spans: dict[str, list[Span]], steps: int) -> Tree:
    """Give how finely the work is cut: kernels of a few microseconds cannot be launched as fast as they run."""
    lengths = [end - begin for begin, end in spans["kernel"]]
    if not lengths:
        return {"kernels_per_step": None, "median_kernel_us": None}
    return {"kernels_per_step": len(lengths) / steps, "median_kernel_us": statistics.median(lengths) * 1e6}


def bare_loop(given: Given) -> Tree:
    """Measure steps per second of the whole loop beside a bare one: objects, an image task, stacks."""
    names = ("instances", "denoising", STACKS)
    return in_turn({name: partial(beside_bare, name, given) for name in names}, given.seconds)


def beside_bare(name: str, given: Given, seconds: float) -> Tree:
    """Measure four kinds of step in turns: bare, with the average of the weights, drawing a batch only, and whole.

    All are of one task, network, optimiser, number type and size of batch.
    """
    case = case_of(name, given)
    setup, draw = prepared(case, given)
    batches = [draw() for _ in range(BATCHES)]
    learner = Learner(setup.task, setup.plan.network, setup.device, None, 0)
    works = {"bare": bare_step(learner, batches), "with_average": learning(learner, batches), "batches_only": draw}
    with tempfile.TemporaryDirectory() as folder:
        whole = endless(case, given, Path(folder))
        found = rates({**works, "own_loop": lambda: next(whole)}, given.device, 0.8 * seconds)
        whole.close()
    return {
        "type": str(learner.dtype).rpartition(".")[2],
        "batch": list(batches[0].image.shape),
        "steps_per_second": {kind: spread(values) for kind, values in found.items()},
        "own_over_bare": ratios(found["own_loop"], found["bare"]),
    }


def ratios(these: Sequence[float], those: Sequence[float]) -> Tree:
    """Compare round by round: what disturbed one of a round has disturbed the other."""
    return spread([one / other for one, other in zip(these, those, strict=True)])


def prepared(case: Case, given: Given) -> tuple[Setup, Callable[[], Batch]]:
    """Give what a run is made of, and a function that draws batches as a run does."""
    setup = make_setup(config_of(case, given), case.training, ())
    sampler = sampler_of(setup)
    return setup, lambda: corrupted(setup.task, sampler.draw(), sampler.rng)


def sampler_of(setup: Setup) -> Sampler:
    encoding = make_sampler(setup)
    while True:
        try:
            next(encoding)
        except StopIteration as end:
            sampler: Sampler = end.value
            return sampler


def bare_step(learner: Learner, batches: Sequence[Batch]) -> Callable[[], None]:
    """Give the least a step can be: forward, loss, backward, update, on batches that wait on the device."""
    endless_batches = cycle(batches)

    def step() -> None:
        batch = next(endless_batches)
        with torch.autocast(learner.device.type, learner.dtype, learner.dtype != torch.float32):
            output = learner.network(batch.image)
        learner.task.loss(output.float(), batch).backward()
        learner.optimiser.step(PACE)

    return step


def learning(learner: Learner, batches: Sequence[Batch]) -> Callable[[], object]:
    """Give the step of a run: the bare one, and the average of the weights."""
    endless_batches = cycle(batches)
    return lambda: learner.learn(next(endless_batches), PACE)


def training_in(dtypes: dict[str, torch.dtype], case: Case, given: Given, seconds: float) -> Tree:
    """Measure the steps per second of a learner in each number type, in turns, on the same batches."""
    setup, draw = prepared(case, given)
    batches, works = [draw() for _ in range(BATCHES)], {}
    for name, dtype in dtypes.items():
        with computing_in(dtype):
            learner = Learner(setup.task, setup.plan.network, setup.device, None, 0)
        works[name] = learning(learner, batches)
    found = rates(works, given.device, 0.8 * seconds)
    first = next(iter(found.values()))
    return {name: {"steps_per_second": spread(one), "over_float32": ratios(one, first)} for name, one in found.items()}
