"""Transpose and index an array on disk without reading it."""

from collections.abc import Mapping, Sequence
from math import prod
from typing import Any

import numpy as np

from microforge.types import Array, ArrayLike


class LazyView:
    """An array-like whose axes are those of `source` in another order, some of them fixed.

    For zarr and its kin, which can be cut but not transposed. Understands whole numbers, slices and ... as numpy does.

    Parameters
    ----------
    order
        For each axis of the view the axis of `source` it shows; None for a new axis of length one.
    fixed
        Index at which the other axes of `source` are taken.
    lengths
        How much of an axis of `source` is shown, where that is not all.
    """

    def __init__(
        self,
        source: ArrayLike,
        order: Sequence[int | None],
        fixed: Mapping[int, int],
        lengths: Mapping[int, int] | None = None,
    ) -> None:
        self._source, self._order, self._fixed = source, tuple(order), fixed
        shown = dict(enumerate(source.shape)) | dict(lengths or {})
        #: Length of each axis.
        self.shape: tuple[int, ...] = tuple(1 if axis is None else shown[axis] for axis in self._order)
        self.ndim, self.dtype, self.size = len(self.shape), np.dtype(source.dtype), prod(self.shape)
        self.nbytes = self.size * self.dtype.itemsize

    def __getitem__(self, key: Any, /) -> Array:
        """Read a window as a numpy array."""
        full = self._full_key(key)
        wanted = [self._fixed.get(axis, slice(None)) for axis in range(self._source.ndim)]
        for axis, length, part in zip(self._order, self.shape, full, strict=True):
            if axis is not None:
                wanted[axis] = _forward(part, length)
        data = np.asarray(self._source[tuple(wanted)])
        kept = [axis for axis in range(self._source.ndim) if axis not in self._fixed]
        data = data.transpose([kept.index(axis) for axis in self._order if axis is not None])
        data = np.expand_dims(data, tuple(i for i, axis in enumerate(self._order) if axis is None))
        return data[tuple(_last_cut(axis, part) for axis, part in zip(self._order, full, strict=True))]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        """Read everything."""
        return np.asarray(self[...], dtype)

    def reshape(self, shape: Sequence[int]) -> "LazyView":
        """Give a view with other axes of length one."""
        long = [axis for axis, length in enumerate(self.shape) if length != 1]
        if [self.shape[axis] for axis in long] != [length for length in shape if length != 1]:
            raise ValueError(f"an array on disk of shape {self.shape} cannot become {tuple(shape)}")
        left = iter(long)
        order = [None if length == 1 else next(left) for length in shape]
        return LazyView(self, order, {axis: 0 for axis in range(self.ndim) if axis not in long})

    def _full_key(self, key: Any) -> list[int | slice]:
        parts = list(key) if isinstance(key, tuple) else [key]
        if Ellipsis in parts:
            at = parts.index(Ellipsis)
            parts[at : at + 1] = [slice(None)] * (self.ndim - len(parts) + 1)
        parts += [slice(None)] * (self.ndim - len(parts))
        return [_positive(part, length) for part, length in zip(parts, self.shape, strict=True)]


def _positive(part: Any, length: int) -> int | slice:
    if isinstance(part, slice):
        return part
    index = int(part)
    if not -length <= index < length:
        raise IndexError(f"index {index} is out of bounds for an axis of length {length}")
    return index % length


def _forward(part: int | slice, length: int) -> slice:
    """Give what to read: a slice, so that no axis vanishes before the order is right, and forward, as zarr reads."""
    if not isinstance(part, slice):
        return slice(part, part + 1)
    places = range(length)[part]
    places = places if places.step > 0 else places[::-1]
    return slice(places.start, max(places.start, places.stop), places.step)


def _last_cut(axis: int | None, part: int | slice) -> int | slice:
    """Give what remains to be cut after reading: whole numbers, backward slices, and new axes, which were not read."""
    if not isinstance(part, slice):
        return 0
    return part if axis is None else slice(None, None, -1 if (part.step or 1) < 0 else None)
