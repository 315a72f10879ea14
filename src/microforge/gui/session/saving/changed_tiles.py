"""Which tiles of an array are not on disk as they are; come here when a stroke is not kept, or too much is written."""

from collections.abc import Iterator
from itertools import product
from typing import Any
from zlib import crc32

import numpy as np

from microforge.types import Array, ArrayLike

#: Pixels of a tile along Y and X; along all else it is one pixel long.
TILE = 256
#: The checksum of a tile in which nothing is drawn: nothing needs to be written for it.
_NOTHING = -1

Start = tuple[int, ...]


class ChangedTiles:
    """Checksums of the tiles of one array as it is on disk.

    Reads the array tile by tile, while a person may paint on it: what is written is what the checksum was taken of, so
    that a stroke under way differs at the next look.

    Attributes
    ----------
    shape
        Of the array; empty before there was one.
    """

    def __init__(self) -> None:
        self.shape: tuple[int, ...] = ()
        self._sums: dict[Start, int] = {}
        self._new: dict[Start, int] = {}

    def of(self, pixels: ArrayLike) -> Iterator[tuple[Start, Array]]:
        """Give the tiles that differ from those on disk, as copies, each with the index of its first pixel."""
        self.shape, self._new = tuple(pixels.shape), {}
        for start in starts(pixels.shape):
            tile = np.array(pixels[window_at(start, pixels.shape)])
            found = crc32(tile.reshape(-1).view(np.uint8).data) if tile.any() else _NOTHING
            if found != self._sums.get(start, _NOTHING):
                self._new[start] = found
                yield start, tile

    def keep(self) -> None:
        """Note that the tiles given last are on disk."""
        self._sums.update(self._new)
        self._new = {}


def starts(shape: tuple[int, ...]) -> Iterator[Start]:
    """Give the index of the first pixel of each tile of an array, whose last axes are Y and X."""
    steps = [*(1 for _ in shape[:-2]), TILE, TILE]
    yield from product(*(range(0, length, step) for length, step in zip(shape, steps, strict=True)))


def window_at(start: Start, shape: tuple[int, ...]) -> tuple[slice, ...]:
    """Give the part of an array that a tile is."""
    sides: list[Any] = [slice(first, first + 1) for first in start[:-2]]
    ends = zip(start[-2:], shape[-2:], strict=True)
    return (*sides, *(slice(first, min(first + TILE, length)) for first, length in ends))
