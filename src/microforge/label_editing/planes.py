"""Fill the planes between two on which an object is painted (shape-based interpolation).

Signed distances to the two outlines are mixed, each moved along the line between their middles, so that a tilted object
stays in one piece (Raya and Udupa, "Shape-based interpolation of multidimensional objects", IEEE TMI 1990).
"""

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from microforge.label_editing.edits import Edit, Pixels, edit_of, padded, together
from microforge.label_numbers import renumbered
from microforge.types import Array, Floats, Window


def fill_between(labels: Array) -> Edit | None:
    """Fill the planes between painted ones, of all objects ``ZYX``; background only. None where there is no gap."""
    work, edits = np.array(labels), []
    for label, window, mask in _gaps(labels):
        filled = _filled(mask)
        pixels = work[window]
        edit = edit_of(work, window, np.where(filled & (pixels == 0), pixels.dtype.type(label), pixels))
        # The next object must not take what this one has taken.
        work[edit.where] = edit.new
        edits.append(edit)
    return together(edits) if edits else None


def planes_filled(edit: Edit) -> tuple[int, int]:
    """Give of how many objects an edit fills planes, and how many planes, those of each object counted."""
    pairs = np.unique(np.stack([edit.new.astype(np.int64), edit.where[0].astype(np.int64)]), axis=1)
    return len(np.unique(pairs[0])), pairs.shape[1]


def _gaps(labels: Array) -> Iterator[tuple[int, Window, Pixels]]:
    """Give each object that has a gap: its label, its window with a margin of a pixel, and its mask therein."""
    small = renumbered(labels)
    for number, box in enumerate(ndimage.find_objects(small), 1):
        if box is None:
            continue
        window = padded(box, 1, labels.shape)
        mask = small[window] == number
        if not mask.any(axis=(1, 2)).all():
            yield int(labels[window][mask][0]), window, mask


def _filled(mask: Pixels) -> Pixels:
    """Fill the empty planes of a mask whose first and last are not."""
    filled = mask.copy()
    painted = np.flatnonzero(mask.any(axis=(1, 2)))
    for below, above in pairwise(painted):
        ends = _Outline(mask[below]), _Outline(mask[above])
        for plane in range(below + 1, above):
            filled[plane] = _between(*ends, (plane - below) / (above - below))
    return filled


class _Outline:
    """The outline of an object on one plane: signed distances in pixels (positive inside), and its middle."""

    def __init__(self, mask: Pixels) -> None:
        inside, outside = ndimage.distance_transform_edt(mask), ndimage.distance_transform_edt(~mask)
        self.distance: Floats = np.asarray(inside - outside, np.float32)
        self.middle: npt.NDArray[np.float64] = np.argwhere(mask).mean(axis=0)

    def moved_to(self, middle: npt.NDArray[np.float64]) -> Floats:
        """Give the distances with the object's middle elsewhere."""
        return np.asarray(ndimage.shift(self.distance, middle - self.middle, order=1, mode="nearest"))


def _between(first: _Outline, second: _Outline, part: float) -> Pixels:
    """Give the outline at a part of the way from one to another."""
    middle = (1 - part) * first.middle + part * second.middle
    mixed = (1 - part) * first.moved_to(middle) + part * second.moved_to(middle)
    return np.asarray(mixed > 0)
