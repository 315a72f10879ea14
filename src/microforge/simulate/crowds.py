"""Crowded cells of two kinds for counting: they lie on each other, and nobody would outline them; and focus, lost."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from microforge.simulate.camera import photograph
from microforge.simulate.fields import simulate_nuclei
from microforge.types import Floats

#: Kinds of cells in a crowd, and the longer axis of each in units of the shorter.
CELL_KINDS = ("round", "long")
_STRETCH = (1.15, 3.2)
_LONG_SHARE = 0.25


@dataclass(frozen=True, eq=False)
class Crowd:
    """A field of cells that lie on each other, with its truth.

    Attributes
    ----------
    image
        uint16 ``YX``.
    points
        float32 ``(N, 2)``, the middle of each cell in pixels.
    kind
        int32 ``(N,)``, an index into `CELL_KINDS`.
    """

    image: npt.NDArray[np.uint16]
    points: Floats
    kind: npt.NDArray[np.int32]


def simulate_crowd(
    shape: tuple[int, int] = (192, 192), n: int | None = None, diameter: float = 10.0, seed: int = 0
) -> Crowd:
    """Make a field of round and long cells whose light adds up where they overlap; they come in clumps.

    Parameters
    ----------
    n
        Number of cells; by default between 40 and 160 on 192 x 192 pixels.
    diameter
        Of the round ones, in pixels.
    """
    rng = np.random.default_rng([seed, 7])
    if n is None:
        n = int(rng.integers(40, 160) * np.prod(shape) / 192**2)
    size = np.array(shape, np.float32)
    clumps = rng.random((max(n // 8, 1), 2)) * size
    spread = rng.normal(0, 2.2 * diameter, (n, 2)) + clumps[rng.integers(len(clumps), size=n)]
    alone = rng.random((n, 1)) < 0.5
    # What would lie outside is turned back in, so that there are as many cells as asked for.
    points = np.abs(np.where(alone, rng.random((n, 2)) * size, spread))
    points = np.clip(np.where(points > size - 1, 2 * (size - 1) - points, points), 0, size - 1).astype(np.float32)
    kind = (rng.random(n) < _LONG_SHARE).astype(np.int32)
    light = np.zeros(shape, np.float32)
    for place, k in zip(points, kind, strict=True):
        _add_cell(rng, light, place, diameter, _STRETCH[k])
    image = photograph(rng, light, diameter, np.ones(2, np.float32), 60.0)
    return Crowd(image, points, kind)


def _add_cell(rng: np.random.Generator, light: Floats, place: Floats, diameter: float, stretch: float) -> None:
    radius = diameter / 2 * rng.lognormal(0, 0.12) / np.sqrt(stretch) ** 0.6
    angle, stretch = rng.uniform(0, np.pi), stretch * rng.lognormal(0, 0.08)
    reach = int(np.ceil(radius * stretch)) + 2
    low = np.maximum(np.floor(place - reach), 0).astype(int)
    high = np.minimum(np.ceil(place + reach) + 1, light.shape).astype(int)
    y, x = np.mgrid[low[0] : high[0], low[1] : high[1]] - place[:, None, None]
    along, across = y * np.sin(angle) + x * np.cos(angle), y * np.cos(angle) - x * np.sin(angle)
    depth = np.clip(1 - (along / (radius * stretch)) ** 2 - (across / radius) ** 2, 0, None)
    light[low[0] : high[0], low[1] : high[1]] += (rng.lognormal(0, 0.2) * np.sqrt(depth)).astype(np.float32)


def simulate_focus(seed: int = 0, *, sharp: bool, shape: tuple[int, int] = (128, 128)) -> npt.NDArray[np.uint16]:
    """Make nuclei in focus or out of it; the light and the noise are the same."""
    field = simulate_nuclei(shape, seed=seed, clustering=0.2, photons=400.0)
    if sharp:
        return field.image
    rng = np.random.default_rng([seed, 8])
    blurred = ndimage.gaussian_filter(field.image.astype(np.float32), rng.uniform(3.0, 5.0), mode="reflect")
    return np.asarray(np.clip(np.rint(blurred + rng.normal(0, 12, shape)), 0, 65535), np.uint16)
