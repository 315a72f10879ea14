"""Objects far too small to be meant: come here for clicks and strokes that were made by accident."""

from collections import Counter
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
    sizes = _sizes(labels)
    if len(sizes) < ENOUGH_TO_TELL:
        return ()
    least = TINY_PART * float(np.median(list(sizes.values())))
    tiny = [label for label in sorted(sizes) if sizes[label] < least]
    return tuple(TinyObject(label, sizes[label], _first_pixel(labels, label)) for label in tiny)


def _sizes(labels: Array) -> "Counter[int]":
    """Count the pixels of each label, plane by plane: counting all at once would need twice the memory."""
    total: Counter[int] = Counter()
    for plane in labels.reshape(-1, *labels.shape[-2:]):
        if plane.max(initial=0) <= plane.size:
            counts = np.bincount(plane.ravel())
            values = np.flatnonzero(counts)
            counts = counts[values]
        else:
            values, counts = np.unique(plane, return_counts=True)
        total.update(dict(zip(values.tolist(), counts.tolist(), strict=True)))
    del total[0]
    return total


def _first_pixel(labels: Array, label: int) -> tuple[int, ...]:
    return tuple(int(place) for place in np.unravel_index(int(np.argmax(labels == label)), labels.shape))


def without(labels: Array, tiny: Sequence[TinyObject]) -> Edit | None:
    """Give what takes tiny objects away; None where none of them is there any more."""
    there = [one for one in tiny if labels[one.at] == one.label]
    return together([delete(labels, one.at) for one in there]) if there else None
