"""Images on a finer or coarser grid; come here for how pixels of one grid are made from those of another.

Any window is made from exactly the pixels around it, so that the parts of an image agree with the whole. The centre of
pixel `i` lies at ``(i + 0.5) / factor - 0.5`` on the grid it is made from.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, prod
from typing import Any

import numpy as np
import numpy.typing as npt

from microforge.types import Array, ArrayLike


def rescaled_shape(shape: Sequence[int], scale: Sequence[float]) -> tuple[int, ...]:
    """Give the shape of an image on a grid that is `scale` times finer along each axis; no side is 0."""
    return tuple(max(1, round(length * factor)) for length, factor in zip(shape, scale, strict=True))


class Rescaled:
    """An image ``C(Z)YX`` on another grid, made window by window when it is asked for.

    Between pixels it is linear; where the new grid is coarser, all pixels that a new one covers count.

    Parameters
    ----------
    source
        ``C(Z)YX``, array-like, any real dtype; it may be a file.
    scale
        How many times finer the new grid is along each axis ``(Z)YX``.
    shape
        Of the new grid ``(Z)YX``; by default as large as the image.

    Attributes
    ----------
    dtype
        float64 where the source is, otherwise float32. What is not a number makes its neighbours none either.
    """

    def __init__(self, source: ArrayLike, scale: Sequence[float], shape: Sequence[int] | None = None) -> None:
        inner = rescaled_shape(source.shape[1:], scale) if shape is None else tuple(shape)
        self._source, self._scale = source, tuple(scale)
        self.shape: tuple[int, ...] = (source.shape[0], *inner)
        self.ndim, self.size = len(self.shape), prod(self.shape)
        self.dtype = np.dtype(np.float64 if np.dtype(source.dtype) == np.float64 else np.float32)
        self.nbytes = self.size * self.dtype.itemsize

    def __getitem__(self, key: Any, /) -> Array:
        """Read a window ``C(Z)YX``: a tuple of slices without steps, that of channels first."""
        parts = key if isinstance(key, tuple) else (key,)
        spatial = (*parts[1:], *[slice(None)] * (self.ndim - len(parts)))
        ranges = [part.indices(length)[:2] for part, length in zip(spatial, self.shape[1:], strict=True)]
        if any(stop <= start for start, stop in ranges):
            empty = np.empty((self.shape[0], *(max(stop - start, 0) for start, stop in ranges)), self.dtype)
            return empty[parts[0]]
        taps = [
            _taps(start, stop, factor, length)
            for (start, stop), factor, length in zip(ranges, self._scale, self._source.shape[1:], strict=True)
        ]
        read = self._source[(parts[0], *(slice(one.first, one.last + 1) for one in taps))]
        image = np.asarray(read).astype(self.dtype)
        for axis, one in enumerate(taps, start=1):
            image = one.apply(image, axis)
        return image

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        """Make all of it."""
        return np.asarray(self[(slice(None),)], dtype)


def nearest(labels: Array, scale: Sequence[float], shape: Sequence[int] | None = None) -> Array:
    """Give labels ``(Z)YX`` on another grid, each pixel as the one its centre lies in; arguments as of `Rescaled`."""
    inner = rescaled_shape(labels.shape, scale) if shape is None else shape
    places = [
        np.clip(np.floor((np.arange(new) + 0.5) / factor), 0, length - 1).astype(np.intp)
        for new, factor, length in zip(inner, scale, labels.shape, strict=True)
    ]
    taken: Array = np.asarray(labels)[np.ix_(*places)]
    return taken


@dataclass(frozen=True, eq=False)
class _Taps:
    """Which pixels along an axis make each new one: `index` and `weight` ``(K, N)``, all from `first` to `last`."""

    index: npt.NDArray[np.intp]
    weight: npt.NDArray[np.float32]

    @property
    def first(self) -> int:
        return int(self.index.min())

    @property
    def last(self) -> int:
        return int(self.index.max())

    def apply(self, image: Array, axis: int) -> Array:
        """Give the new pixels of an image that was read from `first` on."""
        if len(self.index) == 1:
            return image
        tail = (-1, *[1] * (image.ndim - 1 - axis))
        first = self.first
        made: Array = np.take(image, self.index[0] - first, axis) * self.weight[0].reshape(tail)
        for index, weight in zip(self.index[1:], self.weight[1:], strict=True):
            made += np.take(image, index - first, axis) * weight.reshape(tail)
        return made


def _taps(start: int, stop: int, factor: float, length: int) -> _Taps:
    if factor == 1:
        index = np.arange(start, stop)[None]
        return _Taps(index, np.ones(index.shape, np.float32))
    centre = (np.arange(start, stop) + 0.5) / factor - 0.5
    reach = max(1.0, 1 / factor)
    index = np.floor(centre - reach).astype(np.intp) + 1 + np.arange(ceil(2 * reach))[:, None]
    weight = np.maximum(0, 1 - np.abs(index - centre) / reach)
    return _Taps(np.clip(index, 0, length - 1), (weight / weight.sum(0)).astype(np.float32))
