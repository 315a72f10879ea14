"""Outlines drawn in one go: which pixels they pass, and what they enclose."""

from collections.abc import Sequence

import numpy as np
from scipy import ndimage
from skimage import draw

from microforge.label_editing.edits import Edit, Pixels, edit_of
from microforge.types import Array, Doubles, Window


def outline_pixels(path: Doubles, *, closed: bool = False) -> tuple[Array, Array]:
    """Give rows and columns of the pixels on the way along a path; a closed one goes back to its beginning.

    Parameters
    ----------
    path
        Corners ``(N, YX)`` in pixels.
    """
    corners = np.round(path).astype(np.intp)
    ends = np.roll(corners, -1, axis=0) if closed else np.concatenate([corners[1:], corners[-1:]])
    parts = [draw.line(*start, *end) for start, end in zip(corners, ends, strict=True)]
    return np.concatenate([part[0] for part in parts]), np.concatenate([part[1] for part in parts])


def _enclosed(path: Doubles, shape: Sequence[int]) -> tuple[Window, Pixels]:
    """Give the window of a closed outline in an image of this shape ``YX``, and which of its pixels it encloses."""
    rows, columns = outline_pixels(np.clip(path, -1, shape), closed=True)
    low, high = (int(rows.min()), int(columns.min())), (int(rows.max()) + 1, int(columns.max()) + 1)
    outside = np.ones((high[0] - low[0] + 2, high[1] - low[1] + 2), np.bool_)
    outside[rows - low[0] + 1, columns - low[1] + 1] = False
    parts, _ = ndimage.label(outside)
    inside = (parts != parts[0, 0])[1:-1, 1:-1]
    window = tuple(slice(max(0, a), min(length, b)) for a, b, length in zip(low, high, shape, strict=True))
    return window, inside[tuple(slice(part.start - a, part.stop - a) for part, a in zip(window, low, strict=True))]


def fill_outline(plane: Array, path: Doubles, label: int, *, over: bool = False) -> Edit:
    """Give what an outline encloses a label.

    Parameters
    ----------
    plane
        Labels ``YX``.
    path
        Corners of the outline ``(N, YX)`` in pixels; its end is joined to its beginning.
    over
        Whether objects that lie in it are painted over; else it takes background only.
    """
    window, mask = _enclosed(path, plane.shape)
    pixels = np.asarray(plane[window])
    taken = mask if over else mask & (pixels == 0)
    return edit_of(plane, window, np.where(taken, pixels.dtype.type(label), pixels))
