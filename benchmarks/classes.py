"""Classes of whole images by cross-validation, from the command line as a user would; prints one JSON line.

    python benchmarks/classes.py DATA --time 60s [--folds 5]

DATA holds ``images/`` and ``labels.csv`` (columns name, quality, split, well_site). The images of the split "train" are
dealt into folds, all crops of one field into the same; each fold is predicted by a model trained on the others. Beside
it: the majority class.
"""

import csv
import json
import os
import tempfile
import time
from collections import Counter
from pathlib import Path

import numpy as np
from command_line import parser_of, run, training_options


def folds_of(rows: list[dict[str, str]], count: int) -> list[list[dict[str, str]]]:
    """Deal the fields of each class into folds in turn."""
    folds: list[list[dict[str, str]]] = [[] for _ in range(count)]
    rng, number = np.random.default_rng(0), 0
    for quality in sorted({row["quality"] for row in rows}):
        fields = sorted({row["well_site"] for row in rows if row["quality"] == quality})
        for field in rng.permutation(fields):
            folds[number % count] += [row for row in rows if (row["quality"], row["well_site"]) == (quality, field)]
            number += 1
    return folds


def write(data: Path, rows: list[dict[str, str]], folder: Path) -> tuple[Path, Path]:
    images = folder / "images"
    images.mkdir(parents=True)
    for row in rows:
        name = Path(row["name"]).stem + ".tif"
        (images / name).symlink_to((data / "images" / name).resolve())
    with (folder / "classes.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("name", "class"), *((row["name"], row["quality"]) for row in rows)])
    return images, folder / "classes.csv"


def main() -> None:
    parser = parser_of(__doc__, "60s")
    parser.add_argument("--folds", type=int, default=5)
    a = parser.parse_args()
    with (a.data / "labels.csv").open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["split"] == "train"]
    folds, right, begun, least = folds_of(rows, a.folds), [], time.perf_counter(), []
    with tempfile.TemporaryDirectory() as folder:
        for k, fold in enumerate(folds):
            here = Path(folder) / str(k)
            known = write(a.data, [row for other in folds if other is not fold for row in other], here / "train")
            images, _ = write(a.data, fold, here / "val")
            model = here / "model.safetensors"
            run("train", "classification", *map(str, known), *training_options(a, model))
            run("predict", str(model), str(images), "--output", str(here / "found"), "--device", a.device)
            with (here / "found" / "images.csv").open(newline="", encoding="utf-8") as file:
                found = {Path(row["name"]).stem: row for row in csv.DictReader(file)}
            for row in fold:
                one = found[Path(row["name"]).stem]
                right.append(one["class"] == row["quality"])
                least.append(float(one[f"P({row['quality']})"]))
    count = Counter(row["quality"] for row in rows)
    line = {
        "benchmark": "classes",
        "time": a.time,
        "folds": a.folds,
        "images": len(rows),
        "accuracy": round(float(np.mean(right)), 4),
        "least_probability_of_the_truth": round(min(least), 4),
        "majority": round(max(count.values()) / len(rows), 4),
        "cores": os.cpu_count(),
        "wall_s": round(time.perf_counter() - begun, 1),
    }
    print(json.dumps(line))


if __name__ == "__main__":
    main()
