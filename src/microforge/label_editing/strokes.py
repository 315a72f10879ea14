"""What a stroke of the brush means: which pixels it passed over, and whose they are.

A stroke that lies mostly on objects goes on with the one it lies on most, also where it began beside it. In stacks one
that lies over an object of the next plane goes on with that. Any other is an object of its own.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from microforge.label_editing.edits import Edit, Pixels, edit_of, window_of
from microforge.types import Array, Doubles, Window

#: More than this part of a stroke must lie on objects for it to go on with one; of a stroke, or of what it lies over on
#: the next plane, to go on with that.
_MOSTLY = 0.5
#: Dimensions of a plane.
_PLANE = 2


@dataclass(frozen=True)
class Stroke:
    """The pixels that a brush passed over, also those that it did not change.

    Attributes
    ----------
    window
        Where they are in the label image ``(Z)YX``.
    mask
        Which of the window's pixels they are.
    """

    window: Window
    mask: Pixels


def stroke_of(edit: Edit) -> Stroke:
    """Give the pixels of an edit, at least one, as if a brush had passed over them."""
    window = tuple(slice(int(places.min()), int(places.max()) + 1) for places in edit.where)
    mask = np.zeros([part.stop - part.start for part in window], np.bool_)
    mask[tuple(places - part.start for places, part in zip(edit.where, window, strict=True))] = True
    return Stroke(window, mask)


def footprint(path: Doubles, radius: float, shape: Sequence[int], steps: Sequence[float] | None = None) -> Stroke:
    """Give the pixels under a round brush that was moved along a path.

    Parameters
    ----------
    path
        Places of the brush's middle, float64 ``(N, (Z)YX)`` in pixels, in the order in which it was there.
    radius
        Half of the brush's width in pixels of the finest axis.
    shape
        The size of the label image; what lies outside is left out.
    steps
        How many of those pixels a step along each axis is; an axis that the brush does not reach along has infinity.
    """
    far = np.ones(len(shape)) if steps is None else np.asarray(steps, np.float64)
    places = _dense(path, max(1.0, radius / 4))
    lines, reach = _lines(radius, far)
    starts = (places[:, None, :-1] + lines[None]).reshape(-1, len(shape) - 1)
    first = np.maximum(places[:, -1:] - reach, 0).ravel()
    last = np.minimum(places[:, -1:] + reach + 1, shape[-1]).ravel()
    kept = np.all((starts >= 0) & (starts < np.asarray(shape[:-1])), axis=1) & (first < last)
    if not kept.any():
        return Stroke(tuple(slice(0, 0) for _ in shape), np.zeros((0,) * len(shape), np.bool_))
    return _filled(starts[kept], first[kept], last[kept])


def draw_line(labels: Array, path: Doubles, radius: float, label: int, *, over: bool) -> Edit:
    """Draw a line ``(N, (Z)YX)`` of this radius, in pixels, on background or else only over objects."""
    line = footprint(path, radius, labels.shape)
    pixels = np.asarray(labels[line.window])
    drawn = line.mask & ((pixels != 0) if over else (pixels == 0))
    return edit_of(labels, line.window, np.where(drawn, pixels.dtype.type(label), pixels))


def continued(labels: Array, stroke: Stroke, painted: int) -> int:
    """Give the label of the object that a stroke goes on with; 0 where it is a new one.

    Parameters
    ----------
    labels
        Whole numbers ``(Z)YX``, after the stroke, which took background only.
    painted
        The label that the stroke was painted with, which nothing else has.
    """
    under = np.asarray(labels[stroke.window])[stroke.mask]
    others = under[(under != 0) & (under != painted)]
    return _commonest(others)[0] if len(others) > _MOSTLY * len(under) else 0


def over_next_plane(labels: Array, stroke: Stroke) -> int:
    """Give the label of the object of the plane before or after that a stroke lies over; 0 where there is none.

    Parameters
    ----------
    labels
        Whole numbers ``ZYX``.
    """
    first = stroke.window[0]
    if labels.ndim <= _PLANE or first.stop - first.start != 1:
        return 0
    near = [first.start + step for step in (-1, 1) if 0 <= first.start + step < labels.shape[0]]
    found = [_over(labels[plane], stroke) for plane in near]
    return max(found, key=lambda one: one[1], default=(0, 0))[0]


def relabel(labels: Array, stroke: Stroke, painted: int, label: int) -> Edit:
    """Make what a stroke painted part of another object."""
    pixels = np.asarray(labels[stroke.window])
    return edit_of(labels, stroke.window, np.where(pixels == painted, pixels.dtype.type(label), pixels))


def _over(plane: Array, stroke: Stroke) -> tuple[int, int]:
    """Give the object of another plane that a stroke lies over, and by how many pixels; zeros where there is none."""
    pixels = np.asarray(plane[stroke.window[1:]])
    mask = stroke.mask[0] & (pixels != 0)
    if not mask.any():
        return 0, 0
    label, count = _commonest(pixels[mask])
    inside = np.argwhere((pixels == label) & mask)[0]
    at = tuple(int(place) + part.start for place, part in zip(inside, stroke.window[1:], strict=True))
    whole = int((np.asarray(plane[window_of(plane, at)]) == label).sum())
    return (label, count) if count > _MOSTLY * min(whole, int(stroke.mask.sum())) else (0, 0)


def _commonest(labels: Array) -> tuple[int, int]:
    """Give the label that occurs most, and how often."""
    values, counts = np.unique(labels, return_counts=True)
    return int(values[counts.argmax()]), int(counts.max())


def _dense(path: Doubles, step: float) -> Array:
    """Give whole places along a path, no further apart than a step."""
    parts = [path[:1]]
    for start, end in pairwise(path):
        count = max(1, int(np.ceil(np.linalg.norm(end - start) / step)))
        parts.append(start + (end - start) * np.linspace(0, 1, count + 1)[1:, None])
    return np.unique(np.round(np.concatenate(parts)).astype(np.intp), axis=0)


def _lines(radius: float, steps: Doubles) -> tuple[Array, Array]:
    """Give a ball as lines along the last axis: their places along the other axes, and how far each reaches."""
    reach = [int(radius / step) for step in steps[:-1]]
    places = np.stack(np.meshgrid(*(np.arange(-far, far + 1) for far in reach), indexing="ij"), axis=-1)
    places = places.reshape(-1, len(reach))
    left = radius**2 - ((places * np.where(np.isfinite(steps[:-1]), steps[:-1], 0.0)) ** 2).sum(axis=1)
    inside = left >= 0
    return places[inside], (np.sqrt(left[inside]) / steps[-1]).astype(np.intp)


def _filled(places: Array, first: Array, last: Array) -> Stroke:
    """Give all pixels of lines along the last axis, from the first to before the last."""
    low = np.array([*places.min(axis=0), first.min()])
    size = np.array([*places.max(axis=0) + 1, last.max()]) - low
    ends = np.zeros((*size[:-1], size[-1] + 1), np.int32)
    others = tuple((places - low[:-1]).T)
    np.add.at(ends, (*others, first - low[-1]), 1)
    np.add.at(ends, (*others, last - low[-1]), -1)
    mask = np.cumsum(ends, axis=-1)[..., :-1] > 0
    return Stroke(tuple(slice(int(a), int(a + n)) for a, n in zip(low, size, strict=True)), mask)
