"""Make the pictures of the image tasks: train each for a short time on simulated images and predict another field.

    python docs/make_figures.py

Writes ``docs/images/NAME.png`` for each of `FIGURES`. Takes about five minutes on two cores.
"""

import argparse
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image as Picture
from PIL import ImageDraw, ImageFont
from scipy import ndimage

import microforge
from microforge.metrics.images import fit_linear
from microforge.simulate import noisy_pair, simulate_cells
from microforge.types import Sample

Array = npt.NDArray[np.float32]
Panel = tuple[str, npt.NDArray[np.uint8]]

SIZE = (192, 192)
#: Side of the part that is shown, in pixels of the (finer) image, and of a panel of the picture.
SHOWN, PANEL = 144, 288
GAP, CAPTION = 8, 26
#: How many times finer the predicted image of super-resolution is.
FINER = 3
#: Seeds of the fields trained on, and of one that is not.
TRAINING, UNSEEN = range(1, 13), 90


def phase_contrast(stain: npt.ArrayLike, seed: int = 0) -> npt.NDArray[np.float64]:
    """Give what a stained field might look like in transmitted light: its edges, without its brightness."""
    edges = ndimage.gaussian_laplace(np.asarray(stain, np.float32), 2) * -40 + 2000
    return np.asarray(edges + np.random.default_rng(seed).normal(0, 20, edges.shape), np.float64)


def exposures(seed: int) -> tuple[Array, Array]:
    """Give a field recorded with little and with much light."""
    noisy, clean = noisy_pair(seed, SIZE)
    return noisy.astype(np.float32), clean.astype(np.float32)


def stained(seed: int) -> tuple[Array, Array]:
    """Give a field in transmitted light, and its nuclei stained."""
    nuclei, cytoplasm = simulate_cells(SIZE, seed=seed).image
    return phase_contrast(cytoplasm, seed).astype(np.float32), nuclei.astype(np.float32)


def coarse_and_fine(seed: int) -> tuple[Array, Array]:
    """Give a field whose blocks of pixels were averaged, and as it was."""
    fine = exposures(seed)[1]
    rows, columns = (n // FINER for n in SIZE)
    coarse = fine.reshape(rows, FINER, columns, FINER).mean((1, 3))
    return coarse.astype(np.float32), fine


def predicted(task: str, fields: Callable[[int], tuple[Array, Array]], seconds: float, *, alone: bool) -> Array:
    """Train on some fields, without their targets where `alone`; give the image predicted from another field."""
    samples = []
    for seed in TRAINING:
        image, target = fields(seed)
        samples.append(Sample(f"field {seed}", image[None], None if alone else target[None]))
    with tempfile.TemporaryDirectory(prefix="figures-") as folder:
        config = microforge.TrainingConfig(task=task, time=seconds)
        for _ in microforge.train(config, samples, None, Path(folder)):
            pass
        prediction = microforge.Predictor(Path(folder) / "model.safetensors").predict(fields(UNSEEN)[0], axes="YX")
    assert prediction.image is not None
    return np.asarray(prediction.image[0], np.float32)


def denoising(seconds: float) -> list[Panel]:
    noisy, clean = exposures(UNSEEN)
    result = predicted("denoising", exposures, seconds, alone=True)
    wanted = fit_linear(clean, noisy)
    limits, spread = limits_of(wanted), 4 * float((noisy - result).std())
    return [
        ("little light", panel(noisy, limits)),
        ("denoised", panel(result, limits)),
        ("removed (difference)", panel(noisy - result, (-spread, spread))),
        ("much light", panel(wanted, limits)),
    ]


def restoration(seconds: float) -> list[Panel]:
    noisy, clean = exposures(UNSEEN)
    result = predicted("restoration", exposures, seconds, alone=False)
    wanted = fit_linear(clean, noisy)
    limits = limits_of(wanted)
    titles = ("short exposure", "restored", "long exposure")
    return [(title, panel(one, limits)) for title, one in zip(titles, (noisy, result, wanted), strict=True)]


def label_free(seconds: float) -> list[Panel]:
    light, stain = stained(UNSEEN)
    result = predicted("label-free", stained, seconds, alone=False)
    limits = limits_of(stain)
    return [
        ("transmitted light", panel(light, limits_of(light))),
        ("nuclei predicted", panel(result, limits)),
        ("nuclei stained", panel(stain, limits)),
    ]


def super_resolution(seconds: float) -> list[Panel]:
    coarse, fine = coarse_and_fine(UNSEEN)
    result = predicted("super-resolution", coarse_and_fine, seconds, alone=False)
    limits = limits_of(fine)
    titles = ("coarse", f"{FINER} times finer", "recorded finely")
    return [(title, panel(one, limits)) for title, one in zip(titles, (coarse, result, fine), strict=True)]


#: The pictures there are, and what draws them.
FIGURES: dict[str, Callable[[float], list[Panel]]] = {
    "denoising": denoising,
    "restoration": restoration,
    "label_free": label_free,
    "super_resolution": super_resolution,
}


def limits_of(image: Array) -> tuple[float, float]:
    """Give what is shown black and white."""
    low, high = np.percentile(image, (0.5, 99.7))
    return float(low), float(high)


def panel(image: Array, limits: tuple[float, float]) -> npt.NDArray[np.uint8]:
    """Give the middle of an image in grey, each pixel as a square."""
    side = SHOWN * image.shape[0] // SIZE[0]
    first = (image.shape[0] - side) // 2
    part = image[first : first + side, first : first + side]
    grey = np.clip((part - limits[0]) / (limits[1] - limits[0]), 0, 1) * 255
    zoom = PANEL // side
    return np.rint(grey).astype(np.uint8).repeat(zoom, 0).repeat(zoom, 1)


def draw(panels: Sequence[Panel]) -> Picture.Image:
    """Put panels side by side on white, with captions above."""
    width = len(panels) * (PANEL + GAP) + GAP
    picture = Picture.new("L", (width, PANEL + CAPTION + GAP), 255)
    pen, font = ImageDraw.Draw(picture), ImageFont.load_default(16)
    for place, (title, pixels) in enumerate(panels):
        left = GAP + place * (PANEL + GAP)
        pen.text((left + PANEL / 2, CAPTION / 2), title, 0, font, anchor="mm")
        picture.paste(Picture.fromarray(pixels), (left, CAPTION))
    return picture.quantize(64, dither=Picture.Dither.NONE)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=Path, default=Path(__file__).parent / "images")
    parser.add_argument("--training", type=float, default=60, metavar="SECONDS")
    parser.add_argument("--only", nargs="+", default=list(FIGURES), choices=list(FIGURES))
    chosen = parser.parse_args()
    for name in chosen.only:
        draw(FIGURES[name](chosen.training)).save(chosen.images / f"{name}.png", optimize=True)
        print(name, flush=True)


if __name__ == "__main__":
    main()
