"""What a layer holds, as checksums; come here where a change of pixels, points or outlines goes unnoticed.

napari tells of most changes, but not of undo and redo, of arrays written in place, or of another plugin's doings.
"""

from collections.abc import Hashable, Iterator, Sequence
from time import perf_counter
from typing import Any
from zlib import crc32

import numpy as np
from napari.layers import Image, Labels, Layer, Points, Shapes

from microforge.gui.layers.points import KIND, POINT_COLUMNS
from microforge.types import Array

#: Bytes that are looked at between two looks at the clock.
_BLOCK = 1 << 22
#: What reading a layer may raise while another thread changes it.
_TORN = (AttributeError, IndexError, KeyError, RuntimeError, TypeError, ValueError)


class LayerContent:
    """One layer as it was when it was last looked at. Reads only: any thread may look while a person paints.

    What was half changed during a look differs at the next one, so that no change is missed.
    """

    def __init__(self, layer: Layer) -> None:
        self.layer = layer
        self._look: Hashable = None
        self._data: Any = None
        self._sums: dict[Hashable, int] = {}
        self._highest: dict[Hashable, int] = {}
        self._next = 0

    @property
    def was_looked_at(self) -> bool:
        """Whether there was a first look."""
        return self._look is not None

    @property
    def highest(self) -> int:
        """The highest label found; 0 where there is none."""
        return max(self._highest.copy().values(), default=0)

    def look(self, seconds: float, *, thorough: bool, shown: Sequence[int] = ()) -> bool:
        """Give whether the layer differs from what it was at the last look; the first look finds no difference.

        Parameters
        ----------
        seconds
            Of pixels no more is looked at than fits, the rest at the next looks; a block at least.
        thorough
            Look at all pixels, however long it takes.
        shown
            Index of the plane on the screen: of arrays on disk only that one is looked at.
        """
        try:
            data, look, old = _data_of(self.layer), _look_of(self.layer), self._look
            other = old is not None and (look != old or data is not self._data)
            if data is not self._data:
                self._data, self._sums, self._highest, self._next = data, {}, {}, 0
            self._look = look
            return self._pixels_differ(seconds, thorough, shown) or other
        except _TORN:
            return False

    def _pixels_differ(self, seconds: float, thorough: bool, shown: Sequence[int]) -> bool:
        if not _may_change(self.layer, self._data):
            return False
        if not isinstance(self._data, np.ndarray):
            plane = tuple(shown)
            return bool(plane) and self._differs(plane, np.asarray(self._data[plane]))
        return self._blocks_differ(_rows_of(self._data), seconds, thorough)

    def _blocks_differ(self, rows: Array, seconds: float, thorough: bool) -> bool:
        step = max(1, _BLOCK * len(rows) // max(rows.nbytes, 1))
        blocks = range(0, len(rows), step)
        end, found = perf_counter() + seconds, False
        for number in _in_turn(self._next, len(blocks)):
            found |= self._differs(number, rows[blocks[number] : blocks[number] + step])
            self._next = number + 1
            if not thorough and perf_counter() > end:
                break
        return found

    def _differs(self, part: Hashable, pixels: Array) -> bool:
        old, self._sums[part] = self._sums.get(part), checksum(pixels)
        if isinstance(self.layer, Labels):
            self._highest[part] = int(pixels.max(initial=0))
        return old is not None and old != self._sums[part]


def is_on_disk(layer: Layer) -> bool:
    """Whether the pixels of a layer are not in memory: then only what is on the screen can be compared."""
    data = _data_of(layer)
    return data is not None and not isinstance(data, np.ndarray)


def checksum(array: Array) -> int:
    """Give a number that changes when an array does, at several gigabytes a second; other threads go on meanwhile."""
    one = array[tuple(slice(0, 1) if step == 0 else slice(None) for step in array.strides)]
    return crc32(np.ascontiguousarray(one).reshape(-1).view(np.uint8).data)


def _data_of(layer: Layer) -> Any:
    """Give the array of an image or label layer, the finest where there are several; None for other layers."""
    if isinstance(layer, Points | Shapes):
        return None
    return layer.data[0] if getattr(layer, "multiscale", False) else layer.data


def _may_change(layer: Layer, data: Any) -> bool:
    """Whether pixels are to be compared: images on disk are not, nor what dask computes anew at every look."""
    if isinstance(layer, Image):
        return type(data) is np.ndarray
    return data is not None and not hasattr(data, "__dask_graph__")


def _look_of(layer: Layer) -> Hashable:
    """Give what is quickly read: the name, the place, and of points and outlines all."""
    place = (layer.scale, layer.translate, layer.rotate, layer.shear, layer.affine.affine_matrix)
    named = (layer.name, str(layer.metadata.get("axes")), *(str(unit) for unit in layer.units), *layer.axis_labels)
    return (named, *(np.asarray(part).tobytes() for part in place), *_drawn(layer))


def _drawn(layer: Layer) -> Iterator[Hashable]:
    if isinstance(layer, Points):
        yield checksum(np.asarray(layer.data))
        yield str(layer.metadata.get(KIND, ""))
        for column in layer.features.columns:
            if str(column).lower() in POINT_COLUMNS:
                yield str(column), tuple(layer.features[column].tolist())
    if isinstance(layer, Shapes):
        yield tuple(str(kind) for kind in layer.shape_type)
        yield tuple(np.asarray(corners).tobytes() for corners in layer.data)


def _rows_of(array: Array) -> Array:
    """Give an array as rows of what lies together in memory; a view. What is repeated is there once."""
    one = array[tuple(slice(0, 1) if step == 0 else slice(None) for step in array.strides)]
    one = one.T if one.flags.f_contiguous else one
    return one.reshape(-1) if one.flags.c_contiguous else one


def _in_turn(first: int, count: int) -> Iterator[int]:
    """Give every number below `count` once, from `first` on."""
    return ((first + number) % count for number in range(count))
