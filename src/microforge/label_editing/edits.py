"""`Edit`: the pixels of a label image that change, and windows to find them in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from microforge.types import Array, Window, box_of

#: Which pixels of a window are meant.
Pixels = npt.NDArray[np.bool_]
#: Pixels of a label image that are searched in a moment; in larger ones an object is looked for around a pixel of it.
_AT_ONCE = 1 << 22
#: So far around a pixel its object is looked for first.
_FIRST_REACH = 48


@dataclass(frozen=True)
class Edit:
    """Pixels that change.

    Attributes
    ----------
    where
        Their places: an array of whole numbers for each axis of the label image.
    old, new
        Their labels before and after, of the label image's dtype.
    """

    where: tuple[npt.NDArray[np.intp], ...]
    old: Array
    new: Array

    def __len__(self) -> int:
        return len(self.old)

    def placed(self, fixed: Mapping[int, int]) -> "Edit":
        """Give the same edit in an array that has further axes; `fixed` says at which place along each."""
        own, axes = iter(self.where), range(len(self.where) + len(fixed))
        places = (np.full(len(self), fixed[axis], np.intp) if axis in fixed else next(own) for axis in axes)
        return Edit(tuple(places), self.old, self.new)

    def back(self) -> "Edit":
        """Give what takes this edit back."""
        return Edit(self.where, self.new, self.old)

    def becoming(self, label: int) -> "Edit":
        """Give the same pixels another label."""
        return Edit(self.where, self.old, np.full_like(self.new, label))

    def still_true(self, labels: Array) -> "Edit":
        """Give what of it can be done yet: pixels that others have changed since are left out."""
        same = np.asarray(labels[self.where]) == self.old
        return Edit(tuple(places[same] for places in self.where), self.old[same], self.new[same])


def edit_of(labels: Array, window: Window, wanted: Array) -> Edit:
    """Give what must change for a window of a label image to become as wanted."""
    old = np.asarray(labels[window])
    inside = np.nonzero(old != wanted)
    where = tuple(places + part.start for places, part in zip(inside, window, strict=True))
    return Edit(where, old[inside], wanted[inside].astype(old.dtype, copy=False))


def together(edits: Sequence[Edit]) -> Edit:
    """Give one edit for several that have no pixel in common, at least one."""
    where = tuple(np.concatenate(places) for places in zip(*(edit.where for edit in edits), strict=True))
    return Edit(where, np.concatenate([edit.old for edit in edits]), np.concatenate([edit.new for edit in edits]))


def window_of(labels: Array, at: Sequence[int]) -> Window:
    """Give the box around the object that has a pixel.

    Parameters
    ----------
    labels
        Whole numbers ``(Z)YX``.
    at
        The place of a pixel of the object.

    Notes
    -----
    In large images the object is looked for around that pixel, on all planes, until nothing more of it is near.
    """
    label, reach = labels[tuple(at)], _FIRST_REACH
    while True:
        around = _around(at, reach, labels.shape)
        box = box_of(np.asarray(labels[around]) == label)
        found = shifted(box, around)
        if around == whole(labels.shape) or _lies_within(found, around, labels.shape):
            return found
        reach *= 4


def whole(shape: Sequence[int]) -> Window:
    """Give the window that is all of an array."""
    return tuple(slice(0, length) for length in shape)


def padded(window: Window, margin: int, shape: Sequence[int]) -> Window:
    """Give a window with a margin along rows and columns, as far as the image reaches."""
    first = len(shape) - 2
    return tuple(
        slice(max(0, part.start - margin), min(length, part.stop + margin)) if axis >= first else part
        for axis, (part, length) in enumerate(zip(window, shape, strict=True))
    )


def shifted(inner: Window, outer: Window) -> Window:
    """Give a window within another as a window of the whole."""
    return tuple(slice(a.start + b.start, a.stop + b.start) for a, b in zip(inner, outer, strict=True))


def _around(at: Sequence[int], reach: int, shape: Sequence[int]) -> Window:
    if int(np.prod(shape)) <= _AT_ONCE:
        return whole(shape)
    first = len(shape) - 2
    return tuple(
        slice(max(0, place - reach), min(length, place + reach + 1)) if axis >= first else slice(0, length)
        for axis, (place, length) in enumerate(zip(at, shape, strict=True))
    )


def _lies_within(found: Window, around: Window, shape: Sequence[int]) -> bool:
    """Whether an object touches the edge of the window only where the image ends."""
    return all(
        (part.start > outer.start or outer.start == 0) and (part.stop < outer.stop or outer.stop == length)
        for part, outer, length in zip(found, around, shape, strict=True)
    )
