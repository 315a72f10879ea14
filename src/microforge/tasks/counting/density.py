"""Density maps: Gaussians at points, and points back from a density (CLEAN)."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from microforge.types import Floats

#: Gaussians are cut off at this many widths; less than one part in ten thousand lies beyond.
STAMP_REACH = 4.0
#: In each round all peaks are taken that are at least this high, compared with the highest.
_ROUND = 0.7
#: Peaks lower than this part of a lone dot's are noise.
_NOISE = 0.05
_MOST_ROUNDS = 60


class Found(NamedTuple):
    """Positions ``(N, D)`` and how certain each is, 0..1: the height of its peak compared with that of a lone dot."""

    places: Floats
    confidence: Floats


def stamp_density(places: Floats, shape: Sequence[int], sigmas: Sequence[float]) -> Floats:
    """Give the density of dots, float32 ``(Z)YX``: a Gaussian for each, whose sum inside the image is exactly one.

    What would lie outside is mirrored at the border.
    """
    density = np.zeros(tuple(shape), np.float32)
    for place in places:
        window, values = _gaussian(place, shape, sigmas)
        density[window] += values / max(float(values.sum()), 1e-12)
    return density


def find_positions(density: Floats, number: int, sigmas: Sequence[float]) -> Found:
    """Place `number` dots so that their Gaussians explain a density, as CLEAN does (Hogbom 1974, A&A Suppl. 15, 417).

    The highest peak is a dot; its Gaussian is taken away, which uncovers neighbours it has hidden; and so on. The
    density is smoothed by the Gaussian of a dot first, which is the best filter against noise.

    Parameters
    ----------
    density
        float32 ``(Z)YX``, dots per pixel.
    sigmas
        Widths of a dot's Gaussian in the density, in pixels along each axis.

    Returns
    -------
    Found
        At most `number` dots, the most certain first; fewer where nothing but noise is left.
    """
    if number < 1:
        return Found(np.zeros((0, density.ndim), np.float32), np.zeros(0, np.float32))
    wide = tuple(float(np.sqrt(2) * sigma) for sigma in sigmas)
    rest = ndimage.gaussian_filter(density, sigmas, mode="reflect", truncate=STAMP_REACH)
    lone = float(np.prod([1 / (np.sqrt(2 * np.pi) * sigma) for sigma in wide]))
    size = [2 * max(1, round(sigma)) + 1 for sigma in sigmas]
    places: list[npt.NDArray[Any]] = []
    heights: list[Floats] = []
    while number > 0 and len(places) < _MOST_ROUNDS:
        peaks, height = _peaks(rest, size, number, lone)
        if not len(peaks):
            break
        places.append(peaks)
        heights.append(height / lone)
        number -= len(peaks)
        _take_away(rest, peaks, wide, lone)
    if not places:
        return Found(np.zeros((0, density.ndim), np.float32), np.zeros(0, np.float32))
    return Found(np.concatenate(places).astype(np.float32), np.clip(np.concatenate(heights), 0, 1))


def _peaks(rest: Floats, size: Sequence[int], number: int, lone: float) -> tuple[npt.NDArray[np.int64], Floats]:
    """Give the highest local maxima and their heights."""
    highest = float(rest.max())
    lowest = max(_ROUND * highest, _NOISE * lone)
    if highest < lowest:
        return np.zeros((0, rest.ndim), np.int64), np.zeros(0, np.float32)
    highest_around = (rest >= lowest) & (rest == ndimage.maximum_filter(rest, size))
    # Of a plateau (a density that is the same everywhere) one pixel is enough.
    plateaus, count = ndimage.label(highest_around, np.ones((3,) * rest.ndim))
    peaks = np.argwhere(highest_around)
    if count < len(peaks):
        peaks = peaks[np.unique(plateaus[highest_around], return_index=True)[1]]
    heights = rest[tuple(peaks.T)]
    order = np.argsort(-heights, kind="stable")[:number]
    return peaks[order], heights[order]


def _take_away(rest: Floats, peaks: npt.NDArray[np.int64], sigmas: Sequence[float], lone: float) -> None:
    for peak in peaks:
        window, values = _gaussian(peak, rest.shape, sigmas)
        rest[window] -= lone * values


def _gaussian(
    place: npt.NDArray[Any], shape: Sequence[int], sigmas: Sequence[float]
) -> tuple[tuple[slice, ...], Floats]:
    """Give the window that a Gaussian of height 1, mirrored at the borders, covers in an image, and its values there.

    Mirrored Gaussians stay such when they are smoothed with mirrored borders, so that dots at the border are taken away
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
