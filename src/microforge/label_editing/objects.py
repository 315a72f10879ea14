"""What is done with one object: delete, merge, fill holes, smooth, grow, shrink.

Each takes a label image ``(Z)YX`` of whole numbers and the place of a pixel of the object, and gives an `Edit`. What
changes the outline changes it on that pixel's plane only: that is the one a person sees.
"""

from collections.abc import Callable, Sequence

import numpy as np
from scipy import ndimage

from microforge.label_editing.edits import Edit, Pixels, edit_of, padded, window_of
from microforge.types import Array

#: Smoothing blurs the outline by this part of the object's width, and at least so many pixels.
_BLUR, _LEAST_BLUR = 0.06, 1.0
#: So many blurs away nothing changes.
_REACH = 4


def delete(labels: Array, at: Sequence[int]) -> Edit:
    """Take an object away, on all planes."""
    return _all_becoming(labels, at, 0)


def merge(labels: Array, keep: Sequence[int], other: Sequence[int]) -> Edit:
    """Make an object part of another; nothing changes where both places lie in the same."""
    return _all_becoming(labels, other, int(labels[tuple(keep)]))


def close_holes(labels: Array, at: Sequence[int]) -> Edit:
    """Fill what an object encloses on its plane; an object in a hole stays."""
    return _reshaped(labels, at, 1, lambda mask: np.asarray(ndimage.binary_fill_holes(mask)))


def smooth(labels: Array, at: Sequence[int]) -> Edit:
    """Smooth the outline of an object on its plane: bumps and dents that are small beside it go."""
    mask, _ = _on_plane(labels, at, 0)
    blur = max(_LEAST_BLUR, _BLUR * float(np.sqrt(mask.sum())))
    return _reshaped(labels, at, int(_REACH * blur) + 1, lambda mask: _blurred(mask, blur))


def grow(labels: Array, at: Sequence[int]) -> Edit:
    """Make an object one pixel larger all around on its plane, where no other object is."""
    return _reshaped(labels, at, 2, lambda mask: np.asarray(ndimage.binary_dilation(mask)))


def shrink(labels: Array, at: Sequence[int]) -> Edit:
    """Make an object one pixel smaller all around on its plane, not where the image ends; it never vanishes."""
    return _reshaped(labels, at, 2, lambda mask: np.asarray(ndimage.binary_erosion(mask, border_value=1)))


def _all_becoming(labels: Array, at: Sequence[int], new: int) -> Edit:
    label, window = int(labels[tuple(at)]), window_of(labels, at)
    pixels = np.asarray(labels[window])
    return edit_of(labels, window, np.where(pixels == label, pixels.dtype.type(new), pixels))


def _reshaped(labels: Array, at: Sequence[int], margin: int, shape_of: Callable[[Pixels], Pixels]) -> Edit:
    """Give an object another shape on its plane: it takes background only, and does not vanish."""
    mask, window = _on_plane(labels, at, margin)
    label, pixels = int(labels[tuple(at)]), np.asarray(labels[window])
    wanted = shape_of(mask)
    if not (wanted & mask).any():
        wanted = mask
    wanted = np.where(wanted.reshape(pixels.shape), label, 0)
    free = (pixels == 0) | (pixels == label)
    return edit_of(labels, window, np.where(free, wanted, pixels).astype(pixels.dtype))


def _on_plane(labels: Array, at: Sequence[int], margin: int) -> tuple[Pixels, tuple[slice, ...]]:
    """Give the mask ``YX`` of an object on the plane of a pixel, and its window in the label image, with a margin."""
    plane = labels[tuple(at[:-2])]
    box = padded(window_of(plane, at[-2:]), margin, plane.shape)
    window = (*(slice(place, place + 1) for place in at[:-2]), *box)
    return np.asarray(plane[box]) == labels[tuple(at)], window


def _blurred(mask: Pixels, blur: float) -> Pixels:
    # Beyond the end of the image the object goes on as it ended.
    return np.asarray(ndimage.gaussian_filter(mask.astype(np.float32), blur, mode="nearest") > 0.5)
