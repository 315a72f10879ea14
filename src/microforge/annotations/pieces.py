"""What is annotated on an image, piece by piece: objects, strokes, points; come here for how much there is, and where.

From pieces it is decided what may be kept aside (`data.split`).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from microforge.label_numbers import renumbered
from microforge.types import Doubles, Sample, Window, box_of

#: A stroke this long, in pixels, stands for one piece, a longer one for several: fully annotated images hold few
#: connected pieces, but these show a class at many places.
STROKE = 64


_Row = tuple[str, Window, float, float]


class Enough(NamedTuple):
    """How many pieces there must be before some are kept aside, and how many of a kind are.

    Attributes
    ----------
    total
        Pieces of all kinds together; with fewer, all are learnt from.
    aside
        Pieces of a kind that are kept aside at least, if any are: from so many on its quality can be told.
    learnt
        Pieces of a kind that are learnt from at least where it is measured.
    every
        Whether each kind must be both learnt and measured where a single image is divided.
    """

    total: float = 0
    aside: float = 1
    learnt: float = 1
    every: bool = False


#: Of images that are learnt from as a whole: one is learnt, one measured; of those with classes two are learnt.
WHOLE_IMAGES, CLASSED_IMAGES = Enough(), Enough(learnt=2)
#: Of objects and points. A quarter of 40 is 10, of which a found share of 0.8 is known to 0.13 (binomial standard
#: error); of fewer it says hardly more than a look at the preview, and where there are few each one is missed.
SINGLE_PLACES = Enough(total=40, aside=8, learnt=8)
#: Of classes of pixels: two strokes at least are measured, and more than that learnt.
STROKES = Enough(aside=2, learnt=3, every=True)


@dataclass(frozen=True, eq=False)
class Pieces:
    """What is annotated, one row for each of N pieces.

    Attributes
    ----------
    kind
        Name of the class, or of the kind of cells; empty where there are none. ``(N,)``.
    low, high
        Corners of the box around each piece, in pixels ``(N, (Z)YX)``.
    size
        What it weighs among others of its kind: 1, or pixels. ``(N,)``.
    count
        How many pieces it stands for. ``(N,)``.
    """

    kind: npt.NDArray[Any]
    low: Doubles
    high: Doubles
    size: Doubles
    count: Doubles

    def kinds(self) -> tuple[str, ...]:
        """Give the names that occur, sorted."""
        return tuple(sorted({str(name) for name in self.kind}))

    def sizes(self) -> dict[str, float]:
        """Give what all pieces of each kind weigh."""
        return {name: float(self.size[self.kind == name].sum()) for name in self.kinds()}

    def counts(self) -> dict[str, float]:
        """Give how many pieces there are of each kind."""
        return {name: float(self.count[self.kind == name].sum()) for name in self.kinds()}

    def between(self, axis: int, start: float, stop: float) -> "Pieces":
        """Give what of them lies in a slab; of pieces that reach beyond it, a part in proportion."""
        low, high = self.low[:, axis], self.high[:, axis]
        share = (np.minimum(high, stop) - np.maximum(low, start)).clip(0) / (high - low)
        inside = share > 0
        return Pieces(
            self.kind[inside],
            self.low[inside],
            self.high[inside],
            (self.size * share)[inside],
            (self.count * share)[inside],
        )


def pieces_of_all(pieces: Iterable[Pieces]) -> Pieces:
    """Give the pieces of several samples (time points of a series) as those of one; of one at least.

    Among stacks, planes are taken for stacks of one plane: whoever trains is told later that they do not go together.
    """
    given = list(pieces)
    dims = max(one.low.shape[1] for one in given)
    return Pieces(
        np.concatenate([one.kind for one in given]),
        np.concatenate([_padded(one.low, dims, 0) for one in given]),
        np.concatenate([_padded(one.high, dims, 1) for one in given]),
        np.concatenate([one.size for one in given]),
        np.concatenate([one.count for one in given]),
    )


def _padded(corners: Doubles, dims: int, value: float) -> Doubles:
    return np.pad(corners, ((0, 0), (dims - corners.shape[1], 0)), constant_values=value)


def of_image(sample: Sample) -> Pieces:
    """Give an image that is learnt from as a whole as one piece, which weighs as much as is known of it."""
    if not sample.known_size:
        return _pieces([], sample)
    everywhere = tuple(slice(0, length) for length in sample.image.shape[1:])
    box = everywhere if sample.mask is None else box_of(sample.mask)
    return _pieces([(sample.class_name, box, sample.known_size, 1.0)], sample)


def of_objects(sample: Sample) -> Pieces:
    """Give the objects that are learnt from in a sample: those with a pixel where it is known."""
    # All commands import this module.
    from scipy import ndimage

    labels = sample.annotation
    if labels is None:
        return _pieces([], sample)
    mask = None if sample.partly_painted else sample.mask
    known = renumbered(labels if mask is None else np.where(mask, labels, 0))
    return _pieces([("", box, 1.0, 1.0) for box in ndimage.find_objects(known) if box is not None], sample)


def of_points(sample: Sample) -> Pieces:
    """Give the points of a sample where it is known, each of its kind."""
    points = sample.points
    if points is None:
        return _pieces([], sample)
    known = sample.known_points(points)
    at, one = known.coordinates.astype(float), np.ones(len(known))
    return Pieces(np.array(points.kinds, object)[known.kind], at - 0.5, at + 0.5, one, one)


def of_strokes(sample: Sample, names: Mapping[int, str]) -> Pieces:
    """Give the connected pieces of each class of pixels; `names` are the values that count, and their classes."""
    labels = sample.annotation
    if labels is None or not sample.known_size:
        return _pieces([], sample)
    within = box_of(sample.known)
    masks = {name: sample.known[within] & (labels[within] == value) for value, name in names.items()}
    corner = [side.start for side in within]
    return _pieces([_moved((name, *one), corner) for name, mask in masks.items() for one in _strokes(mask)], sample)


def _strokes(mask: npt.NDArray[np.bool_]) -> Iterator[tuple[Window, float, float]]:
    """Give box, pixels and count of each connected piece of a class."""
    # As above.
    from scipy import ndimage

    parts, _ = ndimage.label(mask, np.ones((3,) * mask.ndim))
    pixels = np.bincount(parts[mask])
    for number, box in enumerate(ndimage.find_objects(parts), start=1):
        yield box, float(pixels[number]), max(1.0, max(side.stop - side.start for side in box) / STROKE)


def _moved(row: _Row, corner: Sequence[int]) -> _Row:
    name, box, size, count = row
    moved = tuple(slice(side.start + by, side.stop + by) for side, by in zip(box, corner, strict=True))
    return name, moved, size, count


def _pieces(rows: Sequence[_Row], sample: Sample) -> Pieces:
    corners = np.array([[(side.start, side.stop) for side in box] for _, box, _, _ in rows], float)
    corners = corners.reshape(len(rows), sample.image.ndim - 1, 2)
    size, count = (np.array([row[k] for row in rows], float) for k in (2, 3))
    return Pieces(np.array([row[0] for row in rows], object), corners[..., 0], corners[..., 1], size, count)
