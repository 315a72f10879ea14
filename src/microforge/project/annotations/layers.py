"""Label layers put together from a file and the tiles written since; come here for what is read of a layer, and how.

A layer of 20,000 x 20,000 pixels is never needed as a whole: it is read window by window, and written band by band.
"""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from microforge.errors import AnnotationError
from microforge.io.writing import BandWindow
from microforge.project.journal.record import Place
from microforge.types import Array, ArrayLike

#: What labels are kept as.
STORED = np.dtype("<u4")

TileKey = tuple[tuple[int, ...], tuple[int, ...]]


class StoredTile(NamedTuple):
    """A tile in the journal: number of its commit, first pixel, shape, and where its pixels are."""

    sequence: int
    start: tuple[int, ...]
    shape: tuple[int, ...]
    place: Place

    def pixels(self) -> Array:
        """Read its pixels, uint32.

        Raises
        ------
        ProjectError
            If they are damaged, or the journal is gone.
        """
        try:
            return np.frombuffer(zlib.decompress(self.place.read()), STORED).reshape(self.shape)
        except (zlib.error, ValueError) as error:
            raise self.place.unreadable(str(error)) from error


@dataclass
class LayerChanges:
    """What the journal holds of a layer.

    Attributes
    ----------
    axes, shape
        Of the layer.
    begun
        Number of the commit with which the layer got this shape; files that are older do not count.
    tiles
        The newest of each place, in the order in which they were written.
    """

    axes: str
    shape: tuple[int, ...]
    begun: int = 0
    tiles: dict[TileKey, StoredTile] = field(default_factory=dict)

    def add(self, tile: StoredTile) -> None:
        """Take a tile that was written after all others."""
        key = tile.start, tile.shape
        self.tiles.pop(key, None)
        self.tiles[key] = tile

    def since(self, sequence: int) -> list[StoredTile]:
        """Give the tiles written after a commit."""
        return [tile for tile in self.tiles.values() if tile.sequence > sequence]


def tile_payload(tile: Array) -> bytes:
    """Give the pixels of a tile as they are kept in the journal: a tile without labels takes a few bytes.

    Raises
    ------
    AnnotationError
        If a number is negative, or too large for a label.
    """
    pixels = np.asarray(tile)
    if pixels.size and (pixels.min() < 0 or pixels.max() > np.iinfo(STORED).max):
        raise AnnotationError(
            "Labels are whole numbers from 0 to 4,294,967,295.", remedy="Number the objects 1, 2, 3 and so on."
        )
    return zlib.compress(np.ascontiguousarray(pixels, STORED).tobytes(), 1)


class ComposedLabels:
    """An array-like of a layer: a file (or nothing), and the tiles written since; uint32, read window by window.

    Understands one forward slice per axis; `microforge.axes.lazy_view.LazyView` understands the rest.

    Parameters
    ----------
    shape
        ``(T)(Z)YX``.
    base
        What the tiles lie on; None: 0 everywhere.
    tiles
        In the order in which they were written.
    """

    def __init__(self, shape: Sequence[int], base: ArrayLike | None, tiles: Sequence[StoredTile]) -> None:
        self.shape: tuple[int, ...] = tuple(shape)
        self.ndim, self.dtype = len(self.shape), np.dtype(np.uint32)
        self._base, self._tiles = base, tuple(tiles)

    def __getitem__(self, key: tuple[slice, ...], /) -> Array:
        """Read a window."""
        sides = [part.indices(length) for part, length in zip(key, self.shape, strict=True)]
        pixels = self.window(tuple((start, max(start, stop)) for start, stop, _ in sides))
        return pixels[tuple(slice(None, None, step) for _, _, step in sides)]

    def window(self, window: BandWindow) -> Array:
        """Read a window, given by first pixel and end along each axis."""
        if self._base is None:
            pixels = np.zeros([stop - start for start, stop in window], np.uint32)
        else:
            pixels = np.array(self._base[tuple(slice(*side) for side in window)], np.uint32)
        for tile in self._tiles:
            _lay(tile, pixels, window)
        return pixels


def _lay(tile: StoredTile, pixels: Array, window: BandWindow) -> None:
    """Write what a tile has of a window."""
    inside = [
        (max(start, first), min(stop, first + length))
        for (start, stop), first, length in zip(window, tile.start, tile.shape, strict=True)
    ]
    if any(low >= high for low, high in inside):
        return
    here = tuple(slice(low - start, high - start) for (low, high), (start, _) in zip(inside, window, strict=True))
    there = tuple(slice(low - first, high - first) for (low, high), first in zip(inside, tile.start, strict=True))
    pixels[here] = tile.pixels()[there]
