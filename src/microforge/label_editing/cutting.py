"""Cut an object in two along a line that was drawn across it."""

from collections.abc import Sequence

import numpy as np
from scipy import ndimage

from microforge.label_editing.edits import Edit, Pixels, edit_of, window_of
from microforge.label_editing.outlines import outline_pixels
from microforge.types import Array, Doubles

#: The line is drawn on at both ends by so many pixels: a hand stops a little early.
_FURTHER = 3.0
#: What falls off and is a smaller part of the object than this is a crumb and stays with what is next to it.
_CRUMB = 0.01


def crossed(plane: Array, path: Doubles) -> tuple[int, ...]:
    """Give a pixel of the object that a line ``(N, YX)`` passes over most; nothing where it passes over none."""
    rows, columns = _inside(path, plane.shape)
    under = plane[rows, columns]
    values, counts = np.unique(under[under != 0], return_counts=True)
    if not len(values):
        return ()
    first = int(np.flatnonzero(under == values[counts.argmax()])[0])
    return int(rows[first]), int(columns[first])


def split(labels: Array, at: Sequence[int], path: Doubles, fresh: int) -> Edit:
    """Cut an object along a line, through all planes; nothing changes where the line does not cut it through.

    Parameters
    ----------
    labels
        Whole numbers ``(Z)YX``.
    at
        The place of a pixel of the object.
    path
        The line, ``(N, YX)`` in pixels.
    fresh
        The label of the first piece that is cut off; further pieces have the next ones. The largest keeps its label.
    """
    window = window_of(labels, at)
    pixels = np.asarray(labels[window])
    mask = pixels == labels[tuple(at)]
    line = _drawn(_longer(path), window[-2:], mask.shape[-2:])
    pieces = _pieces(mask, line)
    if pieces.max(initial=0) < 2:
        return edit_of(labels, window, pixels)
    numbers = np.array([0, int(labels[tuple(at)]), *range(fresh, fresh + int(pieces.max()) - 1)])
    return edit_of(labels, window, np.where(mask, numbers[pieces], pixels).astype(pixels.dtype))


def _pieces(mask: Pixels, line: Pixels) -> Array:
    """Number what the line cuts an object into: 1 is the largest, with all that the line does not touch."""
    parts, count = ndimage.label(mask & ~line)
    sizes = np.bincount(parts.ravel(), minlength=count + 1)
    beside = np.unique(parts[ndimage.binary_dilation(np.broadcast_to(line, mask.shape)) & mask])
    cut = np.array([part for part in beside if part and sizes[part] >= _CRUMB * mask.sum()], np.intp)
    numbers = np.ones(count + 1, np.intp)
    numbers[0] = 0
    for number, part in enumerate(sorted(cut, key=lambda part: -sizes[part])):
        numbers[part] = number + 1
    # The line itself, and crumbs, go to what is nearest.
    known = np.isin(parts, cut)
    crumbs = mask & (line | ((parts > 0) & ~known & np.isin(parts, beside)))
    if not known.any():
        return mask.astype(np.intp)
    nearest = ndimage.distance_transform_edt(~known, return_distances=False, return_indices=True)
    found = numbers[parts]
    found[crumbs] = numbers[parts[tuple(nearest)]][crumbs]
    return np.asarray(found)


def _drawn(path: Doubles, window: Sequence[slice], shape: Sequence[int]) -> Pixels:
    line = np.zeros(tuple(shape), np.bool_)
    line[_inside(path - np.array([part.start for part in window]), shape)] = True
    return line


def _longer(path: Doubles) -> Doubles:
    """Draw a line on at both ends, in the direction it has there."""
    if len(path) < 2:
        return path
    return np.concatenate([[_beyond(path[1], path[0])], path, [_beyond(path[-2], path[-1])]])


def _beyond(start: Doubles, end: Doubles) -> Doubles:
    length = float(np.linalg.norm(end - start))
    return end + (end - start) * (_FURTHER / length if length else 0.0)


def _inside(path: Doubles, shape: Sequence[int]) -> tuple[Array, Array]:
    rows, columns = outline_pixels(path)
    inside = (rows >= 0) & (rows < shape[0]) & (columns >= 0) & (columns < shape[1])
    return rows[inside], columns[inside]
