"""Images of many pages in a TIFF file, compressed perhaps: pages are read and decoded when they are asked for."""

import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from math import prod
from os import stat_result
from pathlib import Path
from typing import Any, Self

import numpy as np

from microforge.errors import ImageReadError
from microforge.io.tiff_errors import damaged, in_words
from microforge.types import Array

#: So many bytes of decoded pages are kept.
_KEPT_BYTES = 1 << 22


class PageFile:
    """The pages of one image, from one file or several; they may be read by many threads.

    Files are open only while they are read, so that they can be moved and deleted as long as an image is shown.

    Raises
    ------
    ImageReadError
        If the file ends before a page does.
    """

    def __init__(self, pages: Sequence[Any]) -> None:
        self.pages = tuple(pages)
        self.shape = tuple(int(n) for n in pages[0].keyframe.shape)
        self.dtype = np.dtype(pages[0].keyframe.dtype).newbyteorder("=")
        self.page_bytes = prod(self.shape) * self.dtype.itemsize
        self._lock = threading.Lock()
        self._kept: OrderedDict[int, Array] = OrderedDict()
        self._files = {path: _state(path.stat()) for path in {_path(page) for page in pages}}
        for number, page in enumerate(pages, start=1):
            end = max(map(sum, zip(page.dataoffsets, page.databytecounts, strict=False)), default=0)
            if end > self._files[_path(page)][0]:
                raise damaged(_path(page), f"it ends before page {number} does")

    def read(self, number: int, keep: int) -> Array:
        """Give a page, decoded; not to be written to. The `keep` pages read last stay in memory.

        Raises
        ------
        ImageReadError
            If the page is damaged, or the file is gone or was written to since it was opened.
        """
        with self._lock:
            page = self._kept.get(number)
            if page is None:
                page = self._kept[number] = self._decoded(number)
            self._kept.move_to_end(number)
            while len(self._kept) > keep:
                self._kept.popitem(last=False)
        return page

    def _decoded(self, number: int) -> Array:
        page = self.pages[number]
        path, file = _path(page), page.parent.filehandle
        try:
            same = _state(path.stat()) == self._files[path]
            file.open()
        except OSError as error:
            raise ImageReadError(
                f"The file cannot be read any more ({error.strerror or error}).",
                where=str(path),
                remedy="Check that it is still there and that the drive is connected.",
            ) from error
        try:
            if not same:
                raise ImageReadError(
                    "The file was changed after it was opened.", where=str(path), remedy="Open it again."
                )
            with in_words(path, f"page {number + 1}: "):
                data: Array = page.asarray()
        finally:
            file.close()
        if data.shape != self.shape:
            raise damaged(path, f"page {number + 1} is of another size")
        return data


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
        for place, number in enumerate(np.ravel(pages)):
            data[place] = self._file.read(int(number), self._keep)[self._cut][cut]
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


def _path(page: Any) -> Path:
    return Path(page.parent.filehandle.path)


def _state(status: stat_result) -> tuple[int, int]:
    return status.st_size, status.st_mtime_ns
