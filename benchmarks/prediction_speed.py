"""Prediction of a folder, files on disk to labels and tables on disk; prints one JSON line.

    python benchmarks/prediction_speed.py MODEL FOLDER [--split split.csv:val] [--device cpu] [--repeat 3]

The program is warm (imported, model loaded); reading, network, post-processing, measuring and writing all count.
"""

import argparse
import json
import os
import resource
import tempfile
import time
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

from microforge.config import PredictionConfig
from microforge.events import FolderStarted, ImageFinished
from microforge.inference.folder.run import predict_folder
from microforge.io.files import find_images, image_stem
from microforge.io.images import read_image
from microforge.io.pairing import read_split


def chosen(folder: Path, split: str | None) -> list[Path]:
    paths = find_images([folder])
    if split is None:
        return paths
    stems = read_split(split, [image_stem(path) for path in paths])
    return [path for path in paths if image_stem(path) in stems]


def pixels(path: Path) -> int:
    image = read_image(path)
    count = 1
    for axis, length in zip(image.axes, image.data.shape, strict=True):
        count *= length if axis in "TZYX" else 1
    return count


def run_once(model: Path, paths: list[Path], device: str) -> tuple[float, int]:
    """Give the seconds from the first event (the model is loaded) to the closed run, and the images done."""
    with tempfile.TemporaryDirectory() as output:
        events = predict_folder(model, paths, Path(output) / "labels", config=PredictionConfig(device=device))
        assert isinstance(next(events), FolderStarted)
        started = time.perf_counter()
        done = sum(isinstance(event, ImageFinished) for event in events)
        return time.perf_counter() - started, done


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--split", help="CSV:NAME")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--repeat", type=int, default=3)
    arguments = parser.parse_args()
    paths = chosen(arguments.folder, arguments.split)
    megapixels = sum(map(pixels, paths)) / 1e6
    runs = [run_once(arguments.model, paths, arguments.device) for _ in range(arguments.repeat)]
    speeds = sorted(megapixels / seconds for seconds, _ in runs)
    result = {
        "benchmark": "prediction_speed",
        "images": len(paths),
        "done": runs[0][1],
        "megapixels": round(megapixels, 2),
        "megapixels_per_second": [round(speed, 2) for speed in speeds],
        "median": round(speeds[len(speeds) // 2], 2),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "peak_memory_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
