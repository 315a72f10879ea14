"""From a depth map to labels: a watershed by steepest ascent, in whole-array steps, for any number of dimensions.

Every pixel points to its highest neighbour; following the pointers (each step doubles their reach) leads to the summit
of its basin. Basins of one object, split by noise, are joined where the notch between two summits is shallower than a
given height (persistence; Edelsbrunner et al. 2002, doi 10.1007/s00454-002-2885-2). It works on the pixels inside
objects only, so that its time follows them and not the image.
"""

from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int32]
Positions = npt.NDArray[np.int64]


def split_objects(height: Floats, inside: npt.NDArray[np.bool_], merging: float, lowest: float, smallest: int) -> Ints:
    """Label the hills of `height` within `inside`.

    Parameters
    ----------
    height
        float32 ``(Z)YX``, highest in the middle of objects and low where they touch.
    inside
        bool ``(Z)YX``, the pixels that belong to any object.
    merging
        Hills whose notch is shallower than this, seen from the lower summit, are one object.
    lowest
        Objects whose summit is lower are left out.
    smallest
        Objects of fewer pixels are left out.

    Returns
    -------
    int32 ``(Z)YX``, 0 = background, 1..n without gaps.
    """
    padded = np.pad(inside, 1).ravel()
    pixels = np.flatnonzero(padded)
    labels = np.zeros(padded.size, np.int32)
    shape = tuple(n + 2 for n in inside.shape)
    inner = (slice(1, -1),) * inside.ndim
    if len(pixels):
        heights = np.where(padded, np.pad(height, 1).ravel(), -np.inf).astype(np.float32)
        steps = _neighbour_steps(shape)
        basin, summits = _climb(heights, pixels, steps)
        summit_height = heights[pixels][summits]
        owner = _join(heights, pixels, steps, basin, summit_height, merging)
        size = np.bincount(owner[basin], minlength=len(summits))
        keep = (size >= smallest) & (summit_height >= lowest) & (owner == np.arange(len(owner)))
        labels[pixels] = (np.cumsum(keep) * keep).astype(np.int32)[owner[basin]]
    return labels.reshape(shape)[inner]


def _neighbour_steps(shape: tuple[int, ...]) -> list[int]:
    """Differences in flat index to all neighbours, diagonal ones too, in ascending order of offset."""
    strides = [int(np.prod(shape[axis + 1 :])) for axis in range(len(shape))]
    offsets = [offset for offset in product((-1, 0, 1), repeat=len(shape)) if any(offset)]
    return [sum(o * s for o, s in zip(offset, strides, strict=True)) for offset in offsets]


def _climb(heights: Floats, pixels: Positions, steps: list[int]) -> tuple[Ints, Positions]:
    """Give each pixel's basin number, and the position (among the pixels) of each basin's summit."""
    best, upward = heights[pixels], pixels
    for step in steps:
        neighbour = heights[pixels + step]
        higher = neighbour > best
        best = np.where(higher, neighbour, best)
        upward = np.where(higher, pixels + step, upward)
    position = np.zeros(len(heights), np.int32)
    position[pixels] = np.arange(len(pixels), dtype=np.int32)
    target = position[upward]
    while not np.array_equal(further := target[target], target):
        target = further
    summits = np.flatnonzero(target == np.arange(len(target)))
    number = np.zeros(len(target), np.int32)
    number[summits] = np.arange(len(summits), dtype=np.int32)
    return number[target], summits


def _join(
    heights: Floats, pixels: Positions, steps: list[int], basin: Ints, summit: Floats, merging: float
) -> npt.NDArray[Any]:
    """Give for each basin the basin that owns it, joining over the highest passes first."""
    owner = list(range(len(summit)))
    high = summit.tolist()

    def find(k: int) -> int:
        while owner[k] != k:
            owner[k] = owner[owner[k]]
            k = owner[k]
        return k

    for a, b, notch in _passes(heights, pixels, steps, basin, len(summit)):
        a, b = find(a), find(b)
        if a != b and min(high[a], high[b]) - notch < merging:
            lower, higher = (a, b) if high[a] < high[b] else (b, a)
            owner[lower] = higher
    return np.array([find(k) for k in range(len(owner))])


def _passes(
    heights: Floats, pixels: Positions, steps: list[int], basin: Ints, count: int
) -> list[tuple[int, int, float]]:
    """Give the highest pass between each two touching basins, highest first."""
    number = np.full(len(heights), -1, np.int32)
    number[pixels] = basin
    keys, notches = [], []
    for step in steps[len(steps) // 2 :]:
        other = number[pixels + step]
        border = np.flatnonzero((other >= 0) & (other != basin))
        here, there = basin[border].astype(np.int64), other[border].astype(np.int64)
        keys.append(np.minimum(here, there) * count + np.maximum(here, there))
        notches.append(np.minimum(heights[pixels[border]], heights[pixels[border] + step]))
    key, notch = np.concatenate(keys), np.concatenate(notches)
    order = np.lexsort((-notch, key))
    key, notch = key[order], notch[order]
    first = np.concatenate([np.ones(min(len(key), 1), bool), key[1:] != key[:-1]])
    key, notch = key[first], notch[first]
    order = np.argsort(-notch, kind="stable")
    a, b = np.divmod(key[order], count)
    return list(zip(a.tolist(), b.tolist(), notch[order].tolist(), strict=True))
