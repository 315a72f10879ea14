"""Large TIFF images left on disk: come here when a window of a file is read wrongly, slowly or with much memory.

Imported only where such a file is opened: zarr takes a while to load.
"""

import re
import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from math import ceil, prod
from pathlib import Path
from typing import Any

import numpy as np
import zarr
from zarr.storage import WrapperStore

from microforge.errors import ImageReadError
from microforge.io.images.opening import gone
from microforge.io.images.tiff_errors import damaged, in_words
from microforge.types import Array

#: So many bytes of decoded pieces are kept, and of time series at least so many.
_KEPT_BYTES, _LEAST_KEPT = 1 << 26, 1 << 22
#: Each piece costs zarr some time: pages of fewer bytes are not decoded by tiles and strips but at once.
_SMALL_PAGE = 1 << 24
_MOST_THREADS = 8


class LazyTiff:
    """An array-like of an image in TIFF files, decoded tile by tile, strip by strip or page by page when asked for.

    May be read by many threads. Files are open only while they are read, so that they can be moved and deleted as long
    as an image is shown. Understands one whole number or forward slice per axis.

    Parameters
    ----------
    series
        The image as the TIFF library describes it; its finest level is read.

    Raises
    ------
    ImageReadError
        If a file ends before a page does.
    """

    def __init__(self, series: Any) -> None:
        self._pieces = _Pieces(series)
        self._array: Any = zarr.open_array(self._pieces, mode="r")
        self._reading = threading.Lock()
        #: The last small window: frames are asked for several times in a row, and zarr costs more than a copy.
        self._last: tuple[tuple[int | slice, ...], Array] = ((), np.empty(0))
        self.shape: tuple[int, ...] = tuple(self._array.shape)
        self.ndim, self.dtype = len(self.shape), np.dtype(self._array.dtype)
        self._count = prod(ceil(n / piece) for n, piece in zip(self.shape, self._array.chunks, strict=True))
        self._piece_bytes = prod(self._array.chunks) * self.dtype.itemsize
        self._pieces.most = max(1, _KEPT_BYTES // self._piece_bytes)
        #: Whether a window is cheap to read: the only page is stored in pieces.
        self.is_one_cut_page = len(series) == 1 and self._count > 1

    def keep_one_of(self, parts: int) -> None:
        """Keep the pieces of one of so many parts, time points: each is read for levels, tiles and measurements."""
        self._pieces.most = max(1, self._count // parts, _LEAST_KEPT // self._piece_bytes)

    def __getitem__(self, key: tuple[int | slice, ...], /) -> Array:
        """Read a window as a numpy array.

        Raises
        ------
        ImageReadError
            If a page is damaged, or a file is gone or was written to since it was opened.
        """
        with self._reading, self._pieces.opened():
            if key != self._last[0]:
                data = np.asarray(self._array[key])
                if data.nbytes > _LEAST_KEPT:
                    return data
                # Given again, so that nobody may write to it.
                data.flags.writeable = False
                self._last = key, data
            return self._last[1]


class _Pieces(WrapperStore[Any]):  # type: ignore[misc]  # zarr is not analysed
    """The store of the TIFF library, with words for what goes wrong; the last decoded pieces stay in memory."""

    def __init__(self, series: Any) -> None:
        page = series.keyframe
        # Pages that are one piece are decoded in threads, side by side.
        at_once = page.nbytes < _SMALL_PAGE and prod(page.chunked) > 1
        how: dict[str, Any] = {"chunkmode": "page"} if at_once else {"maxworkers": _MOST_THREADS}
        super().__init__(series.aszarr(level=0, **how))
        self._files = [Path(page.parent.filehandle.path) for page in series]
        self._states = {path: _state(path) for path in dict.fromkeys(self._files)}
        _check_ends(series, [self._states[path][0] for path in self._files])
        self._leading = _leading(series)
        self._kept: OrderedDict[str, Any] = OrderedDict()
        self.most, self._is_read = 1, False

    @contextmanager
    def opened(self) -> Iterator[None]:
        """Close the files at the end."""
        self._is_read = True
        try:
            yield
        finally:
            self._is_read = False
            self._store.close()

    async def get(self, key: str, prototype: Any, byte_range: Any = None) -> Any:
        """Give a decoded piece, or what is written of the array; called in zarr's own thread."""
        place = [int(number) for number in re.findall(r"\d+", key)]
        if not place:
            return await self._store.get(key, prototype, byte_range)
        if key not in self._kept:
            piece = await self._decoded(key, prototype, place)
            if piece is None:
                return None
            self._kept[key] = piece
            while len(self._kept) > self.most:
                self._kept.popitem(last=False)
            return piece
        self._kept.move_to_end(key)
        return self._kept[key]

    async def _decoded(self, key: str, prototype: Any, place: Sequence[int]) -> Any:
        number = int(np.ravel_multi_index(place[: len(self._leading)], self._leading)) if self._leading else 0
        path = self._files[number]
        with in_words(path, f"page {number + 1}: "):
            try:
                self._check_state(path)
                return await self._store.get(key, prototype)
            except OSError as error:
                raise gone(path, error) from error
            finally:
                # After an error zarr hands it over at once, while other pieces are still being read.
                if not self._is_read:
                    self._store.close()

    def _check_state(self, path: Path) -> None:
        if _state(path) != self._states[path]:
            raise ImageReadError("The file was changed after it was opened.", where=str(path), remedy="Open it again.")


def is_lazy(series: Any) -> bool:
    """Say whether an image is made of whole pages, as it must be to be read piece by piece."""
    return prod(_leading(series)) == len(series) and prod(series.shape) == len(series) * prod(series.keyframe.shape)


def _leading(series: Any) -> tuple[int, ...]:
    """Give the shape in which the pages are arranged."""
    shape = tuple(int(n) for n in series.shape)
    return next((shape[:axes] for axes in range(len(shape)) if prod(shape[:axes]) == len(series)), ())


def _check_ends(pages: Any, sizes: Sequence[int]) -> None:
    """Refuse pages that are not all there: their pieces would be taken for empty."""
    for number, (page, size) in enumerate(zip(pages, sizes, strict=True), start=1):
        ends = map(sum, zip(page.dataoffsets, page.databytecounts, strict=False))
        if not page.dataoffsets or max(ends, default=0) > size:
            raise damaged(Path(page.parent.filehandle.path), f"it ends before page {number} does")


def _state(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_size, status.st_mtime_ns
