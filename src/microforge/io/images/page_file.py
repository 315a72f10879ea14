"""The pages of one image in TIFF files, decoded when they are asked for, several at a time; the last ones are kept."""

import os
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from microforge.errors import ImageReadError
from microforge.io.images.tiff_errors import damaged, in_words
from microforge.types import Array

_MOST_THREADS = 8


class PageFile:
    """Pages of one shape and type, from one file or several; may be read by many threads.

    Files are open only while they are read, so that they can be moved and deleted as long as an image is shown.

    Parameters
    ----------
    pages
        Pages as the TIFF library describes them.

    Raises
    ------
    ImageReadError
        If a file ends before a page does.
    """

    def __init__(self, pages: Sequence[Any]) -> None:
        self.pages = tuple(pages)
        self.shape = tuple(int(n) for n in pages[0].keyframe.shape)
        self.dtype = np.dtype(pages[0].keyframe.dtype).newbyteorder("=")
        self.page_bytes = prod(self.shape) * self.dtype.itemsize
        self._files = tuple(page.parent.filehandle for page in pages)
        self._states = {file: _state(file) for file in dict.fromkeys(self._files)}
        self._reading, self._seeking = threading.Lock(), threading.RLock()
        self._kept: OrderedDict[int, Array] = OrderedDict()
        for number, page in enumerate(pages, start=1):
            end = max(map(sum, zip(page.dataoffsets, page.databytecounts, strict=False)), default=0)
            file = page.parent.filehandle
            if end > self._states[file][0]:
                raise damaged(Path(file.path), f"it ends before page {number} does")

    def read(self, numbers: Sequence[int], take: Callable[[int, Array], None], keep: int) -> None:
        """Decode pages and hand each one over with its place among `numbers`, in threads where there are many.

        Parameters
        ----------
        take
            Must not write to the page.
        keep
            So many pages stay in memory.

        Raises
        ------
        ImageReadError
            If a page is damaged, or a file is gone or was written to since it was opened.
        """
        with self._reading:
            missing: dict[Any, list[int]] = {}
            for place, number in enumerate(numbers):
                if number in self._kept:
                    take(place, self._kept[number])
                else:
                    missing.setdefault(self._files[number], []).append(place)
            stay = keep - min(keep, sum(map(len, missing.values())))
            while len(self._kept) > stay:
                self._kept.popitem(last=False)

            def decode(place: int) -> None:
                page = self._decoded(numbers[place], threads=1 if len(numbers) > 1 else None)
                take(place, page)
                if place >= len(numbers) - keep:
                    self._kept[numbers[place]] = page

            for file, places in missing.items():
                with self._opened(file):
                    _for_each(places, decode)

    def _decoded(self, number: int, threads: int | None) -> Array:
        path = Path(self._files[number].path)
        with in_words(path, f"page {number + 1}: "):
            data: Array = self.pages[number].asarray(lock=self._seeking, maxworkers=threads)
        if data.shape != self.shape:
            raise damaged(path, f"page {number + 1} is of another size")
        return data

    @contextmanager
    def _opened(self, file: Any) -> Iterator[None]:
        try:
            same = _state(file) == self._states[file]
            file.open()
        except OSError as error:
            raise ImageReadError(
                f"The file cannot be read any more ({error.strerror or error}).",
                where=file.path,
                remedy="Check that it is still there and that the drive is connected.",
            ) from error
        try:
            if not same:
                raise ImageReadError(
                    "The file was changed after it was opened.", where=file.path, remedy="Open it again."
                )
            yield
        finally:
            file.close()


def _state(file: Any) -> tuple[int, int]:
    status = Path(file.path).stat()
    return status.st_size, status.st_mtime_ns


def _for_each(places: Sequence[int], action: Callable[[int], None]) -> None:
    if len(places) == 1:
        action(places[0])
        return
    with ThreadPoolExecutor(min(_MOST_THREADS, os.cpu_count() or 1), "microforge-pages") as pool:
        for _ in pool.map(action, places):
            pass
