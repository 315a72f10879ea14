"""What the runs of other programs share: their own environment, the files, the labels written, the score.

Uses only the standard library until `enter_environment` has started the script again inside its environment.
"""

import argparse
import csv
import json
import os
import subprocess
import sys
import time
import venv
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TextIO


def parse(name: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=f"Train {name} from scratch, predict, score; prints one JSON line.")
    parser.add_argument("images", type=Path, help="folder of TIFF images, YX")
    parser.add_argument("labels", type=Path, help="folder of label images of the same names")
    parser.add_argument("--split", type=Path, help="CSV with the columns name and split; without it all are trained on")
    parser.add_argument("--train", default="train", help="value of `split` to train on")
    parser.add_argument("--test", default="val", help="value of `split` to predict")
    parser.add_argument("--limit", type=int, help="train on this many images only")
    parser.add_argument("--time", type=float, default=300, help="seconds of training, reading included")
    parser.add_argument("--env", type=Path, required=True, help="cache folder for the environment")
    parser.add_argument("--output", type=Path, required=True, help="folder for the predicted labels")
    parser.add_argument("--score", type=Path, help="script: SCRIPT instances TRUTH PRED [--split CSV:NAME] prints JSON")
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


def enter_environment(folder: Path, requirements: Sequence[str], constraints: Sequence[str] = ()) -> TextIO:
    """Make the environment if it is not there, and run the script again in it.

    Returns where the answer goes: the real standard output. What libraries print there goes to standard error.
    """
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    stamp = folder / "requirements.txt"
    wanted = "\n".join(requirements)
    if not stamp.exists() or stamp.read_text(encoding="utf-8") != wanted:
        venv.create(folder, with_pip=True)
        limits = folder / "constraints.txt"
        limits.write_text("\n".join(constraints), encoding="utf-8")
        environment = {**os.environ, "PIP_CONSTRAINT": str(limits)} if constraints else dict(os.environ)
        subprocess.run(
            [python, "-m", "pip", "install", "--quiet", *requirements], check=True, env=environment, stdout=sys.stderr
        )
        stamp.write_text(wanted, encoding="utf-8")
    if Path(sys.prefix).resolve() != folder.resolve():
        # As this project does for itself: waiting threads that spin slow the others down on few cores.
        os.execve(python, [str(python), *sys.argv], {"OMP_WAIT_POLICY": "PASSIVE", **os.environ})
    answer = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    return answer


def names(arguments: argparse.Namespace, split: str) -> list[str]:
    """Give the stems of one split, sorted."""
    stems = sorted(path.stem for path in arguments.labels.glob("*.tif"))
    if arguments.split:
        with arguments.split.open(newline="", encoding="utf-8") as file:
            kept = {row["name"] for row in csv.DictReader(file) if row["split"] == split}
        stems = [stem for stem in stems if stem in kept]
    return stems


def predict(
    arguments: argparse.Namespace, prepare: Callable[[Any], Any], run: Callable[[Any], Any]
) -> dict[str, float]:
    """Predict every image of the test split, from file to file."""
    import numpy as np
    import tifffile

    arguments.output.mkdir(parents=True, exist_ok=True)
    stems = names(arguments, arguments.test)
    # The first call builds things that later ones reuse.
    run(prepare(tifffile.imread(arguments.images / f"{stems[0]}.tif")))
    pixels, started = 0, time.perf_counter()
    for stem in stems:
        image = tifffile.imread(arguments.images / f"{stem}.tif")
        labels = np.asarray(run(prepare(image)))
        tifffile.imwrite(arguments.output / f"{stem}.tif", labels.astype(np.uint32), compression="zlib")
        pixels += image.size
    seconds = time.perf_counter() - started
    return {
        "test_images": len(stems),
        "predict_seconds": round(seconds, 2),
        "predict_megapixels_per_second": round(pixels / 1e6 / seconds, 3),
    }


def report(arguments: argparse.Namespace, name: str, values: dict[str, Any], answer: TextIO) -> None:
    """Score and print one JSON line."""
    score: Any = None
    if arguments.score:
        command = [sys.executable, arguments.score, "instances", arguments.labels, arguments.output]
        if arguments.split:
            command += ["--split", f"{arguments.split}:{arguments.test}"]
        judged = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False)
        score = json.loads(judged.stdout) if judged.returncode == 0 else {"error": judged.stderr.strip()}
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    line = {"benchmark": f"peer_{name}", "cores": cores, "seed": arguments.seed, **values, "score": score}
    print(json.dumps(line), file=answer, flush=True)
