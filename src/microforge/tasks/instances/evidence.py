"""What speaks for and against each object that was found; come here for what its confidence is made of.

Everything is taken from what the network has answered already, by sums over the pixels of objects.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from microforge.tasks.instances.watershed import Hills
from microforge.types import Array, Floats

#: Pixels of an object that are less probable than this are in doubt.
_DOUBTED = 0.65
_Mask = npt.NDArray[np.bool_]


def object_evidence(output: Floats, found: Hills) -> dict[str, Floats]:
    """Give what is known of each object besides its outline, float32 ``(n,)`` per name; the most telling comes first.

    Parameters
    ----------
    output
        Probability and depth, float32 ``C(Z)YX``.
    found
        The objects in it.

    Returns
    -------
    dict
        ``probability``: the mean of its pixels. ``summit``: its greatest depth. ``doubted``: the share of its pixels
        that are hardly probable. ``rim``: the mean probability of its outermost pixels. ``small``, ``large``: by how
        much it is smaller or larger than is usual in this image (logarithms). ``uneven``: how long its border is for
        its size. ``notch``, ``cleft``: how nearly it was split, and kept apart from a neighbour. ``shared``: which
        part of its border is one with a neighbour. ``cut``: whether it reaches the border of the image.
    """
    labels, count = found.labels.ravel(), len(found.heights)
    rim, shared, ends = (one.ravel() for one in _rims(found.labels))
    inside, edge = np.flatnonzero(labels), np.flatnonzero(rim & (labels > 0))
    probability = output[0].ravel()

    def total(pixels: npt.NDArray[np.intp], values: Array | None = None) -> npt.NDArray[np.float64]:
        weights = None if values is None else values[pixels]
        return np.bincount(labels[pixels], weights, minlength=count + 1)[1:].astype(np.float64)

    sizes, border = np.maximum(total(inside), 1), np.maximum(total(edge), 1)
    usual = float(np.median(sizes)) if count else 1.0
    parts: dict[str, Array] = {
        "probability": total(inside, probability) / sizes,
        "summit": found.heights,
        "doubted": total(inside[probability[inside] < _DOUBTED]) / sizes,
        "rim": total(edge, probability) / border,
        "small": np.maximum(np.log(usual / sizes), 0),
        "large": np.maximum(np.log(sizes / usual), 0),
        "uneven": border / sizes ** (1 - 1 / found.labels.ndim),
        "notch": found.notches,
        "cleft": np.minimum(found.clefts, 1),
        "shared": total(edge[shared[edge]]) / border,
        "cut": total(np.flatnonzero(ends & (labels > 0))) > 0,
    }
    return {name: np.asarray(values, np.float32) for name, values in parts.items()}


class _Rims(NamedTuple):
    """Pixels, bool ``(Z)YX``, that touch anything else, another object, and the border of the image along YX."""

    rim: _Mask
    shared: _Mask
    ends: _Mask


def _rims(labels: npt.NDArray[np.int32]) -> _Rims:
    rims = _Rims(*(np.zeros(labels.shape, bool) for _ in range(3)))
    for axis in range(labels.ndim):
        along, rim, shared, ends = (np.moveaxis(one, axis, 0) for one in (labels, *rims))
        low, high = along[:-1], along[1:]
        differ = low != high
        both = differ & (low > 0) & (high > 0)
        for side in (slice(None, -1), slice(1, None)):
            rim[side] |= differ
            shared[side] |= both
        if axis >= labels.ndim - 2:
            ends[[0, -1]] = True
    return rims
