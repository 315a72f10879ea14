"""Quality of the tasks whose answer is an image, from the command line as a user would; prints one JSON line.

    python benchmarks/images.py denoising W2S --score score.py --time 300s [--option method=sub-sampling]
    python benchmarks/images.py restoration W2S --score score.py --time 300s
    python benchmarks/images.py super-resolution W2S --score score.py --time 300s
    python benchmarks/images.py single W2S --time 60s [--images 5]
    python benchmarks/images.py label-free ISL --score score.py --time 600s

W2S holds ``noisy/``, ``clean/`` and ``split.csv`` (columns name, split); ISL holds ``input/`` (planes as channels),
``target_dapi/`` and ``split.csv``. Trains on the split "train", predicts "val", which serves for nothing else, and lets
the score script judge. *single* trains on each validation image alone and counts how many beat the best Gaussian blur;
*super-resolution* averages blocks of 2 x 2 pixels of the clean images, after a Gaussian blur of `--blur` pixels (an
objective of lower aperture), and compares with bicubic interpolation.
"""

import argparse
import json
import os
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from command_line import judge, link, names, parser_of, run, training_options
from scipy.ndimage import gaussian_filter, zoom

SIGMAS = np.arange(0.5, 5.01, 0.25)


def binned(source: Path, stems: list[str], target: Path, blur: float) -> Path:
    target.mkdir(parents=True)
    for stem in stems:
        image = gaussian_filter(tifffile.imread(source / f"{stem}.tif").astype(np.float32), blur)
        height, width = image.shape
        tifffile.imwrite(target / f"{stem}.tif", image.reshape(height // 2, 2, width // 2, 2).mean((1, 3)))
    return target


def fitted_psnr(truth: np.ndarray, image: np.ndarray) -> float:
    truth, image = truth.astype(float), image.astype(float)
    slope, offset = np.polyfit(image.ravel(), truth.ravel(), 1)
    return float(10 * np.log10(np.ptp(truth) ** 2 / np.mean((slope * image + offset - truth) ** 2)))


def train(a: argparse.Namespace, task: str, folders: list[Path], model: Path) -> tuple[Any, float]:
    options = [f"--option={one}" for one in a.option]
    axes = ["--axes", "CYX"] if task == "label-free" else []
    answer, wall = run("train", task, *map(str, folders), *training_options(a, model), *axes, *options)
    return json.loads(answer), wall


def predict(a: argparse.Namespace, model: Path, images: Path, found: Path, *more: str) -> None:
    axes = ["--axes", "CYX"] if a.kind == "label-free" else []
    run("predict", str(model), str(images), "--output", str(found), "--device", a.device, *axes, *more)


def whole_set(a: argparse.Namespace, here: Path) -> dict[str, Any]:
    """Train on the training split, score the validation split."""
    training, validation = names(a.data, "train"), names(a.data, "val")
    inputs, targets = ("input", "target_dapi") if a.kind == "label-free" else ("noisy", "clean")
    truth = link(a.data / targets, validation, here / "truth")
    if a.kind == "super-resolution":
        images, unseen = (
            binned(a.data / targets, stems, here / k, a.blur) for k, stems in (("a", training), ("b", validation))
        )
    else:
        images, unseen = (link(a.data / inputs, stems, here / k) for k, stems in (("a", training), ("b", validation)))
    folders = [images] if a.kind == "denoising" else [images, link(a.data / targets, training, here / "targets")]
    summary, wall = train(a, a.kind, folders, here / "model.safetensors")
    predict(a, here / "model.safetensors", unseen, here / "found")
    predict(a, here / "model.safetensors", unseen, here / "flips", "--flips")
    line = {"steps": summary["steps"], "wall_s": round(wall, 1), **judge(a.score, "images", truth, here / "found")}
    line["averaged_over_flips"] = judge(a.score, "images", truth, here / "flips")
    if a.kind == "super-resolution":
        line["bicubic"] = bicubic(a, unseen, truth, here / "bicubic")
    if a.kind == "label-free":
        line |= correlations(unseen, truth, here / "found", images, here / "targets")
    return line


def bicubic(a: argparse.Namespace, coarse: Path, truth: Path, found: Path) -> Any:
    found.mkdir()
    for path in coarse.iterdir():
        finer = zoom(tifffile.imread(path), 2, order=3, grid_mode=True, mode="nearest")
        tifffile.imwrite(found / path.name, finer.astype(np.float32))
    return judge(a.score, "images", truth, found)


def correlations(images: Path, truth: Path, found: Path, training: Path, targets: Path) -> dict[str, Any]:
    """Pearson's r per image, beside a linear regression from the planes, each as it is and at three scales."""
    features, wanted = zip(
        *((planes(p), tifffile.imread(targets / p.name)) for p in sorted(training.iterdir())), strict=True
    )
    table = np.concatenate([f.reshape(len(f), -1) for f in features], axis=1).T
    weights, *_ = np.linalg.lstsq(table, np.concatenate([w.ravel() for w in wanted]).astype(float), rcond=None)
    ours, theirs = {}, {}
    for path in sorted(images.iterdir()):
        stain = tifffile.imread(truth / path.name).astype(float).ravel()
        ours[path.stem] = np.corrcoef(stain, np.squeeze(tifffile.imread(found / path.name)).ravel())[0, 1]
        theirs[path.stem] = np.corrcoef(stain, planes(path).reshape(len(weights), -1).T @ weights)[0, 1]
    means = {"pearson_r": np.mean(list(ours.values())), "linear_regression_r": np.mean(list(theirs.values()))}
    return {k: round(float(v), 4) for k, v in means.items()} | {"r": {k: round(float(v), 4) for k, v in ours.items()}}


def planes(path: Path) -> np.ndarray:
    image = tifffile.imread(path).astype(float)
    scales = [image] + [gaussian_filter(image, (0, s, s)) for s in (1, 3, 8)]
    local = gaussian_filter(image**2, (0, 3, 3)) - gaussian_filter(image, (0, 3, 3)) ** 2
    everything = np.concatenate([*scales, np.sqrt(np.maximum(local, 0)), np.ones_like(image[:1])])
    return everything


def single(a: argparse.Namespace, here: Path) -> dict[str, Any]:
    """Train on each image alone."""
    rows = {}
    for stem in names(a.data, "val")[: a.images or None]:
        alone, found = link(a.data / "noisy", [stem], here / stem), here / f"{stem} found"
        train(a, "denoising", [alone], here / f"{stem}.safetensors")
        predict(a, here / f"{stem}.safetensors", alone, found)
        noisy, truth = (tifffile.imread(a.data / kind / f"{stem}.tif") for kind in ("noisy", "clean"))
        blurs = [fitted_psnr(truth, gaussian_filter(noisy.astype(float), sigma)) for sigma in SIGMAS]
        rows[stem] = (fitted_psnr(truth, np.squeeze(tifffile.imread(found / f"{stem}.tif"))), max(blurs))
    gains = np.array([ours - blur for ours, blur in rows.values()])
    return {
        "better_than_best_gaussian": float(np.mean(gains > 0)),
        "mean_gain_db": round(float(gains.mean()), 3),
        "least_gain_db": round(float(gains.min()), 3),
        "psnr_linear_fit": {stem: [round(v, 2) for v in row] for stem, row in rows.items()},
    }


def main() -> None:
    parser = parser_of(__doc__, "300s", ("denoising", "restoration", "super-resolution", "label-free", "single"))
    parser.add_argument("--score", type=Path)
    parser.add_argument("--images", type=int, default=0, help="single: so many images only; 0 = all")
    parser.add_argument("--blur", type=float, default=0.0, help="super-resolution: blur before averaging")
    parser.add_argument("--option", action="append", default=[], help="NAME=VALUE, an option of the task")
    a = parser.parse_args()
    if a.kind != "single" and a.score is None:
        parser.error("--score is needed")
    with tempfile.TemporaryDirectory() as folder:
        figures = single(a, Path(folder)) if a.kind == "single" else whole_set(a, Path(folder))
    head = {"benchmark": "images", "task": a.kind, "time": a.time, "options": a.option + a.set, "blur": a.blur}
    print(json.dumps({**head, "seed": a.seed, "cores": os.cpu_count(), **figures}))


if __name__ == "__main__":
    main()
