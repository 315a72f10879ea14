"""Prediction of a folder of images beside the network's own speed on the same tiles; prints one JSON line.

    python benchmarks/image_speed.py MODEL FOLDER [--device cpu] [--repeat 3] [--type float32] [--limit 40]
    python benchmarks/image_speed.py --simulate 24 [--side 512]

Without a model: a network of the usual size with random weights, and simulated images. End to end counts reading,
normalising, the network, figures, and writing; the network alone gets the same tiles, normalised, from memory. The two
take turns, so that other programs disturb both alike; on a busy machine the ratio of processor seconds tells more than
that of seconds.
"""

import argparse
import json
import os
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import numpy as np

from microforge.answers.images import BATCH_PIXELS
from microforge.axes.samples import to_samples
from microforge.config import NetworkConfig, PredictionConfig
from microforge.events import FolderStarted, ImageFinished
from microforge.inference.folder.run import predict_folder
from microforge.inference.predictor import Predictor
from microforge.inference.tiling import plan_tiles
from microforge.io.files import find_images
from microforge.io.images import read_image
from microforge.io.model_file import ModelCard, save_model
from microforge.io.writing import write_image
from microforge.networks.unet import UNet
from microforge.types import Array


def simulate(folder: Path, count: int, side: int) -> tuple[Path, list[Path]]:
    """Write a model of random weights and noisy images, every other one uint8."""
    rng, network = np.random.default_rng(0), NetworkConfig()
    save_model(folder / "m.safetensors", UNet(network).state_dict(), ModelCard(task="denoising", network=network))
    paths = [folder / f"image_{k:03d}.tif" for k in range(count)]
    for k, path in enumerate(paths):
        noise = rng.poisson(100, (side, side)).clip(0, 255)
        write_image(path, noise.astype(np.uint8 if k % 2 else np.uint16), "YX", (0.5, 0.5))
    return folder / "m.safetensors", paths


def tiles_of(predictor: Predictor, paths: Sequence[Path]) -> tuple[list[Array], float]:
    """Give what the network gets, normalised, batches as a folder run makes them; and the megapixels of the images."""
    alone, together, pixels = [], {}, 0
    for path in paths:
        for sample in to_samples(read_image(path)):
            pixels += int(np.prod(sample.image.shape[1:]))
            image = predictor.normaliser(sample)(np.asarray(sample.image))
            if predictor.fits_one_tile(sample):
                together.setdefault(image.shape, []).append(image)
                continue
            tiles = plan_tiles(image.shape[1:], predictor.network.tile_size, predictor.card.network)
            alone += [image[(None, slice(None), *tile.read)] for tile in tiles]
    for shape, images in together.items():
        size = max(1, BATCH_PIXELS // int(np.prod(shape[1:])))
        alone += [np.stack(images[k : k + size]) for k in range(0, len(images), size)]
    return alone, pixels / 1e6


class Watch:
    """Seconds and processor seconds (of all threads) since it was made."""

    def __init__(self) -> None:
        self.started = np.array([time.perf_counter(), time.process_time()])

    def read(self) -> Array:
        """Give both as an array."""
        return np.array([time.perf_counter(), time.process_time()]) - self.started


def forward_seconds(predictor: Predictor, tiles: Sequence[Array]) -> Array:
    watch = Watch()
    for tile in tiles:
        predictor.network.forward(np.ascontiguousarray(tile))
    return watch.read()


def folder_seconds(model: Path, paths: Sequence[Path], config: PredictionConfig) -> Array:
    """Give the seconds from the first event (the model is loaded) to the closed run."""
    with tempfile.TemporaryDirectory() as output:
        events = predict_folder(model, paths, Path(output) / "images", config=config)
        assert isinstance(next(events), FolderStarted)
        watch = Watch()
        done = sum(isinstance(event, ImageFinished) for event in events)
        assert done == len(paths), f"{done} of {len(paths)} images"
        return watch.read()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path, nargs="?")
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("--simulate", type=int, default=24, metavar="COUNT")
    parser.add_argument("--side", type=int, default=512)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--type", default="float32", choices=["float32", "source"])
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--limit", type=int, help="Use so many images of the folder.")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        if given.folder:
            model, paths = given.model, find_images([given.folder])[: given.limit]
        else:
            model, paths = simulate(Path(temporary), given.simulate, given.side)
        print(json.dumps(measure(model, paths, given)))


def measure(model: Path, paths: Sequence[Path], given: argparse.Namespace) -> dict[str, object]:
    config = PredictionConfig.model_validate({"device": given.device, "image_type": given.type})
    predictor = Predictor(model, config)
    tiles, megapixels = tiles_of(predictor, paths)
    forward_seconds(predictor, tiles[:2])
    runs = np.array(
        [(forward_seconds(predictor, tiles), folder_seconds(model, paths, config)) for _ in range(given.repeat)]
    )
    ratios = runs[:, 0] / runs[:, 1]
    alone, whole = megapixels / np.median(runs[:, :, 0], axis=0)
    return {
        "benchmark": "image_speed",
        "images": len(paths),
        "megapixels": round(megapixels, 2),
        "folder_megapixels_per_second": round(whole, 3),
        "network_megapixels_per_second": round(alone, 3),
        "ratio": round(float(np.median(ratios[:, 0])), 3),
        "ratios": ratios[:, 0].round(3).tolist(),
        "processor_ratio": round(float(np.median(ratios[:, 1])), 3),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
    }


if __name__ == "__main__":
    main()
