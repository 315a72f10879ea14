"""CAREamics' Noise2Void or N2V2, trained on noisy images for a given time; prints one JSON line.

    python benchmarks/peers/run_careamics.py DATA --method n2v --time 170 --env CACHE --output FOLDER [--score score.py]

DATA holds ``noisy/``, ``clean/`` (for the score only) and ``split.csv`` (columns name, split). Trains on the noisy
images whose split is "train", predicts those whose split is "val". Defaults of CAREamics: its U-Net, flips and turns,
mean and standard deviation for normalisation; prediction of whole images without tiles, here one at a time. Patches
are of 64 pixels. The stop comes inside an epoch, when the time is up, and the last weights are used.
"""

import argparse
import csv
import json
import os
import subprocess
import sys
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

from common import enter_environment


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--method", choices=("n2v", "n2v2"), default="n2v")
    parser.add_argument("--time", type=float, default=170, help="seconds of training, reading included")
    parser.add_argument("--batch", type=int, default=32, help="patches per step")
    parser.add_argument("--env", type=Path, required=True, help="cache folder for the environment")
    parser.add_argument("--output", type=Path, required=True, help="folder for the predicted images")
    parser.add_argument("--score", type=Path, help="script: SCRIPT images TRUTH PREDICTED --split CSV:NAME prints JSON")
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


def names(data: Path, split: str) -> list[str]:
    with (data / "split.csv").open(newline="", encoding="utf-8") as file:
        return [row["name"] for row in csv.DictReader(file) if row["split"] == split]


def stand_in_for_torchvision() -> None:
    """Let CAREamics start where torchvision is missing: it imports it for networks that are not used here."""
    if find_spec("torchvision") is not None:
        return
    parts = {name: ModuleType(name) for name in ("torchvision", "torchvision.transforms")}
    functional = ModuleType("torchvision.transforms.functional")
    parts["torchvision"].__version__ = "0"  # type: ignore[attr-defined]
    parts["torchvision"].transforms = parts["torchvision.transforms"]  # type: ignore[attr-defined]
    parts["torchvision.transforms"].functional = functional  # type: ignore[attr-defined]
    sys.modules.update(parts | {functional.__name__: functional})


def score(arguments: argparse.Namespace) -> object:
    if not arguments.score:
        return None
    split = f"{arguments.data / 'split.csv'}:val"
    command = [sys.executable, arguments.score, "images", arguments.data / "clean", arguments.output, "--split", split]
    judged = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False)
    return json.loads(judged.stdout) if judged.returncode == 0 else {"error": judged.stderr.strip()}


def main() -> None:
    arguments = parse()
    answer = enter_environment(arguments.env / "careamics", ["careamics==0.3.5", "scikit-image", "tifffile"])
    # Looks for torchvision by itself, and must not find the stand-in.
    import torchmetrics  # noqa: F401

    stand_in_for_torchvision()
    import numpy as np
    import tifffile
    from careamics import CAREamist
    from careamics.config.factories import create_advanced_n2v_config
    from pytorch_lightning.callbacks import Callback

    def read(stem):  # type: ignore[no-untyped-def]
        return tifffile.imread(arguments.data / "noisy" / f"{stem}.tif").astype(np.float32)

    begun = time.perf_counter()
    deadline = begun + arguments.time
    steps = 0

    class Stop(Callback):
        """Ends the training when the time is up."""

        def on_train_batch_end(self, trainer, *rest):  # type: ignore[no-untyped-def]
            nonlocal steps
            steps += 1
            if time.perf_counter() > deadline:
                trainer.should_stop = True
                trainer.limit_val_batches = 0

    stems = names(arguments.data, "train")
    config = create_advanced_n2v_config(
        experiment_name=arguments.method,
        data_type="array",
        axes="YX",
        patch_size=[64, 64],
        batch_size=arguments.batch,
        num_epochs=100_000,
        use_n2v2=arguments.method == "n2v2",
        # Worker processes take the cores from the training where there are two.
        num_workers=0,
        trainer_params={"accelerator": "cpu"},
        # It takes no seed of 0.
        seed=arguments.seed + 1,
    )
    with tempfile.TemporaryDirectory() as folder:
        peer = CAREamist(config, work_dir=folder, callbacks=[Stop()], enable_progress_bar=False)
        peer.train(train_data=[read(stem) for stem in stems])
        trained = time.perf_counter() - begun
        last = Path(folder) / "last.ckpt"
        peer.trainer.save_checkpoint(last)
        options = {"batch_size": 1, "num_workers": 0, "checkpoint": last}
        tested = names(arguments.data, "val")
        # The first call builds things that later ones reuse.
        peer.predict([read(tested[0])], **options)
        arguments.output.mkdir(parents=True, exist_ok=True)
        begun = time.perf_counter()
        images = [read(stem) for stem in tested]
        results, _ = peer.predict(images, **options)
        for stem, result in zip(tested, results, strict=True):
            tifffile.imwrite(arguments.output / f"{stem}.tif", np.squeeze(np.asarray(result, np.float32)))
        predicted = time.perf_counter() - begun
    pixels = sum(image.size for image in images)
    line = {
        "benchmark": f"peer_careamics_{arguments.method}",
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "seed": arguments.seed,
        "images": len(stems),
        "train_seconds": round(trained, 1),
        "steps": steps,
        "batch": arguments.batch,
        "test_images": len(tested),
        "predict_seconds": round(predicted, 2),
        "predict_megapixels_per_second": round(pixels / 1e6 / predicted, 3),
        "tiled": False,
        "score": score(arguments),
    }
    print(json.dumps(line), file=answer, flush=True)


if __name__ == "__main__":
    main()
