"""Part of `gpu.py` about memory: under a limit that is really there, runs must shrink what they ask for and go on."""

import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from gpu_data import Case, case_of, enlarged, trained, write_files
from gpu_parts import NATIVE_RMS
from gpu_tools import Array, Given, Sample, Tree, deviation, in_turn, limited, memory_of, require

import microforge
from microforge.config import PredictionConfig
from microforge.events import ImageFailed, ImageFinished, TileFinished

#: Part of what a run took without a limit. A GPU's run may do with less room to work in, so that it must be well below.
SHARE = {"cuda": 0.3}
STAND_IN_SHARE = 0.45
STEPS, QUICK_STEPS = 20, 4
#: Sides of an image of several tiles, of the largest that is one tile, and of one for which any limit leaves room.
MANY_TILES, QUICK_MANY_TILES = 4096, 256
ONE_TILE, SMALL = 1536, 128


def memory(given: Given) -> Tree:
    """Limit the memory to less than each kind of run took; give what was shrunk."""
    case = case_of("restoration", given)
    many, small = QUICK_MANY_TILES if given.quick else MANY_TILES, enlarged(case.image, SMALL)
    limit = "set_per_process_memory_fraction" if given.is_cuda else "a stand-in: inputs above a size are refused"
    with tempfile.TemporaryDirectory() as folder:
        model = trained(case, given, Path(folder), None, steps=QUICK_STEPS if given.quick else 60).model
        one = min(microforge.Predictor(model, applied(given)).network.tile_size, ONE_TILE)
        works: dict[str, Callable[[], Tree]] = {
            "training, batch": partial(shrunk_training, case, given, {}),
            "training, patch": partial(shrunk_training, case, given, lone_patch(given)),
            "prediction": partial(shrunk_prediction, model, enlarged(case.image, many), given),
            "folder, tiles": partial(shrunk_folder, model, small, enlarged(case.image, many), given),
            "folder, one tile": partial(one_tile, model, small, enlarged(case.image, one), given),
        }
        return {"limit": limit, **in_turn({k: lambda _, w=w: w() for k, w in works.items()}, given.seconds)}


def lone_patch(given: Given) -> dict[str, Any]:
    """Give settings of a training with a single patch, so that only its size can shrink."""
    return {"batch_size": 1, "patch_size": 128 if given.quick else 1536}


def applied(given: Given) -> PredictionConfig:
    """Give settings under which a large image is several tiles, also in the small size."""
    return PredictionConfig(device=given.name, tile_size=192 if given.quick else None)


def share(given: Given) -> float:
    return SHARE.get(given.device.type, STAND_IN_SHARE)


def amounts(needed: float, given: Given) -> Tree:
    """Name what was needed and allowed: megabytes of a GPU, or thousands of values for the stand-in."""
    unit, scale = ("mb", 1e6) if given.is_cuda else ("thousand_values", 1e3)
    return {f"needed_{unit}": needed / scale, f"allowed_{unit}": share(given) * needed / scale}


def shrunk_training(case: Case, given: Given, more: dict[str, Any]) -> Tree:
    """Train twice, the second time with too little memory: it must say so, make all its steps and leave a model."""
    settings = {**more, "steps": QUICK_STEPS if given.quick else STEPS}
    with tempfile.TemporaryDirectory() as folder:
        needed = memory_of(lambda: trained(case, given, Path(folder) / "free", None, **settings), given.device)
        with limited(given.device, share(given) * needed):
            run = trained(case, given, Path(folder) / "limited", None, **settings)
        image = microforge.Predictor(run.model, PredictionConfig(device=given.name)).predict(case.image).image
    require(bool(run.memory), "Memory was limited, but nothing was shrunk.")
    require(len(run.losses) >= settings["steps"] - 1, f"{len(run.losses)} of {settings['steps']} steps were made.")
    require(bool(np.isfinite(run.losses).all()), "The loss became NaN or infinite.")
    require(image is not None and bool(np.isfinite(image).all()), "The model left predicts what is no number.")
    ends = {"loss_first": run.losses[0], "loss_last": run.losses[-1]}
    return {**amounts(needed, given), "said": run.memory, "steps": len(run.losses), **ends}


