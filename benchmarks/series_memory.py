"""Memory that the prediction of a time series in a folder needs, short and long; prints one JSON line per kind of file.

    python benchmarks/series_memory.py [--frames 20 200] [--side 512] [--compressed] [--labels] [--model MODEL]

Each series (uint16, simulated noise) is predicted in a fresh process by a denoising network of the usual size; the
peak of its resident memory counts, libraries included. With --compressed the series are compressed frame by frame
(zlib), with ImageJ's and with OME's description. With --labels they are segmented, by a network whose answer to noise
is many small objects (about one for every 500 pixels, more than most films have). With --model they are predicted by
that model, and show simulated nuclei (one for every 6,000 pixels) that drift from frame to frame.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


def noise(frames: int, side: int) -> Iterator[Any]:
    """Yield frames of noise."""
    import numpy as np

    rng = np.random.default_rng(0)
    for _ in range(frames):
        yield rng.poisson(200, (side, side)).astype(np.uint16)


def nuclei(frames: int, side: int) -> Iterator[Any]:
    """Yield frames of simulated nuclei that drift, each with noise of its own."""
    import numpy as np

    from microforge.simulate import simulate_nuclei

    field = simulate_nuclei(shape=(side, side), n=side * side // 6000, seed=0).image.astype(np.float32)
    rng = np.random.default_rng(0)
    for frame in range(frames):
        moved = np.roll(field, (frame, 2 * frame), (0, 1))
        yield np.clip(moved + rng.normal(0, 3, field.shape), 0, 65535).astype(np.uint16)


def write_series(path: Path, images: Iterator[Any], frames: int, side: int, stored: str) -> None:
    """Write a series frame by frame; `stored` is "plain", or "imagej" or "ome" for compressed files."""
    import numpy as np
    import tifffile

    from microforge.io.writing import Layout, open_image

    if stored != "plain":
        with tifffile.TiffWriter(path, **{stored: True}) as file:
            shape = (frames, side, side)
            file.write(images, shape=shape, dtype="uint16", compression="zlib", metadata={"axes": "TYX"})
        return
    with open_image(path, Layout("TYX", (frames, side, side), np.dtype("uint16"), (0.5, 0.5))) as append:
        for image in images:
            append(image)


def write_model(path: Path, labels: bool) -> None:
    import torch

    from microforge.config import NetworkConfig
    from microforge.io.model_file import ModelCard, save_model
    from microforge.networks.unet import UNet

    network = NetworkConfig(out_channels=2 if labels else 1)
    torch.manual_seed(0)
    unet = UNet(network)
    torch.nn.init.normal_(unet.head.weight, std=1.0)
    save_model(path, unet.state_dict(), ModelCard(task="instances" if labels else "denoising", network=network))


def predict(model: Path, series: Path, output: Path, kind: str) -> dict[str, Any]:
    """Predict in this process; gives its peak memory in megabyte."""
    from microforge.config import PredictionConfig
    from microforge.events import ImageFinished
    from microforge.inference.folder.run import predict_folder

    config = PredictionConfig.model_validate({"device": "cpu", "image_type": kind})
    done = [e for e in predict_folder(model, [series], output, config=config) if isinstance(e, ImageFinished)]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)
    return {"peak_mb": round(peak, 1), "seconds": round(done[0].seconds, 1), "objects": done[0].objects}


def measure(folder: Path, model: Path | None, frames: int, side: int, kind: str, stored: str) -> dict[str, Any]:
    series = folder / f"series_{frames}{'.ome' if stored == 'ome' else ''}.tif"
    images = noise(frames, side) if model is None else nuclei(frames, side)
    write_series(series, images, frames, side, stored)
    used = model or folder / "model.safetensors"
    command = [sys.executable, __file__, "--child", str(used), str(series), "--type", kind]
    told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    series.unlink()
    return {"frames": frames, **json.loads(told)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, nargs=2, default=(20, 200))
    parser.add_argument("--side", type=int, default=512)
    parser.add_argument("--type", default="float32", choices=["float32", "source"])
    parser.add_argument("--compressed", action="store_true", help="compressed series instead of plain ones")
    parser.add_argument("--labels", action="store_true", help="segment the series instead of denoising them")
    parser.add_argument("--model", type=Path, help="a model of your own, and series of simulated nuclei")
    parser.add_argument("--child", type=Path, nargs=2, metavar=("MODEL", "SERIES"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if given.child:
            print(json.dumps(predict(*given.child, Path(folder) / "out", given.type)))
            return
        if given.model is None:
            write_model(Path(folder) / "model.safetensors", given.labels)
        for stored in ("imagej", "ome") if given.compressed else ("plain",):
            runs = [
                measure(Path(folder), given.model, frames, given.side, given.type, stored) for frames in given.frames
            ]
            ratio = round(runs[1]["peak_mb"] / runs[0]["peak_mb"], 3)
            told = {
                "benchmark": "series_memory",
                "stored": stored,
                "side": given.side,
                "labels": given.labels,
                "nuclei": given.model is not None,
            }
            print(json.dumps({**told, "runs": runs, "ratio": ratio}), flush=True)


if __name__ == "__main__":
    main()
