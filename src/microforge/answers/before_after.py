"""Lazy arrays for comparing before and after: split view, difference; computed only where they are looked at."""

from typing import Any

import numpy as np

from microforge.intensities import usable
from microforge.types import Array, ArrayLike, Floats

_PIXELS_READ = 1 << 18


class OfTwo:
    """What two images of one field make together, on the grid of the second.

    Parameters
    ----------
    before, after
        Arrays with the same axes, X last (or before S); YX of `after` may be a whole number of times finer.
    colour
        Whether the last axis is S.
    """

    def __init__(self, before: ArrayLike, after: ArrayLike, *, colour: bool = False) -> None:
        self.before, self.after, self.colour = before, after, colour
        self._x = after.ndim - 1 - colour
        self.finer = after.shape[self._x] // before.shape[self._x]
        self.shape: tuple[int, ...] = tuple(after.shape)
        self.dtype = np.dtype(np.float32)

    @property
    def ndim(self) -> int:
        """Number of dimensions."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """Number of elements."""
        return int(np.prod(self.shape))

    def __len__(self) -> int:
        return self.shape[0]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        return np.asarray(self[...], dtype)

    def __getitem__(self, key: Any) -> Array:
        keys = self._full(key)
        columns = np.arange(self.shape[self._x])[keys[self._x]]
        return self._mixed(self._coarse(keys), np.asarray(self.after[keys]), columns)

    def _mixed(self, before: Array, after: Array, columns: Any) -> Array:
        raise NotImplementedError

    def _full(self, key: Any) -> tuple[Any, ...]:
        keys = key if isinstance(key, tuple) else (key,)
        if Ellipsis in keys:
            place = keys.index(Ellipsis)
            keys = (*keys[:place], *[slice(None)] * (self.after.ndim - len(keys) + 1), *keys[place + 1 :])
        return (*keys, *[slice(None)] * (self.after.ndim - len(keys)))

    def _coarse(self, keys: tuple[Any, ...]) -> Array:
        """Give the part of `before` that lies under a part of `after`."""
        if self.finer == 1:
            return np.asarray(self.before[keys])
        y = self._x - 1
        under = [np.arange(self.shape[axis])[keys[axis]] // self.finer for axis in (y, self._x)]
        part = np.asarray(self.before[(*keys[:y], slice(None), slice(None), *keys[self._x + 1 :])])
        first = sum(not isinstance(one, int | np.integer) for one in keys[:y])
        under_y: Array = part.take(under[0], first)
        return np.asarray(under_y.take(under[1], first + under[0].ndim))


class Halves(OfTwo):
    """The columns of one image left of a divider, those of another right of it.

    Parameters
    ----------
    ranges
        From and to for each of the two, which are shown from 0 to 1 then; None: as they are.
    line
        Value of the divider.
    """

    def __init__(
        self,
        before: ArrayLike,
        after: ArrayLike,
        *,
        colour: bool = False,
        ranges: tuple[tuple[float, float], tuple[float, float]] | None = None,
        line: float = 1.0,
    ) -> None:
        super().__init__(before, after, colour=colour)
        self.ranges, self.line = ranges, line
        self.divider = self.width // 2
        if colour:
            self.dtype = np.dtype(after.dtype)

    @property
    def width(self) -> int:
        """Number of columns."""
        return self.shape[self._x]

    def _mixed(self, before: Array, after: Array, columns: Any) -> Array:
        if self.ranges is not None:
            before, after = (_scaled(part, *limits) for part, limits in zip((before, after), self.ranges, strict=True))
        if np.ndim(columns) == 0:
            return before if columns < self.divider else after
        axis = after.ndim - 1 - self.colour
        cut = int(np.searchsorted(columns, self.divider))
        mixed = np.empty(after.shape, self.dtype)
        left, right = (slice(None, cut), slice(cut, None))
        index: list[Any] = [slice(None)] * after.ndim
        for part, side in ((before, left), (after, right)):
            index[axis] = side
            mixed[tuple(index)] = part[tuple(index)]
        # As wide as can be seen when the whole image is.
        half = len(columns) // 600
        index[axis] = slice(max(cut - half, 0), cut + half + 1)
        mixed[tuple(index)] = self.line
        return mixed


class Removed(OfTwo):
    """What the second image lacks of the first: their difference; of colour images the mean over the colours."""

    def __init__(self, before: ArrayLike, after: ArrayLike, *, colour: bool = False) -> None:
        super().__init__(before, after, colour=colour)
        if colour:
            self.shape = self.shape[:-1]

    def spread(self) -> float:
        """Give the value that few pixels exceed, from a plane in the middle."""
        middle = tuple(n // 2 for n in self.shape[:-2])
        step = max(1, round((self.shape[-1] * self.shape[-2] / _PIXELS_READ) ** 0.5))
        plane = np.abs(np.asarray(self[(*middle, slice(None), slice(None))])[::step, ::step])
        plane = plane[usable(plane)]
        return float(np.percentile(plane, 99.5)) if plane.size else 0.0

    def _mixed(self, before: Array, after: Array, columns: Any) -> Array:
        difference = np.subtract(before, after, dtype=np.float32)
        return np.asarray(difference.mean(-1) if self.colour else difference)


def _scaled(part: Array, low: float, high: float) -> Floats:
    return (part.astype(np.float32) - np.float32(low)) * np.float32(1 / max(high - low, 1e-20))
