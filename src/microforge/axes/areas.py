"""Areas of an image: from outlines in pixels to the pixels inside; come here when a region holds the wrong ones."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any

import numpy as np
import numpy.typing as npt

from microforge.types import Doubles, Points, Window

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Area:
    """Some pixels of an image, as a window of it: most areas are small beside their image.

    Attributes
    ----------
    window
        One slice for each of the image's last axes, ``(Z)YX``; of a stack YX alone means all planes.
    mask
        bool, of the window's shape: which of its pixels belong to the area.
    """

    window: Window
    mask: Mask

    def on(self, shape: Sequence[int]) -> Mask:
        """Give which pixels of a whole image of this shape ``(Z)YX`` belong to it, along the axes of the window."""
        whole = np.zeros(tuple(shape)[-self.mask.ndim :], bool)
        whole[self.window] = self.mask
        return whole

    def pixels(self, shape: Sequence[int]) -> int:
        """Count its pixels on an image of this shape ``(Z)YX``, those of all planes."""
        return int(self.mask.sum()) * int(np.prod(shape[: len(shape) - self.mask.ndim], dtype=np.int64))

    def points_inside(self, points: Points, shape: Sequence[int]) -> Points:
        """Give the points in it: each is in the pixel around it, or beyond an image of this shape ``(Z)YX``."""
        size = np.array(tuple(shape)[-self.mask.ndim :])
        places = points.coordinates[:, -self.mask.ndim :]
        pixels = np.clip(np.round(places), 0, size - 1).astype(int) - [side.start for side in self.window]
        inside = np.all((places >= -0.5) & (places <= size - 0.5), axis=1)
        inside &= np.all((pixels >= 0) & (pixels < self.mask.shape), axis=1)
        inside[inside] = self.mask[tuple(pixels[inside].T)]
        return points.only(inside)


@dataclass(frozen=True, eq=False)
class Region:
    """A part of an image of the shape ``(Z)YX``, by its name.

    The pixels are found when they are asked for: hundreds of regions of an atlas would not fit into memory together.
    """

    name: str
    shape: tuple[int, ...]
    made: Callable[[], Area]

    @property
    def area(self) -> Area:
        """The pixels that belong to it."""
        return self.made()

    @property
    def mask(self) -> Mask:
        """Which pixels of the image belong to it, ``(Z)YX``; of a stack YX alone means all planes."""
        return self.made().on(self.shape)


@dataclass(frozen=True, eq=False)
class Outline:
    """An area drawn on one plane of an image.

    Attributes
    ----------
    corners
        In pixels of the image's grid, one column per dimension; where columns are missing in front, the area counts
        for every position along those dimensions.
    """

    corners: Doubles


def enclosed(lines: Sequence[Doubles], shape: tuple[int, ...]) -> Area:
    """Give the pixels inside closed lines; a line within another is a hole. What lies beyond the image is cut off.

    Parameters
    ----------
    lines
        The corners of each, ``(N, 2)`` along Y and X in pixels; whole numbers are the centres of pixels.
    shape
        Of the plane, ``YX``.
    """
    from skimage.draw import polygon

    window = _window(np.concatenate(lines), shape)
    mask = np.zeros([side.stop - side.start for side in window], bool)
    for line in lines:
        y, x = (line[:, axis] - side.start for axis, side in enumerate(window))
        mask[polygon(y, x, mask.shape)] ^= True
    return Area(window, mask)


def mask_of(outlines: Sequence[Outline], shape: tuple[int, ...]) -> Mask:
    """Give a bool array, True inside any of the areas; an area counts only for the plane it was drawn on."""
    mask = np.zeros(shape, bool)
    for outline in outlines:
        _fill(mask, outline.corners)
    return mask


def drawn_region(name: str, corners: Doubles, shape: Sequence[int]) -> Region:
    """Give the region inside an outline ``(N, 2)`` along Y and X, which counts for all planes.

    Its pixels are kept for the next time, as drawing one more region or point leaves the others as they are.
    """
    outline = np.ascontiguousarray(corners, np.float64).tobytes()
    return Region(name, tuple(shape), partial(_kept, outline, tuple(shape)[-2:]))


@lru_cache(maxsize=128)
def _kept(outline: bytes, shape: tuple[int, ...]) -> Area:
    return enclosed([np.frombuffer(outline, np.float64).reshape(-1, 2)], shape)


def _window(corners: Doubles, shape: tuple[int, ...]) -> Window:
    sides = []
    for axis, length in enumerate(shape):
        low, high = np.floor(corners[:, axis].min()), np.ceil(corners[:, axis].max()) + 1
        start = int(np.clip(low, 0, length - 1))
        sides.append(slice(start, int(np.clip(high, start + 1, length))))
    return tuple(sides)


def _fill(mask: Mask, corners: Doubles) -> None:
    columns = corners.shape[1]
    # The two dimensions that vary most span the plane; along the others the corners share one position.
    spans = np.ptp(corners, axis=0)
    flat = sorted(sorted(range(columns), key=lambda column: (spans[column], column))[-2:])
    index: list[slice | int] = [slice(None)] * mask.ndim
    for column in set(range(columns)) - set(flat):
        axis, position = mask.ndim - columns + column, round(float(corners[:, column].mean()))
        if not 0 <= position < mask.shape[axis]:
            return
        index[axis] = position
    plane = mask[tuple(index)]
    area = enclosed([corners[:, flat]], plane.shape[-2:])
    inside: tuple[Any, ...] = (..., *area.window)
    plane[inside] |= area.mask
