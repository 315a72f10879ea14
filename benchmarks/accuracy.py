"""Accuracy after a given training time, from the command line as a user would; prints one JSON line.

    python benchmarks/accuracy.py DATA --score score.py --time 300s [--images 5] [--seed 0] [--device cpu]

DATA holds ``images/``, ``labels/`` and ``split.csv`` (columns name, split). Trains on the images whose split is
"train" (or on some of them, drawn by the seed), predicts those whose split is "val", and lets the score script judge.
The validation images serve for nothing but the score: the run keeps some training images aside for itself.
"""

import argparse
import csv
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

PROGRAM = [sys.executable, "-m", "microforge"]


def names(data: Path, split: str) -> list[str]:
    with (data / "split.csv").open(newline="", encoding="utf-8") as file:
        return [row["name"] for row in csv.DictReader(file) if row["split"] == split]


def link(data: Path, stems: list[str], target: Path) -> None:
    for kind in ("images", "labels"):
        (target / kind).mkdir(parents=True)
        for stem in stems:
            (target / kind / f"{stem}.tif").symlink_to((data / kind / f"{stem}.tif").resolve())


def run(*arguments: str) -> tuple[str, float]:
    begun = time.perf_counter()
    answer = subprocess.run([*PROGRAM, *arguments], stdout=subprocess.PIPE, text=True, check=True)
    return answer.stdout, time.perf_counter() - begun


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--score", type=Path, required=True)
    parser.add_argument("--time", default="300s")
    parser.add_argument("--images", type=int, default=0, help="train on so many images only; 0 = all")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--set", action="append", default=[], help="NAME=VALUE, passed on to the training")
    a = parser.parse_args()
    training, validation = names(a.data, "train"), names(a.data, "val")
    if a.images:
        training = [training[k] for k in np.random.default_rng(a.seed).choice(len(training), a.images, replace=False)]
    with tempfile.TemporaryDirectory() as folder:
        here = Path(folder)
        link(a.data, training, here / "train")
        link(a.data, validation, here / "val")
        model, found = here / "model.safetensors", here / "found"
        options = [f"--set={setting}" for setting in a.set]
        folders = [str(here / "train" / kind) for kind in ("images", "labels")]
        common = ["--time", a.time, "--device", a.device, "--seed", str(a.seed), "--json"]
        answer, wall = run("train", "instances", *folders, "--model", str(model), *common, *options)
        run("predict", str(model), str(here / "val" / "images"), "--output", str(found), "--device", a.device)
        judge = [sys.executable, str(a.score), "instances", str(here / "val" / "labels"), str(found)]
        score = json.loads(subprocess.run(judge, stdout=subprocess.PIPE, text=True, check=True).stdout)
    summary = json.loads(answer)
    line = {
        "benchmark": "accuracy",
        "time": a.time,
        "images": len(training),
        "seed": a.seed,
        "steps": summary.get("steps"),
        "wall_s": round(wall, 1),
        "cores": os.cpu_count(),
        "AP": score["AP"],
        "objects": [score["objects_truth"], score["objects_pred"]],
    }
    print(json.dumps(line))


if __name__ == "__main__":
    main()
