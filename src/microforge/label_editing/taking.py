"""Take objects that a network found into what a person painted; come here when a taken object bites one of hers.

What a person painted wins wherever both overlap. A found object is *known* when she has painted it: when hers cover
most of it, or it covers most of one of hers.
"""

from collections.abc import Collection, Mapping

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from microforge.label_editing.edits import Edit, Pixels, edit_of, together
from microforge.label_numbers import label_sizes, renumbered
from microforge.types import Array, Window

_Numbers = npt.NDArray[np.int64]

#: More than this part of an object is most of it.
_MOST = 0.5
#: From which confidence on found objects are taken together, and asked about.
_CONFIDENT = 0.6
#: So many found objects are worth a question, or this part of what is painted if that is more.
_FEWEST, _PART = 5, 0.25
#: How many times smaller than the smallest painted object a found one may be to be asked about, and larger than the
#: largest.
_SMALLER, _LARGER = 4.0, 4.0
#: The label of what is said to be background.
_BACKGROUND = 1


def take(labels: Array, found: Array, chosen: Collection[int], first: int) -> Edit:
    """Give some of the found objects labels of their own, where nothing is painted.

    Parameters
    ----------
    labels
        What is painted, whole numbers ``(Z)YX``.
    found
        What a network found, whole numbers ``(Z)YX``, of the same shape.
    chosen
        The labels in `found` of the objects that are taken. Of one that painted objects cut into pieces the largest is
        taken; of one that they cover, nothing.
    first
        The label of the first object taken; the others follow.
    """
    values, compact = _compact(found)
    boxes = ndimage.find_objects(compact)
    places = [int(place) for place in np.flatnonzero(np.isin(values, list(chosen))) if place]
    parts = [_free_part(labels, compact, place, boxes[place - 1]) for place in places]
    parts = [part for part in parts if len(part[0])]
    if not parts:
        nothing = tuple(slice(0, 0) for _ in labels.shape)
        return edit_of(labels, nothing, labels[nothing])
    return together([_becoming(labels, part, first + number) for number, part in enumerate(parts)])


def take_classes(labels: Array, found: Array) -> Edit:
    """Give pixels that nobody has painted the class that a network found there."""
    where = np.nonzero((labels == 0) & (found > 0))
    return Edit(where, np.asarray(labels[where]), np.asarray(found[where]).astype(labels.dtype, copy=False))


def take_as_background(ground: Array, labels: Array, found: Array, chosen: Collection[int]) -> Edit:
    """Say that some of the found objects are background; never where an object is painted.

    Parameters
    ----------
    ground
        What is said to be background already, 0 where nothing is, of the shape of `labels` and `found`.
    """
    inside = np.isin(found, list(chosen)) & (found > 0) & (labels == 0) & (ground == 0)
    return _becoming(ground, np.nonzero(inside), _BACKGROUND)


def unknown(labels: Array, found: Array) -> _Numbers:
    """Give the labels of the found objects that nobody has painted, ascending."""
    values, compact = _compact(found)
    hers, sizes = renumbered(labels), np.bincount(compact.ravel(), minlength=len(values))
    both = (compact > 0) & (hers > 0)
    here, over = compact[both].astype(np.int64), hers[both].astype(np.int64)
    known = np.bincount(here, minlength=len(values)) > _MOST * sizes
    most = int(hers.max(initial=0)) + 1
    pairs, counts = np.unique(here * most + over, return_counts=True)
    whole = np.bincount(hers.ravel(), minlength=most)
    known[pairs[counts > _MOST * whole[pairs % most]] // most] = True
    return np.asarray(values[(sizes > 0) & ~known & (values > 0)], np.int64)


def confident(labels: Array, found: Array, confidence: Mapping[int, float], ground: Pixels | None = None) -> _Numbers:
    """Give the labels of the found objects that nobody has painted and that the network is sure of.

    Parameters
    ----------
    confidence
        Of each found object, 0 to 1; one without is taken for sure.
    ground
        Where a person has said that there is background, bool ``(Z)YX``: what lies mostly there is left out.
    """
    sure = np.array([one for one in unknown(labels, found) if confidence.get(int(one), 1.0) >= _CONFIDENT], np.int64)
    if ground is None or not ground.any():
        return sure
    return sure[_sizes(np.where(ground, found, 0), sure) <= _MOST * _sizes(found, sure)]


def worth_asking(
    labels: Array, found: Array, confidence: Mapping[int, float], ground: Pixels | None = None
) -> _Numbers:
    """Give the found objects to ask about, as a person has not said what is there; none where they matter little.

    They are confident, about as large as what is painted, and many beside it: a network that learns them as background
    unlearns what it found right.

    Parameters
    ----------
    confidence, ground
        As of `confident`.
    """
    painted = label_sizes(labels)
    if not len(painted):
        return np.zeros(0, np.int64)
    sure = confident(labels, found, confidence, ground)
    sizes = _sizes(found, sure)
    asked = (sizes * _SMALLER >= painted.min()) & (sizes <= _LARGER * painted.max())
    return sure[asked] if asked.sum() >= max(_FEWEST, _PART * len(painted)) else sure[:0]


def _free_part(labels: Array, compact: Array, place: int, window: Window) -> tuple[npt.NDArray[np.intp], ...]:
    """Give the places of the largest piece of a found object that nobody has painted on."""
    mask = compact[window] == place
    free = mask & (labels[window] == 0)
    if free.sum() < mask.sum():
        free = _largest_piece(free)
    return tuple(places + part.start for places, part in zip(np.nonzero(free), window, strict=True))


def _largest_piece(mask: Pixels) -> Pixels:
    pieces, count = ndimage.label(mask, np.ones((3,) * mask.ndim))
    return mask if count < 2 else np.asarray(pieces == 1 + int(np.argmax(np.bincount(pieces.ravel())[1:])))


def _becoming(labels: Array, where: tuple[npt.NDArray[np.intp], ...], label: int) -> Edit:
    old = np.asarray(labels[where])
    return Edit(where, old, np.full(len(old), label, labels.dtype))


def _compact(found: Array) -> tuple[Array, Array]:
    """Give the labels that may occur, ascending from 0, and the label image with their places among them instead."""
    compact = renumbered(found)
    if compact.size == 0 or found.max() <= found.size:
        return np.arange(int(compact.max(initial=0)) + 1), compact
    return np.unique(np.append(found.ravel(), found.dtype.type(0))), compact


def _sizes(found: Array, chosen: _Numbers) -> _Numbers:
    """Give the number of pixels of each of some labels."""
    values, compact = _compact(found)
    sizes = np.bincount(compact.ravel(), minlength=len(values))
    places = np.minimum(np.searchsorted(values, chosen), len(values) - 1)
    return np.where(values[places] == chosen, sizes[places], 0).astype(np.int64)
