"""Counts from points, from the command line as a user would; prints one JSON line.

    python benchmarks/counting.py DATA --score score.py --time 600s [--images 8] [--radius 8] [--seed 0] [--swap]

DATA holds ``images/``, ``points/`` (CSV: y,x) and ``split.csv`` (columns name, split). Trains on the split "train" (or
on some of its images, drawn by the seed), predicts "val", which serves for nothing else, and lets the score script
judge the counts. Beside them: predicting the mean, and the maxima of the Laplacian of Gaussian with the width and
threshold that count the training images best. The interval is measured by repeated halving: fitted on one half (or 9)
of the images predicted, covering the others. Of few images much hangs on the draw: `--swap` takes them the other way
round. Speed: the images predicted, again and again until there are 100.
"""

import csv
import json
import os
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from command_line import judge, link, names, parser_of, run, some, training_options
from scipy import ndimage

from microforge.tasks.counting.interval import FEWEST, fit_interval

HALVINGS = 500


def linked(data: Path, stems: list[str], target: Path) -> tuple[Path, Path]:
    images = link(data / "images", stems, target / "images")
    return images, link(data / "points", stems, target / "points", ".csv")


def coverage(per_image: list[dict[str, Any]], seed: int) -> float:
    """Part of the counts inside intervals fitted on the other half of the images."""
    rng, inside = np.random.default_rng(seed), []
    found, truth = (np.array([float(one[key]) for one in per_image]) for key in ("count", "truth"))
    for _ in range(HALVINGS):
        order = rng.permutation(len(found))
        half = max(FEWEST, len(order) // 2)
        first, second = order[:half], order[half:]
        interval = fit_interval(found[first], truth[first])
        if interval is None:
            return float("nan")
        bounds = np.array([interval.around(count) for count in found[second]])
        inside.append(np.mean((bounds[:, 0] <= truth[second]) & (truth[second] <= bounds[:, 1])))
    return float(np.mean(inside))


def blobs(training: tuple[Path, Path], unseen: tuple[Path, Path]) -> float:
    """Mean absolute error of the maxima of the Laplacian of Gaussian, set on the training images."""
    best = (np.inf, 0.0, 0.0, 0.0)
    for sign in (1.0, -1.0):
        for sigma in (2, 3, 4, 6, 8):
            heights = [
                (maxima(path, sigma, sign), annotated(training[1], path)) for path in sorted(training[0].iterdir())
            ]
            levels = np.quantile(np.concatenate([h for h, _ in heights]), np.linspace(0.02, 0.98, 49))
            for level in levels:
                error = float(np.mean([abs((h > level).sum() - n) for h, n in heights]))
                best = min(best, (error, float(sigma), sign, float(level)))
    _, sigma, sign, level = best
    return float(
        np.mean(
            [abs((maxima(p, sigma, sign) > level).sum() - annotated(unseen[1], p)) for p in sorted(unseen[0].iterdir())]
        )
    )


def maxima(path: Path, sigma: float, sign: float) -> np.ndarray:
    image = tifffile.imread(path).astype(float)
    grey = image.mean(-1) if image.ndim == 3 else image
    response = -sign * sigma**2 * ndimage.gaussian_laplace(grey / max(grey.std(), 1e-6), sigma)
    return response[(response == ndimage.maximum_filter(response, 5)) & (response > 0)]


def annotated(points: Path, image: Path) -> int:
    with (points / f"{image.stem}.csv").open(newline="", encoding="utf-8") as file:
        return sum(1 for _ in csv.DictReader(file))


def speed(model: Path, images: Path, here: Path, device: str) -> float:
    """Images per second of a folder run, files to files; the time of one of a single image is taken off as start."""
    many, one = here / "many", here / "one"
    many.mkdir()
    one.mkdir()
    paths = sorted(images.iterdir())
    for number in range(101):
        image = tifffile.imread(paths[number % len(paths)])
        # No two files are the same, or a result could be known already.
        image.flat[0] = number
        tifffile.imwrite((many if number else one) / f"{number:03d}.tif", image)
    seconds = []
    for folder in (one, many):
        _, wall = run(
            "predict", str(model), str(folder), "--output", str(here / f"{folder.name}_out"), "--device", device
        )
        seconds.append(wall)
    return 100 / (seconds[1] - seconds[0])


def main() -> None:
    parser = parser_of(__doc__, "600s")
    parser.add_argument("--score", type=Path, required=True)
    parser.add_argument("--images", type=int, default=0, help="train on so many images only; 0 = all")
    parser.add_argument("--swap", action="store_true", help="train on the split val, and score train")
    parser.add_argument("--radius", type=float, default=8, help="a point counts as found within so many pixels")
    a = parser.parse_args()
    training, validation = (names(a.data, split) for split in (("val", "train") if a.swap else ("train", "val")))
    training = some(training, a)
    with tempfile.TemporaryDirectory() as folder:
        here = Path(folder)
        known, unseen = linked(a.data, training, here / "train"), linked(a.data, validation, here / "val")
        model, found = here / "model.safetensors", here / "found"
        answer, wall = run("train", "counting", *map(str, known), *training_options(a, model))
        line: dict[str, Any] = {
            "benchmark": "counting",
            "data": a.data.name,
            "time": a.time,
            "images": len(training),
            "seed": a.seed,
            "swapped": a.swap,
            "settings": a.set,
            "steps": json.loads(answer)["steps"],
            "wall_s": round(wall, 1),
            "cores": os.cpu_count(),
        }
        for name, flips in (("counts", []), ("averaged_over_flips", ["--flips"])):
            run("predict", str(model), str(unseen[0]), "--output", f"{found}{name}", "--device", a.device, *flips)
            line[name] = judge(a.score, "counts", unseen[1], Path(f"{found}{name}") / "images.csv")
        measured = json.loads(
            run("evaluate", str(model), *map(str, unseen), "--json", "--option", f"radius={a.radius}")[0]
        )
        line[f"F1@{a.radius:g}px"] = round(measured["metrics"]["F1"], 4)
        line["interval_covers"] = round(coverage(measured["per_image"], a.seed), 4)
        line["own_interval_covers"] = measured["metrics"].get("coverage")
        line["laplacian_of_gaussian_MAE"] = round(blobs(known, unseen), 3)
        line["images_per_s"] = round(speed(model, unseen[0], here, a.device), 1)
    print(json.dumps(line))


if __name__ == "__main__":
    main()
