"""Whole fields: nuclei in planes and stacks, and cells with a cytoplasm."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from microforge.simulate.camera import chromatin, photograph, smooth_noise
from microforge.simulate.shapes import draw_nuclei, place_nuclei
from microforge.types import Floats

#: Part of the field that nuclei cover where their number is not given.
_COVER = 0.24


@dataclass(frozen=True, eq=False)
class Simulated:
    """A field with its truth.

    Attributes
    ----------
    image
        uint16 ``(Z)YX``, or ``CYX`` where there are two channels.
    labels
        int32 ``(Z)YX``, 0 = background; objects touch but never overlap.
    points
        float32 ``(N, D)``, the centre of each object in pixels, in the order of the labels.
    """

    image: npt.NDArray[np.uint16]
    labels: npt.NDArray[np.int32]
    points: Floats


def simulate_nuclei(
    shape: Sequence[int] = (256, 256),
    n: int | None = None,
    diameter: float = 22.0,
    seed: int = 0,
    *,
    clustering: float = 0.5,
    photons: float = 120.0,
    anisotropy: float = 3.0,
) -> Simulated:
    """Make a field of nuclei as a fluorescence microscope would show it; the same seed gives the same field.

    Parameters
    ----------
    shape
        ``(Z)YX`` in pixels.
    n
        Nuclei to place; fewer where there is no room. By default about a quarter of the field is covered.
    diameter
        Mean diameter in pixels.
    clustering
        Part of the nuclei that touch another, 0..1.
    photons
        Brightness of a typical nucleus in photons per pixel: fewer make more noise.
    anisotropy
        Distance of planes in units of the pixel size, for stacks.
    """
    rng = np.random.default_rng(seed)
    steps = np.array([anisotropy, 1, 1][-len(shape) :], np.float32)
    size = np.array(shape, np.float32) * steps
    if n is None:
        n = max(1, round(_COVER * float(np.prod(size)) / (np.pi / 4 * diameter**2 * _depth(size, diameter))))
    nuclei = place_nuclei(rng, size, n, diameter, clustering)
    labels, light = draw_nuclei(rng, nuclei, tuple(shape), steps)
    light *= chromatin(rng, tuple(shape), diameter, steps)
    image = photograph(rng, light, diameter, steps, photons)
    return Simulated(image, labels, _centres(labels))


def simulate_cells(shape: Sequence[int] = (256, 256), seed: int = 0, *, diameter: float = 22.0) -> Simulated:
    """Make a field with two channels: nuclei, and the cytoplasm around them; the labels are those of the nuclei."""
    nuclei = simulate_nuclei(shape, seed=seed, diameter=diameter, clustering=0.3)
    rng = np.random.default_rng([seed, 1])
    distance, nearest = ndimage.distance_transform_edt(nuclei.labels == 0, return_indices=True)
    owner = nuclei.labels[tuple(nearest)]
    brightness = rng.lognormal(0, 0.35, owner.max() + 1).astype(np.float32)
    granules = np.exp(0.5 * smooth_noise(rng, tuple(shape), (1.2, 1.2)) + 0.3 * smooth_noise(rng, tuple(shape), (5, 5)))
    reach = diameter * (0.45 + 0.12 * smooth_noise(rng, tuple(shape), (9, 9)))
    edge = 1 / (1 + np.exp((distance - reach) / 1.5))
    light = (edge * brightness[owner] * granules * np.where(nuclei.labels > 0, 0.35, 0.8)).astype(np.float32)
    cytoplasm = photograph(rng, light, diameter, np.ones(2, np.float32), 60.0)
    return replace(nuclei, image=np.stack([nuclei.image, cytoplasm]))


def _depth(size: Floats, diameter: float) -> float:
    """Thickness that a nucleus takes in a stack; in a plane there is none."""
    return diameter * 2 / 3 if len(size) == 3 else 1.0


def _centres(labels: npt.NDArray[np.int32]) -> Floats:
    flat = labels.ravel()
    sizes = np.maximum(np.bincount(flat)[1:], 1)
    places = np.indices(labels.shape, np.float32).reshape(labels.ndim, -1)
    return np.stack([np.bincount(flat, along)[1:] / sizes for along in places], -1).astype(np.float32)
