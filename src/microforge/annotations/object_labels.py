"""Labels of objects that cannot be meant so: numbers cut off at 255 or 65,535, and a background that has a number.

Come here when separate objects of one number stay one, or good labels are refused as inverted.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from scipy import ndimage

from microforge.errors import AnnotationError
from microforge.types import Array, Window

#: The largest numbers of the file types that labels are kept in, and from which part on they count as used up.
_TOPS = (2**8 - 1, 2**16 - 1)
_USED_UP = 0.9
#: With nearly all numbers in use one more piece is enough; otherwise so many labels, and such a part of them.
_FULL = 0.8
_FEWEST_TORN = 3
_TORN_PART = 0.02
_FEWEST_USED = 0.25
#: So few numbers, each for several pieces, are those of classes or colours.
_FEW_NUMBERS = 32
_PIECES_PER_NUMBER = 3
#: What is smaller beside the largest piece of its label is a crumb.
_CRUMB = 0.1
_SMALLEST_GAP, _NEAR = 10, 4
_SMALLEST_SIDE = 16
_BORDER_PART, _AREA_PART = 0.7, 0.3


class _Piece(NamedTuple):
    """A connected piece of a label: its number among all pieces, its box and its size in pixels."""

    number: int
    box: Window
    size: int


class Separation(NamedTuple):
    """Labels with pieces far apart told apart.

    Attributes
    ----------
    torn
        How many labels were in several pieces far apart; 0: nothing was changed.
    top
        The largest number of a file type that was used up; 0 where numbers were given to several objects on purpose.
    """

    labels: Array
    torn: int = 0
    top: int = 0


def separated(labels: Array) -> Separation:
    """Give pieces far apart numbers of their own where their number says nothing.

    That is where the numbers of the file's type were used up and counted from the start again, and where few numbers
    stand for many pieces, as those of classes, or colours used in turn.

    Parameters
    ----------
    labels
        Of objects, int32 ``(Z)YX``.
    """
    top = next((top for top in _TOPS if labels.size and _USED_UP * top < labels.max() <= top), 0)
    few = labels.size > 0 and len(np.unique(labels)) <= _FEW_NUMBERS + 1
    if not top and not few:
        return Separation(labels)
    from skimage.measure import label

    pieces = np.asarray(label(labels, background=0))
    found = _pieces_of(labels, pieces)
    groups = {value: _apart(own, _reach(own[0].box)) for value, own in found.items()}
    torn = [own for own in groups.values() if len(own) > 1]
    if few and _are_reused(groups):
        return Separation(pieces.astype(labels.dtype), len(torn))
    if top and _are_used_up(len(groups), len(torn), top):
        # Now that it is known, pieces need not be as far apart as those that told it.
        torn = [own for one in found.values() if len(own := _apart(one, _NEAR)) > 1]
        return Separation(_numbered_apart(labels, pieces, torn), len(torn), top)
    return Separation(labels)


def _are_used_up(labels: int, torn: int, top: int) -> bool:
    fewest = 1 if labels > _FULL * top else max(_FEWEST_TORN, _TORN_PART * labels)
    return labels >= _FEWEST_USED * min(_TOPS) and torn >= fewest


def _are_reused(groups: Mapping[int, Sequence[object]]) -> bool:
    """Whether most numbers stand for several pieces, and all together for many more pieces than numbers."""
    many = [len(own) for own in groups.values()]
    return sum(many) >= _PIECES_PER_NUMBER * len(many) and sum(number > 1 for number in many) > len(many) / 2


def _pieces_of(labels: Array, pieces: Array) -> dict[int, list[_Piece]]:
    """Give the pieces of each label, the largest first."""
    sizes = np.bincount(pieces.ravel()).tolist()
    found: dict[int, list[_Piece]] = {}
    for number, box in enumerate(ndimage.find_objects(pieces), start=1):
        here = pieces[box] == number
        found.setdefault(int(labels[box][here][0]), []).append(_Piece(number, box, sizes[number]))
    return {value: sorted(own, key=lambda piece: -piece.size) for value, own in found.items()}


def _apart(pieces: Sequence[_Piece], reach: float) -> list[list[_Piece]]:
    """Put the pieces of a label that lie within so many pixels together; crumbs go with what is nearest."""
    groups: list[list[_Piece]] = []
    for piece in pieces:
        near = [group for group in groups if _gap(group[0].box, piece.box) <= reach]
        crumb = bool(groups) and piece.size < _CRUMB * pieces[0].size
        if near or crumb:
            min(near or groups, key=lambda group: _gap(group[0].box, piece.box)).append(piece)
        else:
            groups.append([piece])
    return groups


def _gap(one: Window, other: Window) -> int:
    return max(int(max(a.start - b.stop, b.start - a.stop)) for a, b in zip(one, other, strict=True))


def _reach(box: Window) -> float:
    return max(_SMALLEST_GAP, max(int(side.stop - side.start) for side in box) / 2)


def _numbered_apart(labels: Array, pieces: Array, torn: Sequence[Sequence[Sequence[_Piece]]]) -> Array:
    numbers = np.zeros(int(pieces.max()) + 1, labels.dtype)
    new = int(labels.max())
    for groups in torn:
        for group in groups[1:]:
            new += 1
            numbers[[piece.number for piece in group]] = new
    own = numbers[pieces]
    return np.where(own > 0, own, labels)


def check_not_inverted(labels: Array, where: str) -> None:
    """Refuse labels of objects in which the background has a number.

    Parameters
    ----------
    labels
        ``(Z)YX``, complete: nothing is unknown.

    Raises
    ------
    AnnotationError
        If one label covers nearly all of the border and lies around everything else.
    """
    value = _value_around(labels)
    if value and _has_inside(labels != value):
        raise AnnotationError(
            f"The mask looks inverted: the number {value} lies along the border and around everything else, as "
            "background does, but background must be 0.",
            where=where,
            remedy=f"Invert the mask (Fiji: Edit > Invert), or give the pixels of the number {value} the number 0.",
        )


def _value_around(labels: Array) -> int:
    """Give the number that covers nearly all of the border and much of the image, 0 if none does."""
    if min(labels.shape[-2:], default=0) < _SMALLEST_SIDE:
        return 0
    sides = list(_sides(labels))
    numbers, counts = np.unique(np.concatenate(sides), return_counts=True)
    value = int(numbers[counts.argmax()])
    around = all(np.mean(side == value) > 0.5 for side in sides) and counts.max() > _BORDER_PART * counts.sum()
    return value if around and np.mean(labels == value) > _AREA_PART else 0


def _sides(labels: Array) -> Iterator[Array]:
    return (side.ravel() for side in (labels[..., 0, :], labels[..., -1, :], labels[..., 0], labels[..., -1]))


def _has_inside(other: Array) -> bool:
    """Whether any piece of some size keeps away from the border."""
    pieces, _ = ndimage.label(other)
    sizes = np.bincount(np.asarray(pieces).ravel())
    sizes[np.unique(np.concatenate(list(_sides(np.asarray(pieces)))))] = 0
    return bool((sizes[1:] >= 9).any())
