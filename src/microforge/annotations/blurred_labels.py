"""Labels that were treated as pictures: come here when good labels are refused as blurred, or blurred ones taken.

Compression with loss, resizing with interpolation and blurring leave numbers between those that were painted. They show
as slivers: pieces of one value nowhere three pixels wide, on the rims of others and far more of them than of objects.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from microforge.errors import AnnotationError
from microforge.types import Array

#: One window of each image is looked at, at most so many pixels high and wide: slivers are everywhere.
_WINDOW = 768
_FEWEST_SLIVERS = 20
#: Objects may have a torn rim, but not several times more slivers than there are objects.
_SLIVERS_PER_OBJECT = 3
#: So many values that are slivers too may still be objects or classes that were painted so.
_FEW_VALUES = 8
_FEW_HOLLOW_VALUES = 3
_REACH = 3
#: Strokes of the brush that cross are cut into slivers that are longer.
_LONGEST = 8
#: A mask that faded has values near white, or a few between black and white all over.
_WHITE, _NEARLY_WHITE = 250, 8
_SLIVERS_PER_GREY = 20


class _Slivers(NamedTuple):
    """What is found in a window: how many slivers, of how many pixels on average and how many values, how they lie.

    `hollow`: none of their values has a larger piece; `faded`: all are near black, or near white.
    """

    number: int
    pixels: float
    values: int
    hollow: bool
    white: bool
    faded: bool
    solid: int
    beside_solid: float
    between: float

    @property
    def are_rims(self) -> bool:
        """Whether they are rims of things, with values between those on both sides."""
        values = (2 if self.faded else _FEW_HOLLOW_VALUES) if self.hollow else _FEW_VALUES
        many = self.values >= values and self.number >= _SLIVERS_PER_OBJECT * max(1, self.solid)
        return many and self.beside_solid > 0.5 and self.between > 0.5

    @property
    def are_noise(self) -> bool:
        """Whether each value is strewn all over, as in what is left of strong compression."""
        strewn = self.values >= _FEW_VALUES and self.number >= _SLIVERS_PER_OBJECT * self.values
        short = self.pixels < _LONGEST or self.number >= _SLIVERS_PER_GREY * self.values
        return strewn and short and self.number > self.solid

    @property
    def are_greys(self) -> bool:
        """Whether a mask of black and white has few values between them, but everywhere."""
        strewn = self.values >= _FEW_HOLLOW_VALUES and self.number >= _SLIVERS_PER_GREY * self.values
        return self.white and strewn and self.between > 0.5 and self.number > _SLIVERS_PER_OBJECT * self.solid


def check_not_blurred(labels: Array, where: str) -> None:
    """Refuse labels whose numbers were changed by compression, interpolation or blur.

    Parameters
    ----------
    labels
        Whole numbers ``(Z)YX``, 0 = background, of objects or of classes.
    where
        The image or layer, for the message.

    Raises
    ------
    AnnotationError
        If most pieces are slivers of numbers between others.
    """
    found = _slivers(_window(labels))
    if found is None or not (found.are_rims or found.are_noise or found.are_greys):
        return
    raise AnnotationError(
        f"These labels were compressed with loss, resized with interpolation or blurred: {found.number} slivers of "
        f"{found.values} different numbers lie on the rims of {found.solid} larger pieces.",
        where=where,
        remedy="Go back to the labels as they were made and save them as TIFF or PNG (never JPEG); resize labels "
        "without interpolation (nearest neighbour). If only a black and white mask is left, threshold it (Fiji: "
        "Image > Adjust > Threshold, then Apply).",
    )


def _window(labels: Array) -> Array:
    """Give the part of a plane in which most is painted."""
    if labels.ndim > 2:
        painted = [int(np.count_nonzero(plane)) for plane in labels]
        return _window(labels[int(np.argmax(painted))]) if painted else labels.reshape(0, 0)
    if max(labels.shape) <= _WINDOW:
        return labels
    coarse = ndimage.uniform_filter((labels[::8, ::8] > 0).astype(np.float32), _WINDOW // 8, mode="constant")
    middle = np.unravel_index(int(coarse.argmax()), coarse.shape)
    sides = zip(middle, labels.shape, strict=True)
    starts = [int(np.clip(8 * at - _WINDOW // 2, 0, max(0, length - _WINDOW))) for at, length in sides]
    return labels[tuple(slice(start, start + _WINDOW) for start in starts)]


def _slivers(plane: Array) -> _Slivers | None:
    """Find the slivers of a plane ``YX``; None where there are too few to say anything."""
    # Both keep a glance at good labels short: it is taken at every stroke of the brush.
    if _lonely(plane) < _FEWEST_SLIVERS or len(np.unique(plane)) <= 2:
        return None
    from skimage.measure import label

    low, high = ndimage.minimum_filter(plane, 3), ndimage.maximum_filter(plane, 3)
    solid = (low == high) & (plane > 0)
    pieces = np.asarray(label(plane, background=0, connectivity=2))
    wide = np.zeros(int(pieces.max()) + 1, bool)
    wide[pieces[solid]] = True
    thin = (plane > 0) & ~wide[pieces] & _touches_another(plane)
    sizes = np.bincount(pieces.ravel())[np.unique(pieces[thin])]
    if len(sizes) < _FEWEST_SLIVERS:
        return None
    return _described(plane, thin, solid, sizes, int(wide[1:].sum()))


def _described(
    plane: Array, thin: npt.NDArray[np.bool_], solid: npt.NDArray[np.bool_], sizes: npt.NDArray[np.int64], wide: int
) -> _Slivers:
    size = 2 * _REACH + 1
    low, high = ndimage.minimum_filter(plane, size)[thin], ndimage.maximum_filter(plane, size)[thin]
    values = np.unique(plane[thin])
    white = bool(_WHITE <= plane.max() < 256)
    return _Slivers(
        len(sizes),
        float(sizes.mean()),
        len(values),
        not np.isin(values, plane[solid]).any(),
        white,
        white and bool(np.all((values <= _NEARLY_WHITE) | (values >= plane.max() - _NEARLY_WHITE))),
        wide,
        float(ndimage.maximum_filter(solid, size)[thin].mean()),
        float(((low < plane[thin]) & (plane[thin] < high)).mean()),
    )


def _lonely(plane: Array) -> int:
    """Count painted pixels that are unlike both neighbours in their row."""
    unlike = plane[:, 1:] != plane[:, :-1]
    return int(np.count_nonzero(unlike[:, 1:] & unlike[:, :-1] & (plane[:, 1:-1] > 0)))


def _touches_another(plane: Array) -> npt.NDArray[np.bool_]:
    """Tell where another painted value lies next to a pixel."""
    lowest = ndimage.minimum_filter(np.where(plane > 0, plane, np.iinfo(plane.dtype).max), 3)
    return np.asarray((ndimage.maximum_filter(plane, 3) != plane) | (lowest < plane))
