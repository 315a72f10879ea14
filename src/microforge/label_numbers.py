"""Numbers of labels: renumber and size label images whose numbers may be any; come here before counting by label.

Trackers and stitching give objects numbers in the thousands of millions. What makes a list as long as the largest
number (`numpy.bincount`, `scipy.ndimage.find_objects`) would need gigabytes for a single pixel of such a label.
"""

import numpy as np
import numpy.typing as npt

from microforge.types import Array


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
