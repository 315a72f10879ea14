"""Watershed by steepest ascent with persistence: from a depth map to labels, in any number of dimensions.

Every pixel points to its highest neighbour; following the pointers (each step doubles their reach) leads to the summit
of its basin. Basins of one object, split by noise, are joined where the notch between two summits is shallower than a
given height (persistence; Edelsbrunner et al. 2002, doi 10.1007/s00454-002-2885-2). It works on the pixels inside
objects only, so that its time follows them and not the image.
"""

from itertools import product
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from microforge.types import Floats

_Ints = npt.NDArray[np.int32]
_Positions = npt.NDArray[np.int64]
Passes = tuple[_Ints, _Ints, Floats]
_NONE: Floats = np.zeros(0, np.float32)


class Hills(NamedTuple):
    """Objects found, and how many were not taken for one.

    Attributes
    ----------
    labels
        int32 ``(Z)YX``, 0 = background, 1..n without gaps.
    heights
        float32 ``(n,)``, of the summit of each.
    too_small
        How many had fewer pixels than asked for, though their summits were high enough.
    too_low
        How many had lower summits than asked for, though they were large enough.
    notches, clefts
        float32 ``(n,)``: the deepest notch in each, which would have split it had it been deeper; and how deep the
        shallowest notch to a neighbour is, seen from the lower summit of both, infinite where none touches.
    """

    labels: _Ints
    heights: Floats
    too_small: int = 0
    too_low: int = 0
    notches: Floats = _NONE
    clefts: Floats = _NONE


def split_objects(height: Floats, inside: npt.NDArray[np.bool_], merging: float, lowest: float, smallest: int) -> Hills:
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
    """
    padded = np.pad(inside, 1).ravel()
    pixels = np.flatnonzero(padded)
    labels = np.zeros(padded.size, np.int32)
    shape = tuple(n + 2 for n in inside.shape)
    inner = (slice(1, -1),) * inside.ndim
    if not len(pixels):
        return Hills(labels.reshape(shape)[inner], _NONE)
    heights = np.where(padded, np.pad(height, 1).ravel(), -np.inf).astype(np.float32)
    steps = _neighbour_steps(shape)
    basin, summits = _climb(heights, pixels, steps)
    summit_height = heights[pixels][summits]
    passes = _passes(heights, pixels, steps, basin)
    owner, notches = _join(passes, summit_height, merging)
    whole = owner == np.arange(len(owner))
    large = np.bincount(owner[basin], minlength=len(summits)) >= smallest
    high = summit_height >= lowest
    keep = whole & large & high
    labels[pixels] = (np.cumsum(keep) * keep).astype(np.int32)[owner[basin]]
    too_small, too_low = (int((whole & one & ~other).sum()) for one, other in ((high, large), (large, high)))
    clefts = _clefts(passes, owner, summit_height)
    return Hills(labels.reshape(shape)[inner], summit_height[keep], too_small, too_low, notches[keep], clefts[keep])


def fill_holes(inside: npt.NDArray[np.bool_], largest: int) -> npt.NDArray[np.bool_]:
    """Give `inside` ``(Z)YX`` without its enclosed gaps of up to `largest` pixels."""
    gaps, _ = ndimage.label(~inside)
    small = np.bincount(gaps.ravel()) <= largest
    small[0] = False
    filled: npt.NDArray[np.bool_] = inside | small[gaps]
    return filled


def _neighbour_steps(shape: tuple[int, ...]) -> list[int]:
    """Differences in flat index to all neighbours, diagonal ones too, in ascending order of offset."""
    strides = [int(np.prod(shape[axis + 1 :])) for axis in range(len(shape))]
    offsets = [offset for offset in product((-1, 0, 1), repeat=len(shape)) if any(offset)]
    return [sum(o * s for o, s in zip(offset, strides, strict=True)) for offset in offsets]


def _climb(heights: Floats, pixels: _Positions, steps: list[int]) -> tuple[_Ints, _Positions]:
    """Give each pixel's basin number, and the position (among the pixels) of each basin's summit."""
    best, upward = heights[pixels], pixels
    for step in steps:
        neighbour = heights[pixels + step]
        higher = neighbour > best
        best = np.where(higher, neighbour, best)
        upward = np.where(higher, pixels + step, upward)
    position = np.zeros(len(heights), np.int32)
    position[pixels] = np.arange(len(pixels), dtype=np.int32)
    target = _follow(position[upward])
    summits = np.flatnonzero(target == np.arange(len(target)))
    number = np.zeros(len(target), np.int32)
    number[summits] = np.arange(len(summits), dtype=np.int32)
    return number[target], summits


def _join(passes: Passes, summit: Floats, merging: float) -> tuple[_Positions, Floats]:
    """Give for each basin the basin that owns it, and for each owner how deep the deepest notch within it is.

    In rounds, each hill joins the higher one beyond its highest pass if it rises less than `merging` above that pass;
    a hill that does not will not later either, as its other passes are lower. All hills of a round are done at once.
    """
    here, there, notch = passes
    order = np.argsort(notch, kind="stable")
    here, there, notch = here[order], there[order], notch[order]
    everyone = np.arange(len(summit))
    owner, deepest = everyone, np.zeros(len(summit), np.float32)
    while True:
        a, b = owner[here], owner[there]
        apart = a != b
        here, there, notch, a, b = here[apart], there[apart], notch[apart], a[apart], b[apart]
        best = np.full(len(summit), -1)
        for side in (a, b):  # passes are in ascending order: the last one assigned is the highest
            highest = np.full(len(summit), -1)
            highest[side] = np.arange(len(side))
            best = np.maximum(best, highest)
        hills = np.flatnonzero(best >= 0)
        chosen = best[hills]
        beyond = a[chosen] + b[chosen] - hills
        higher = (summit[beyond] > summit[hills]) | ((summit[beyond] == summit[hills]) & (beyond > hills))
        depth = summit[hills] - notch[chosen]
        joins = higher & (depth < merging)
        if not joins.any():
            return owner, deepest
        step = everyone.copy()
        step[hills[joins]] = beyond[joins]
        to = _follow(step)
        deepest[hills[joins]] = np.maximum(deepest[hills[joins]], depth[joins])
        np.maximum.at(deepest, to[hills[joins]], deepest[hills[joins]])
        owner = to[owner]


def _clefts(passes: Passes, owner: _Positions, summit: Floats) -> Floats:
    """Give for each owner how deep the shallowest notch to another one is; infinite where there is none."""
    here, there, notch = passes
    a, b = owner[here], owner[there]
    apart = a != b
    a, b = a[apart], b[apart]
    depth = np.minimum(summit[a], summit[b]) - notch[apart]
    clefts = np.full(len(summit), np.inf, np.float32)
    for side in (a, b):
        np.minimum.at(clefts, side, depth)
    return clefts


def _follow(target: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Follow pointers to their end, doubling their reach each time."""
    while not np.array_equal(further := target[target], target):
        target = further
    return target


def _passes(heights: Floats, pixels: _Positions, steps: list[int], basin: _Ints) -> Passes:
    """Give all pairs of neighbouring pixels in two basins: both basins, and the lower height of the two."""
    number = np.full(len(heights), -1, np.int32)
    number[pixels] = basin
    found = []
    for step in steps[len(steps) // 2 :]:
        other = number[pixels + step]
        border = np.flatnonzero((other >= 0) & (other != basin))
        notch = np.minimum(heights[pixels[border]], heights[pixels[border] + step])
        found.append((basin[border], other[border], notch))
    here, there, notches = (np.concatenate(parts) for parts in zip(*found, strict=True))
    return here, there, notches
