"""Images of many pages in a TIFF file, compressed perhaps: pages are read and decoded when they are asked for."""

from collections.abc import Iterator, Sequence
from math import prod
from typing import Any, Self

import numpy as np

from microforge.io.images.page_file import PageFile
from microforge.types import Array

#: So many bytes of decoded pages are kept.
_KEPT_BYTES = 1 << 22


class TiffPages:
    """An array-like, read-only view of a `PageFile`; whole numbers, slices and ... are understood.

    Parameters
    ----------
    leading
        Shape in which the pages are arranged.
    cut
        What is shown of each page, one index per dimension of a page.
    keep
        How many decoded pages stay in memory at least.
    """

    def __init__(
        self, file: PageFile, leading: Sequence[int], cut: tuple[int | slice, ...] | None = None, keep: int = 1
    ) -> None:
        self._file, self._leading = file, tuple(leading)
        self._cut = cut or (slice(None),) * len(file.shape)
        self._keep = max(keep, _KEPT_BYTES // file.page_bytes)
        page = np.broadcast_to(np.empty((), file.dtype), file.shape)[self._cut]
        self.shape: tuple[int, ...] = (*self._leading, *page.shape)
        self.ndim, self.dtype, self.size = len(self.shape), file.dtype, prod(self.shape)
        self.nbytes = self.size * self.dtype.itemsize

    def __getitem__(self, key: Any, /) -> Array:
        """Read a window as a numpy array."""
        full = self._full_key(key)
        pages = np.arange(prod(self._leading)).reshape(self._leading)[full[: len(self._leading)]]
        cut = full[len(self._leading) :]
        shown = np.broadcast_to(np.empty((), self.dtype), self.shape[len(self._leading) :])[cut]
        data = np.empty((pages.size, *shown.shape), self.dtype)

        def take(place: int, page: Array) -> None:
            data[place] = page[self._cut][cut]

        self._file.read([int(number) for number in np.ravel(pages)], take, self._keep)
        return data.reshape((*np.shape(pages), *shown.shape))

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        """Read everything."""
        return np.asarray(self[...], dtype)

    def reshape(self, shape: Sequence[int]) -> "Self | Array":
        """Give the same pages in another arrangement; read, where the dimensions of a page would change."""
        page = self.shape[len(self._leading) :]
        leading = tuple(shape[: len(shape) - len(page)])
        if tuple(shape[len(leading) :]) != page or prod(leading) != prod(self._leading):
            return self[...].reshape(shape)
        return type(self)(self._file, leading, self._cut)

    def each_page(self) -> Iterator[Array]:
        """Give the pages one after the other."""
        return (self[index] for index in np.ndindex(self._leading))

    def take_samples(self, axis: int, part: int | slice) -> "Self":
        """Show only some of the samples (red, green, blue) along a dimension of each page that is still whole."""
        cut = [*self._cut]
        cut[axis - len(self._leading)] = part
        return type(self)(self._file, self._leading, tuple(cut))

    def kept_by(self, axis: int) -> "Self":
        """Keep the decoded pages of one index of an axis, time: they are read for levels, tiles and measurements."""
        return type(self)(self._file, self._leading, self._cut, prod(self._leading) // self.shape[axis])

    def _full_key(self, key: Any) -> tuple[Any, ...]:
        parts = list(key) if isinstance(key, tuple) else [key]
        missing = self.ndim - sum(part is not Ellipsis for part in parts)
        at = next((i for i, part in enumerate(parts) if part is Ellipsis), len(parts))
        return (*parts[:at], *[slice(None)] * missing, *parts[at + 1 :])
