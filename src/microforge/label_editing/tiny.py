"""Objects far too small to be meant: come here for clicks and strokes that were made by accident."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from microforge.label_editing.edits import Edit, together
from microforge.label_editing.objects import delete
from microforge.types import Array

#: What is smaller than this part of the middle object is no object of that kind; with fewer objects nobody knows.
TINY_PART, ENOUGH_TO_TELL = 0.1, 4


class TinyObject(NamedTuple):
    """An object far smaller than the others: its label, its pixels on all planes, and the place of its first."""

    label: int
    pixels: int
    at: tuple[int, ...]


def tiny_objects(labels: Array) -> tuple[TinyObject, ...]:
    """Find the objects with less than a tenth of the median of their pixels; none where there are fewer than four.

    Parameters
    ----------
    labels
        Whole numbers ``(T)(Z)YX``, 0 = background.
    """
    places = np.flatnonzero(labels)
    values, first, pixels = np.unique(labels.ravel()[places], return_index=True, return_counts=True)
    if len(values) < ENOUGH_TO_TELL:
        return ()
    tiny = np.flatnonzero(pixels < TINY_PART * np.median(pixels))
    where = [tuple(map(int, np.unravel_index(places[first[k]], labels.shape))) for k in tiny]
    return tuple(TinyObject(int(values[k]), int(pixels[k]), at) for k, at in zip(tiny, where, strict=True))


def without(labels: Array, tiny: Sequence[TinyObject]) -> Edit | None:
    """Give what takes tiny objects away; None where none of them is there any more."""
    there = [one for one in tiny if labels[one.at] == one.label]
    return together([delete(labels, one.at) for one in there]) if there else None
