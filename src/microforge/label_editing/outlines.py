"""Outlines drawn in one go: which pixels they pass, and what they enclose."""

from collections.abc import Sequence

import numpy as np
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
    rows, columns = outline_pixels(path, closed=True)
    inner = draw.polygon(*np.asarray(path, np.float64).T)
    rows, columns = np.concatenate([rows, inner[0]]), np.concatenate([columns, inner[1]])
    inside = (rows >= 0) & (rows < shape[0]) & (columns >= 0) & (columns < shape[1])
    rows, columns = rows[inside], columns[inside]
    if not len(rows):
        return (slice(0, 0), slice(0, 0)), np.zeros((0, 0), np.bool_)
    window = slice(int(rows.min()), int(rows.max()) + 1), slice(int(columns.min()), int(columns.max()) + 1)
    mask = np.zeros((window[0].stop - window[0].start, window[1].stop - window[1].start), np.bool_)
    mask[rows - window[0].start, columns - window[1].start] = True
    return window, mask


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
