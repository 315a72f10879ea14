"""Where one object of a large label image begins and ends; come here to draw something around an object."""

from collections.abc import Sequence
from math import ceil, floor

import numpy as np

from microforge.types import Labels

#: First and one past the last pixel along each axis.
Extent = tuple[tuple[int, int], ...]
#: Pixels to each side of its centre in which an object is looked for first.
_FIRST_REACH = 32


def box_around(labels: Labels, label: int, centre: Sequence[float]) -> Extent:
    """Give where an object begins and ends, ``(first, one past the last)`` along each of ``(Z)YX``.

    It is looked for around its centre, in a window that grows until the object does not reach its border, so that the
    size of the image does not matter. Pieces beyond a gap around the first may be left out. Empty where there is no
    such label.
    """
    reach = _FIRST_REACH
    while True:
        window = [
            (max(0, floor(c) - reach), min(n, ceil(c) + reach + 1)) for c, n in zip(centre, labels.shape, strict=True)
        ]
        places = np.nonzero(np.asarray(labels[tuple(slice(*side) for side in window)]) == label)
        everything = all(side == (0, n) for side, n in zip(window, labels.shape, strict=True))
        if len(places[0]):
            box = tuple(
                (int(at.min()) + first, int(at.max()) + 1 + first)
                for at, (first, _) in zip(places, window, strict=True)
            )
            if everything or not _is_cut(box, window, labels.shape):
                return box
        if everything:
            return ()
        reach *= 2


def _is_cut(box: Extent, window: Sequence[tuple[int, int]], shape: tuple[int, ...]) -> bool:
    """Whether an object reaches a border of the window that is none of the image."""
    return any(
        (low == first and first > 0) or (high == last and last < n)
        for (low, high), (first, last), n in zip(box, window, shape, strict=True)
    )