def shrunk_prediction(model: Path, image: Sample, given: Given) -> Tree:
    """Predict twice, the second time with too little memory: in smaller tiles, and the same."""
    answers: list[tuple[Array, int]] = []
    needed = memory_of(lambda: answers.append(answer_and_tile(model, image, given)), given.device)
    with limited(given.device, share(given) * needed):
        answers.append(answer_and_tile(model, image, given))
    (wanted, before), (found, after) = answers
    same = deviation(wanted, found)
    require(after < before, "Memory was limited, but the tiles stayed as large.")
    require(same["rms"] <= NATIVE_RMS, f"Smaller tiles give another result: {same['rms']:.2g} (rms).")
    return {**amounts(needed, given), "tile": [before, after], "same": same}


def answer_and_tile(model: Path, image: Sample, given: Given) -> tuple[Array, int]:
    """Predict an image; give the answer and the side of the tiles in the end."""
    predictor = microforge.Predictor(model, applied(given))
    answer = predictor.predict(image).image
    assert answer is not None
    return answer, predictor.network.tile_size


def shrunk_folder(model: Path, small: Sample, large: Sample, given: Given) -> Tree:
    """Predict a folder with a large image between small ones, with and without enough memory: all, and the same."""
    result = folder_twice(model, small, large, given)
    require(not result["failed"], f"{result['failed']} of 3 files failed: {'; '.join(result['reasons'])}")
    require(result["tiles"][1] > result["tiles"][0], "Memory was limited, but the tiles stayed as large.")
    return result


def one_tile(model: Path, small: Sample, large: Sample, given: Given) -> Tree:
    """Do the same with an image that is a single tile; what fails is told, and whether it recovered.

    Such images go through the network by a way of their own, on which nothing is made smaller.
    """
    result = folder_twice(model, small, large, given)
    return {"recovered": not result["failed"], **result}


def folder_twice(model: Path, small: Sample, large: Sample, given: Given) -> Tree:
    with tempfile.TemporaryDirectory() as folder:
        free, narrow = Path(folder) / "free", Path(folder) / "narrow"
        paths = write_files([small, large, small], Path(folder) / "images")
        runs: list[tuple[int, list[str]]] = []
        needed = memory_of(lambda: runs.append(predicted(model, paths, free, given)), given.device)
        with limited(given.device, share(given) * needed):
            runs.append(predicted(model, paths, narrow, given))
        names = [path.name for path in paths if (narrow / path.name).is_file()]
        worst = max(deviation(*(tifffile.imread(one / name) for one in (free, narrow)))["rms"] for name in names)
    require(not runs[0][1], f"Files failed although nothing was limited: {'; '.join(runs[0][1])}")
    require(worst <= NATIVE_RMS, f"Smaller tiles give another result: {worst:.2g} (rms).")
    tiles, failed = [run[0] for run in runs], runs[1][1]
    return {**amounts(needed, given), "failed": len(failed), "reasons": failed, "tiles": tiles, "rms": worst}


def predicted(model: Path, paths: list[Path], output: Path, given: Given) -> tuple[int, list[str]]:
    """Predict files; give into how many tiles the largest was cut in the end, and why files failed."""
    tiles, done, failed = 1, 0, []
    for event in microforge.predict_folder(model, paths, output, config=applied(given)):
        if isinstance(event, TileFinished):
            tiles = max(tiles, event.total)
        elif isinstance(event, ImageFailed):
            failed.append(event.reason)
        done += isinstance(event, ImageFinished)
    require(done + len(failed) == len(paths), f"{done} of {len(paths)} files were predicted, {len(failed)} failed.")
    return tiles, failed
