"""Numbers of labels: renumber and size label images whose numbers may be any, and planes of classes.

Come here before counting by label.

Trackers and stitching give objects numbers in the thousands of millions. What makes a list as long as the largest
number (`numpy.bincount`, `scipy.ndimage.find_objects`) would need gigabytes for a single pixel of such a label.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from microforge.types import Array, Floats


def renumbered(labels: Array) -> npt.NDArray[np.int32]:
    """Give labels whose largest number is no larger than their number of pixels.

    Parameters
    ----------
    labels
        Whole numbers from 0 up, any shape and integer dtype.

    Returns
    -------
    int32, as they are where that holds already; else 1..n in ascending order. Background stays 0.
    """
    if labels.size == 0 or labels.max() <= labels.size:
        return labels.astype(np.int32, copy=False)
    values, places = np.unique(labels, return_inverse=True)
    return (places.reshape(labels.shape) + int(values[0] != 0)).astype(np.int32)


def label_sizes(labels: Array) -> npt.NDArray[np.int64]:
    """Give the number of pixels of each object that occurs, int64 ``(N,)`` in ascending order of the labels."""
    size = np.bincount(renumbered(labels).ravel(), minlength=1)[1:]
    return size[size > 0].astype(np.int64)


class ClassPlanes:
    """One plane for each class, 1 where it is and 0 elsewhere, made of numbers of classes window by window.

    Thirty classes kept as planes need sixty times the memory of their numbers.

    Parameters
    ----------
    labels
        Whole numbers ``(Z)YX``.
    values
        The values of the classes, ascending, fewer than 255.

    Attributes
    ----------
    numbers
        uint8 ``(Z)YX``: the place of each pixel's class in `values`; 255 where it is of none.
    """

    dtype = np.dtype(np.float32)

    def __init__(self, labels: Array, values: Sequence[int]) -> None:
        wanted = np.asarray(values)
        places = np.minimum(np.searchsorted(wanted, labels), len(wanted) - 1)
        self.numbers = np.where(wanted[places] == labels, places, 255).astype(np.uint8)
        self.shape = (len(wanted), *labels.shape)
        self.ndim = len(self.shape)

    def __getitem__(self, key: Any, /) -> Floats:
        """Make a window ``C(Z)YX``; the first part of the key must take all classes."""
        numbers = self.numbers[key[1:] if isinstance(key, tuple) else ()]
        classes = np.arange(self.shape[0], dtype=np.uint8).reshape(-1, *(1,) * numbers.ndim)
        planes: Floats = (numbers == classes).astype(np.float32)
        return planes
