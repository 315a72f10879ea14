"""Density maps: Gaussians at points, and points back from a density (CLEAN)."""

from collections.abc import Sequence
from math import prod
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import ndimage
from scipy.ndimage import maximum_filter

from microforge.types import Floats, Window

#: Gaussians are cut off at this many widths; less than one part in ten thousand lies beyond.
STAMP_REACH = 4.0
#: In each round all peaks are taken that are at least this high, compared with the highest.
_ROUND = 0.7
#: Peaks lower than this part of a lone point's are noise.
_NOISE = 0.05
_MOST_ROUNDS = 60


class Found(NamedTuple):
    """Positions ``(N, D)`` and how certain each is, 0..1: the height of its peak compared with that of a lone point."""

    places: Floats
    confidence: Floats


def stamp_density(places: Floats, shape: Sequence[int], sigmas: Sequence[float]) -> Floats:
    """Give the density of points, float32 ``(Z)YX``: a Gaussian for each, whose sum inside the image is exactly one.

    What would lie outside is mirrored at the border.
    """
    density = np.zeros(tuple(shape), np.float32)
    for place in places:
        window, values = _gaussian(place, shape, sigmas)
        density[window] += values / max(float(values.sum()), 1e-12)
    return density


def find_positions(density: Floats, number: int, sigmas: Sequence[float]) -> Found:
    """Place `number` points so that their Gaussians explain a density, as CLEAN does (Hogbom 1974, A&A Suppl. 15, 417).

    The highest peak is a point; its Gaussian is taken away, which uncovers neighbours it has hidden; and so on. The
    density is smoothed by the Gaussian of a point first, which is the best filter against noise.

    Parameters
    ----------
    density
        float32 ``(Z)YX``, points per pixel.
    sigmas
        Widths of a point's Gaussian in the density, in pixels along each axis.

    Returns
    -------
    Found
        At most `number` points, the most certain first; fewer where nothing but noise is left.
    """
    if number < 1:
        return Found(np.zeros((0, density.ndim), np.float32), np.zeros(0, np.float32))
    wide = tuple(float(np.sqrt(2) * sigma) for sigma in sigmas)
    rest = ndimage.gaussian_filter(density, sigmas, mode="reflect", truncate=STAMP_REACH)
    lone = float(np.prod([1 / (np.sqrt(2 * np.pi) * sigma) for sigma in wide]))
    size = [2 * max(1, round(sigma)) + 1 for sigma in sigmas]
    places: list[npt.NDArray[Any]] = []
    heights: list[Floats] = []
    summits = _summits(rest, size, _NOISE * lone)
    while number > 0 and len(places) < _MOST_ROUNDS:
        peaks, height = _peaks(rest, summits, number)
        if not len(peaks):
            break
        places.append(peaks)
        heights.append(height / lone)
        number -= len(peaks)
        windows = _take_away(rest, peaks, wide, lone)
        summits = _summits_after(rest, summits, windows, size, _NOISE * lone)
    if not places:
        return Found(np.zeros((0, density.ndim), np.float32), np.zeros(0, np.float32))
    return Found(np.concatenate(places).astype(np.float32), np.clip(np.concatenate(heights), 0, 1))


def _summits(rest: Floats, size: Sequence[int], noise: float) -> npt.NDArray[np.bool_]:
    """Tell which pixels are the highest of those around them, and no noise."""
    return np.asarray((rest == maximum_filter(rest, size)) & (rest >= noise))


def _summits_after(
    rest: Floats, summits: npt.NDArray[np.bool_], windows: Sequence[Window], size: Sequence[int], noise: float
) -> npt.NDArray[np.bool_]:
    """Bring the summits up to date where windows of `rest` have changed: they are few and small, and images large."""
    reach = [n // 2 for n in size]
    if len(windows) * prod(side.stop - side.start for side in windows[0]) > rest.size:
        return _summits(rest, size, noise)
    for window in windows:
        # A pixel depends on those within reach, and what it depends on must be seen as well.
        changed, seen = (_grown(window, [k * n for n in reach], rest.shape) for k in (1, 2))
        inner = tuple(slice(c.start - s.start, c.stop - s.start) for c, s in zip(changed, seen, strict=True))
        summits[changed] = _summits(rest[seen], size, noise)[inner]
    return summits


def _grown(window: Window, by: Sequence[int], shape: Sequence[int]) -> Window:
    sides = zip(window, by, shape, strict=True)
    return tuple(slice(max(side.start - n, 0), min(side.stop + n, length)) for side, n, length in sides)


def _peaks(rest: Floats, summits: npt.NDArray[np.bool_], number: int) -> tuple[npt.NDArray[np.int64], Floats]:
    """Give the highest summits and their heights."""
    peaks = np.argwhere(summits)
    heights = rest[tuple(peaks.T)]
    high = heights >= _ROUND * float(heights.max(initial=0))
    peaks, heights = _one_of_each_plateau(peaks[high], heights[high], rest.shape)
    order = np.argsort(-heights, kind="stable")[:number]
    return peaks[order], heights[order]


def _one_of_each_plateau(
    peaks: npt.NDArray[np.int64], heights: Floats, shape: Sequence[int]
) -> tuple[npt.NDArray[np.int64], Floats]:
    """Give one pixel of each plateau (a density that is the same everywhere), the first, and all other peaks."""
    if len(np.unique(heights)) == len(heights):
        # Pixels of a plateau are equal.
        return peaks, heights
    image = np.zeros(tuple(shape), bool)
    image[tuple(peaks.T)] = True
    plateaus, _ = ndimage.label(image, np.ones((3,) * len(shape)))
    first = np.unique(plateaus[tuple(peaks.T)], return_index=True)[1]
    return peaks[first], heights[first]


def _take_away(rest: Floats, peaks: npt.NDArray[np.int64], sigmas: Sequence[float], lone: float) -> list[Window]:
    """Take the Gaussian of each peak away; give the windows where."""
    windows = []
    for peak in peaks:
        window, values = _gaussian(peak, rest.shape, sigmas)
        rest[window] -= lone * values
        windows.append(window)
    return windows


def _gaussian(
    place: npt.NDArray[Any], shape: Sequence[int], sigmas: Sequence[float]
) -> tuple[tuple[slice, ...], Floats]:
    """Give the window that a Gaussian of height 1, mirrored at the borders, covers in an image, and its values there.

    Mirrored Gaussians stay such when they are smoothed with mirrored borders, so points at the border are taken away
    as exactly as others.
    """
    sides, window = [], []
    for middle, length, sigma in zip(place, shape, sigmas, strict=True):
        low = max(int(np.ceil(middle - STAMP_REACH * sigma)), 0)
        high = min(int(np.floor(middle + STAMP_REACH * sigma)) + 1, length)
        window.append(slice(low, max(high, low)))
        along = np.arange(low, max(high, low))
        mirrored = (along, -1 - along, 2 * length - 1 - along)
        sides.append(np.sum([np.exp(-0.5 * ((x - middle) / sigma) ** 2) for x in mirrored], axis=0))
    values = sides[0]
    for side in sides[1:]:
        values = values[..., None] * side
    return tuple(window), values.astype(np.float32)
