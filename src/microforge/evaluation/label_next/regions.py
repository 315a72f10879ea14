"""Which windows of an image are looked at, and how large they are."""

from collections.abc import Sequence
from itertools import product
from math import ceil, prod

import numpy as np

from microforge.label_numbers import label_sizes
from microforge.types import Labels, Window

#: A region is about so many objects wide, in pixels at least and at most; of a stack so many planes.
_OBJECTS_WIDE, _NARROWEST, _WIDEST, _DEEPEST = 8, 96, 384, 16
#: How wide it is where the size of objects is not known.
USUAL = 256


def side_for(found: Sequence[Labels]) -> int:
    """Give the side of regions, in pixels along YX, for objects like these in 2D or 3D."""
    sizes = [label_sizes(labels) for labels in found]
    sizes = [one for one in sizes if len(one)]
    if not sizes:
        return USUAL
    dims = found[0].ndim
    width = float(np.median(np.concatenate(sizes))) ** (1 / dims) * (4 / np.pi) ** 0.5
    return int(np.clip(8 * round(_OBJECTS_WIDE * width / 8), _NARROWEST, _WIDEST))


def windows_of(shape: tuple[int, ...], side: int, most: int, rng: np.random.Generator) -> list[Window]:
    """Cut an image ``(Z)YX`` into windows of about `side` pixels; of more than `most` some are drawn.

    Small images are one window; the last along an axis ends with it, so that windows may overlap a little.
    """
    sides = [min(_DEEPEST, n) if axis < len(shape) - 2 else min(side, n) for axis, n in enumerate(shape)]
    counts = [ceil(n / s) for n, s in zip(shape, sides, strict=True)]
    total = prod(counts)
    if total <= most:
        numbers = [tuple(place) for place in product(*map(range, counts))]
    else:
        drawn = np.sort(rng.choice(total, most, replace=False))
        numbers = [tuple(map(int, np.unravel_index(k, counts))) for k in drawn]
    return [tuple(map(_slice, place, counts, sides, shape)) for place in numbers]


def _slice(number: int, count: int, side: int, length: int) -> slice:
    start = round(number * (length - side) / max(count - 1, 1))
    return slice(start, start + side)
