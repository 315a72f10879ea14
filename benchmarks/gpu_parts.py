"""Parts of `gpu.py` about results: each task on the device and on the processor, and one model in other types."""

import statistics
import tempfile
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
import torch
from gpu_data import MAKERS, STACKS, Case, case_of, enlarged, trained, write_files
from gpu_speed import run_folder, training_in
from gpu_tools import (
    Array,
    Given,
    Prediction,
    Sample,
    Tree,
    computing_in,
    deviation,
    exact_float32,
    forget,
    guarded,
    in_turn,
    likeness,
    peak_mb,
    require,
    seconds_of,
    spread,
)

import microforge
from microforge.config import PredictionConfig

#: Outputs may differ by so much, in units of their range: exact float32 at any pixel, the native type in the mean.
FLOAT32_MOST = 1e-3
NATIVE_RMS = 2e-2
#: The task that predicts files too.
FILES = "restoration"


def tasks(given: Given) -> Tree:
    """Train and predict with every task of which there are simulated data, one of them in a stack as well."""
    names = list(microforge.available_tasks())
    unknown: Tree = {name: {"left_out": "no simulated data"} for name in names if name not in MAKERS}
    known = [*(name for name in names if name in MAKERS), STACKS]
    return {**unknown, **in_turn({name: partial(one_task, name, given) for name in known}, given.seconds)}


def one_task(name: str, given: Given, seconds: float) -> Tree:
    """Train, predict, compare with the processor; one task predicts files too."""
    case = case_of(name, given)
    with tempfile.TemporaryDirectory() as folder:
        model, learnt = learning_of(case, given, Path(folder) / "run", seconds)
        result = {
            **learnt,
            **prediction_speed(model, case, given),
            "beside_processor": beside_processor(model, case.image, given),
        }
        return {**result, "folder": as_files(model, case, given, Path(folder))} if name == FILES else result


def learning_of(case: Case, given: Given, folder: Path, seconds: float) -> tuple[Path, Tree]:
    """Train; give the model and how the training went."""
    forget(given.device)
    run = trained(case, given, folder, 0.5 * seconds, steps=8 if given.quick else 80)
    few = max(1, len(run.losses) // 5)
    require(bool(np.isfinite(run.losses).all()), "The loss became NaN or infinite.")
    return run.model, {
        "steps": len(run.losses),
        "steps_per_second": run.steps_per_second,
        "loss_first": statistics.mean(run.losses[:few]),
        "loss_last": statistics.mean(run.losses[-few:]),
        "training_peak_mb": peak_mb(given.device),
    }


def prediction_speed(model: Path, case: Case, given: Given) -> Tree:
    """Measure whole predictions, decoding included, of an image as large as a camera's."""
    forget(given.device)
    small = given.quick or case.name == STACKS
    image = case.image if small else enlarged(case.image, 1536)
    predictor = microforge.Predictor(model, PredictionConfig(device=given.name))
    predictor.predict(image)
    seconds = statistics.median(seconds_of(lambda: predictor.predict(image), given.device) for _ in range(3))
    return {"megapixels_per_second": megapixels(image) / seconds, "prediction_peak_mb": peak_mb(given.device)}


def megapixels(sample: Sample) -> float:
    return float(np.prod(sample.image.shape[1:])) / 1e6


def beside_processor(model: Path, image: Sample, given: Given) -> Tree:
    """Compare the outputs for the same weights with those of exact float32 on the processor."""
    with exact_float32():
        reference = microforge.Predictor(model, PredictionConfig(device="cpu"))
        exact = microforge.Predictor(model, PredictionConfig(device=given.name))
        wanted, found = reference.forward_many([image])[0], exact.forward_many([image])[0]
    native = microforge.Predictor(model, PredictionConfig(device=given.name))
    float32, usual = deviation(wanted, found), deviation(wanted, native.forward_many([image])[0])
    require(float32["most"] <= FLOAT32_MOST, f"float32 differs from the processor by {float32['most']:.2g}.")
    require(usual["rms"] <= NATIVE_RMS, f"The native type differs from the processor by {usual['rms']:.2g} (rms).")
    alike = likeness(reference.task, reference.finish(wanted, image), native.predict(image))
    own = given.device.type == "cpu"
    return {"float32": float32, "native": usual, "native_result": alike, "is_the_processor": own}


def as_files(model: Path, case: Case, given: Given, folder: Path) -> Tree:
    """Predict files, of which some go through the network together, and compare one with a prediction in memory."""
    paths = write_files([*case.training, case.image], folder / "images")
    seconds = run_folder(model, paths, folder / "results", given)
    wanted = microforge.Predictor(model, PredictionConfig(device=given.name)).predict(case.image).image
    assert wanted is not None
    written = deviation(wanted[0], tifffile.imread(folder / "results" / paths[-1].name))
    require(written["rms"] <= NATIVE_RMS, f"The file written differs from the prediction by {written['rms']:.2g}.")
    return {"files": len(paths), "files_per_second": len(paths) / seconds, "written": written}


Forcing = Callable[[], AbstractContextManager[Any]]
#: Exact float32 is the reference; "float32" is what torch does by default, TF32 where the GPU has it.
TYPES: dict[str, Forcing] = {
    "exact float32": exact_float32,
    "float32": partial(computing_in, torch.float32),
    "bfloat16": partial(computing_in, torch.bfloat16),
    "float16": partial(computing_in, torch.float16),
}


def precision(given: Given) -> Tree:
    """Predict with one model in every number type, and train in the two that training knows."""
    works = {name: partial(in_all_types, name, given) for name in ("restoration", "instances")}
    return in_turn({**works, "training": partial(training_types, given)}, given.seconds)


def training_types(given: Given, seconds: float) -> Tree:
    types = {"float32": torch.float32, "bfloat16": torch.bfloat16}
    return training_in(types, case_of("instances", given), given, seconds)


def in_all_types(name: str, given: Given, seconds: float) -> Tree:
    case = case_of(name, given)
    with tempfile.TemporaryDirectory() as folder:
        model = trained(case, given, Path(folder), 0.5 * seconds, steps=80 if given.quick else 400).model
        image = case.image if given.quick else enlarged(case.image, 1024)
        with exact_float32():
            reference = microforge.Predictor(model, PredictionConfig(device=given.name))
            wanted = reference.forward_many([image])[0]
        answer = reference.finish(wanted, image)
        works = {kind: partial(in_type, forcing, model, image, given) for kind, forcing in TYPES.items()}
        return {kind: guarded(partial(work, wanted, answer)) for kind, work in works.items()}


def in_type(forcing: Forcing, model: Path, image: Sample, given: Given, wanted: Array, answer: Prediction) -> Tree:
    """Predict in one number type: how alike the results are, and the speed of the network with its copies."""
    with forcing():
        predictor = microforge.Predictor(model, PredictionConfig(device=given.name))
        output = predictor.forward_many([image])[0]
        times = [seconds_of(lambda: predictor.forward_many([image]), given.device) for _ in range(5)]
    finite = bool(np.isfinite(output).all())
    return {
        "finite": finite,
        "output": deviation(wanted, output) if finite else None,
        "result": likeness(predictor.task, answer, predictor.finish(output, image)) if finite else None,
        "megapixels_per_second": spread([megapixels(image) / seconds for seconds in times]),
    }
