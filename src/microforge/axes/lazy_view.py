"""A view of an array on disk with its axes in another order; only what is asked for is read."""

from typing import Any

import numpy as np

from microforge.types import Array, ArrayLike


class LazyView:
    """An array-like whose axes are those of `source` in another order, some of them fixed.

    For zarr and its kin, which can be cut but not transposed. Understands whole numbers and slices.

    Parameters
    ----------
    order
        For each axis of the view the axis of `source` it shows; None for a new axis of length one.
    fixed
        Index at which the other axes of `source` are taken.
    """

    def __init__(self, source: ArrayLike, order: tuple[int | None, ...], fixed: dict[int, int]) -> None:
        self._source, self._order, self._fixed = source, order, fixed

    @property
    def shape(self) -> tuple[int, ...]:
        """Length of each axis."""
        return tuple(1 if axis is None else self._source.shape[axis] for axis in self._order)

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self._order)

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the values."""
        return self._source.dtype

    def __getitem__(self, key: Any, /) -> Array:
        """Read a window as a numpy array."""
        full = self._full_key(key)
        wanted = [self._fixed.get(axis, slice(None)) for axis in range(self._source.ndim)]
        for axis, part in zip(self._order, full, strict=True):
            if axis is not None:
                # Kept as a slice so that no axis vanishes before the order is right.
                wanted[axis] = part if isinstance(part, slice) else slice(part, part + 1)
        data = np.asarray(self._source[tuple(wanted)])
        kept = [axis for axis in range(self._source.ndim) if axis not in self._fixed]
        data = data.transpose([kept.index(axis) for axis in self._order if axis is not None])
        data = np.expand_dims(data, tuple(i for i, axis in enumerate(self._order) if axis is None))
        return data[tuple(self._last_cut(axis, part) for axis, part in zip(self._order, full, strict=True))]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        """Read everything."""
        return np.asarray(self[...], dtype)

    def _full_key(self, key: Any) -> list[int | slice]:
        parts = list(key) if isinstance(key, tuple) else [key]
        if Ellipsis in parts:
            at = parts.index(Ellipsis)
            parts[at : at + 1] = [slice(None)] * (self.ndim - len(parts) + 1)
        parts += [slice(None)] * (self.ndim - len(parts))
        return [self._positive(part, length) for part, length in zip(parts, self.shape, strict=True)]

    @staticmethod
    def _positive(part: Any, length: int) -> int | slice:
        if isinstance(part, slice):
            return part
        index = int(part)
        if not -length <= index < length:
            raise IndexError(f"index {index} is out of bounds for an axis of length {length}")
        return index % length

    @staticmethod
    def _last_cut(axis: int | None, part: int | slice) -> int | slice:
        """Give what remains to be cut after reading: whole numbers, and new axes, which were not read."""
        if isinstance(part, slice):
            return part if axis is None else slice(None)
        return 0
