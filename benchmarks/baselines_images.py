"""What filters without any learning reach on noisy images; prints one JSON line.

    python benchmarks/baselines_images.py DATA --score score.py [--split val]

DATA holds ``noisy/``, ``clean/`` and ``split.csv`` (columns name, split). Each filter runs with several strengths, the
same for all images, and the score script judges every one; given are the best PSNR and the best SSIM of each filter
with their strengths. These are chosen with the clean images, which nobody has in practice: a bound from above. Those of
non-local means, total variation and BM3D are multiples of the noise estimated in each image. BM3D is measured where
the package `bm3d` is installed.
"""

import argparse
import json
import os
import tempfile
import time
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import numpy.typing as npt
import tifffile
from command_line import judge, names
from scipy.ndimage import gaussian_filter
from skimage.restoration import denoise_nl_means, denoise_tv_chambolle

Image = npt.NDArray[np.float32]
Filter = Callable[[Image, float], Image]
Scores = dict[str, float]
PSNR, SSIM = "psnr_linear_fit", "ssim_linear_fit"


def noise_of(image: Image) -> float:
    """Estimate the standard deviation of the noise, from second differences along both axes (Immerkaer 1996)."""
    twice = np.diff(np.diff(image, 2, axis=0), 2, axis=1)
    return float(np.median(np.abs(twice)) / 0.6744898 / 6.0)


def unchanged(image: Image, strength: float) -> Image:
    return image


def non_local_means(image: Image, strength: float) -> Image:
    sigma = noise_of(image)
    options = {"patch_size": 5, "patch_distance": 6, "fast_mode": True, "sigma": sigma}
    return np.asarray(denoise_nl_means(image, h=strength * sigma, **options), np.float32)


def total_variation(image: Image, strength: float) -> Image:
    return np.asarray(denoise_tv_chambolle(image, weight=strength * noise_of(image)), np.float32)


def bm3d(image: Image, strength: float) -> Image:
    from bm3d import bm3d as run

    return np.asarray(run(image, strength * noise_of(image)), np.float32)


FILTERS: Mapping[str, tuple[Filter, tuple[float, ...]]] = {
    "noisy": (unchanged, (0.0,)),
    "gaussian": (gaussian_filter, tuple(np.arange(0.5, 4.01, 0.25))),
    "non_local_means": (non_local_means, (0.8, 1.0, 1.2, 1.5, 2.0, 2.5, 3.0)),
    "total_variation": (total_variation, (1.0, 2.0, 2.5, 3.0, 3.5, 4.0, 5.0)),
    "bm3d": (bm3d, (0.8, 1.0, 1.2, 1.5)),
}


def read(path: Path) -> Image:
    """Give an image with the range 0..1, as the filters of scikit-image expect; scores do not depend on it."""
    image = tifffile.imread(path).astype(np.float32)
    low, high = image.min(), image.max()
    return (image - low) / max(high - low, 1e-12)


def scores(data: Path, split: str, script: Path, folder: Path) -> Scores:
    answer = judge(script, "images", data / "clean", folder, "--split", f"{data / 'split.csv'}:{split}")
    return {"psnr": answer[PSNR], "ssim": answer[SSIM]}


def measure(images: Mapping[str, Image], run: Filter, strength: float, folder: Path) -> float:
    """Filter all images into a folder; returns megapixel/s."""
    begun = time.perf_counter()
    results = {stem: run(image, strength) for stem, image in images.items()}
    seconds = time.perf_counter() - begun
    for stem, result in results.items():
        tifffile.imwrite(folder / f"{stem}.tif", result.astype(np.float32))
    return sum(image.size for image in images.values()) / 1e6 / max(seconds, 1e-9)


def best(rows: Mapping[float, Scores], name: str) -> Scores:
    strength = max(rows, key=lambda one: rows[one][name])
    return {"strength": round(float(strength), 3), **rows[strength]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--score", type=Path, required=True, help="script: SCRIPT images TRUTH PREDICTED prints JSON")
    parser.add_argument("--split", default="val")
    parser.add_argument("--filters", nargs="+", choices=list(FILTERS), default=list(FILTERS))
    a = parser.parse_args()
    stems = names(a.data, a.split)
    images = {stem: read(a.data / "noisy" / f"{stem}.tif") for stem in stems}
    found: dict[str, object] = {}
    for name in a.filters:
        if name == "bm3d" and find_spec("bm3d") is None:
            continue
        run, strengths = FILTERS[name]
        rows: dict[float, Scores] = {}
        speeds = []
        for strength in strengths:
            with tempfile.TemporaryDirectory() as folder:
                speeds.append(measure(images, run, strength, Path(folder)))
                rows[strength] = scores(a.data, a.split, a.score, Path(folder))
        found[name] = {"best_psnr": best(rows, "psnr"), "best_ssim": best(rows, "ssim")}
        if name != "noisy":
            found[name] |= {"megapixels_per_second": round(float(np.median(speeds)), 3)}  # type: ignore[operator]
    line = {"benchmark": "baselines_images", "split": a.split, "images": len(stems), "cores": os.cpu_count(), **found}
    print(json.dumps(line))


if __name__ == "__main__":
    main()
