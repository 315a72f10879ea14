"""Layers that are put away: out of the viewer, and without their pixels, which are in a file or packed meanwhile.

Come here when an image does not come back as it was. The layer itself stays, so that all that belongs to it does.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any
from zlib import compress, decompress

import numpy as np
from napari.layers import Labels, Layer

from microforge.errors import ImageReadError
from microforge.gui.layers.layer_axes import AT_REST
from microforge.types import Array

#: Bytes that are packed together.
_BLOCK = 2 << 20


class FilePixels:
    """The pixels of an image file, read anew whenever they are asked for; an array-like.

    Parameters
    ----------
    like
        Has the shape of the image.
    read
        Reads the array of a file.
    never_shown
        Whether nobody knows yet how bright the image is.
    """

    def __init__(self, path: Path, like: Array, read: Callable[[Path], Array], *, never_shown: bool = False) -> None:
        self._path, self._read, self.never_shown = path, read, never_shown
        self.shape, self.ndim, self.dtype = tuple(like.shape), like.ndim, like.dtype

    def __getitem__(self, key: Any, /) -> Array:
        """Read a part."""
        part: Array = np.asarray(self)[key]
        return part

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        """Read all.

        Raises
        ------
        ImageReadError
            If the file is gone, damaged, or holds an image of another size by now.
        """
        data = self._read(self._path)
        if tuple(data.shape) != self.shape:
            sizes = [" × ".join(str(n) for n in shape) for shape in (data.shape, self.shape)]
            raise ImageReadError(
                f"It has {sizes[0]} pixels now, and had {sizes[1]} when it was annotated.",
                where=str(self._path),
                kept="Its annotation is kept.",
                remedy="Put the image back that was annotated, or untick it in Train.",
            )
        return np.asarray(data, dtype)


class PackedLabels:
    """Labels, packed: of a painted image a hundredth of the memory; an array-like.

    Attributes
    ----------
    highest
        The highest label.
    """

    def __init__(self, labels: Array) -> None:
        self.shape, self.ndim, self.dtype = tuple(labels.shape), labels.ndim, labels.dtype
        self.highest = int(labels.max(initial=0))
        self._step = max(1, _BLOCK * len(labels) // max(labels.nbytes, 1))
        parts = (labels[start : start + self._step] for start in range(0, len(labels), self._step))
        self._packed = [compress(np.ascontiguousarray(part).tobytes(), 1) for part in parts]

    def __getitem__(self, key: Any, /) -> Array:
        """Give a part; of whole rows only those are unpacked that are asked for."""
        rows, *others = key if isinstance(key, tuple) else (key,)
        if not isinstance(rows, slice) or rows.step not in (None, 1):
            part: Array = np.asarray(self)[key]
            return part
        first, last, _ = rows.indices(self.shape[0])
        blocks = range(first // self._step, max(-(-last // self._step), first // self._step + 1))
        unpacked = np.concatenate([self._block(number) for number in blocks])
        start = blocks[0] * self._step
        within: Array = unpacked[(slice(first - start, last - start), *others)]
        return within

    def copy(self) -> Array:
        """Unpack all."""
        return np.asarray(self)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        """Unpack all; an array of one's own."""
        made = np.empty(self.shape, self.dtype)
        for number, start in enumerate(range(0, self.shape[0], self._step)):
            made[start : start + self._step] = self._block(number)
        return made if dtype is None else made.astype(dtype, copy=False)

    def _block(self, number: int) -> Array:
        rows = np.frombuffer(decompress(self._packed[number]), self.dtype)
        return rows.reshape(-1, *self.shape[1:])


def let_go_of_pixels(layer: Layer, instead: FilePixels | PackedLabels) -> None:
    """Let a layer that is in no viewer hold no pixels; `finest` gives what stands for them."""
    layer.metadata[AT_REST] = instead
    _set_pixels(layer, np.broadcast_to(np.zeros((), instead.dtype), instead.shape))


def give_pixels(layer: Layer, pixels: Array) -> None:
    """Give a layer its pixels back, before it goes into the viewer again."""
    rest = layer.metadata.pop(AT_REST, None)
    _set_pixels(layer, pixels)
    if isinstance(rest, FilePixels) and rest.never_shown and not getattr(layer, "rgb", False):
        layer.reset_contrast_limits()


def resting_pixels(layer: Layer) -> FilePixels | PackedLabels | None:
    """Give what stands for the pixels of a layer that was put away; None where it has them."""
    found: FilePixels | PackedLabels | None = layer.metadata.get(AT_REST)
    return found


def can_be_packed(layer: Layer) -> bool:
    """Whether a layer holds labels in memory; along a channel slider they are shared, and stay so."""
    return isinstance(layer, Labels) and type(layer.data) is np.ndarray and 0 not in layer.data.strides


def _set_pixels(layer: Layer, pixels: Array) -> None:
    shown = layer.visible
    # What is hidden is not drawn: an array that is only a promise is not read for it.
    layer.visible = False
    limits = getattr(layer, "contrast_limits", None)
    layer.data = pixels
    if limits is not None and not getattr(layer, "rgb", False):
        layer.contrast_limits = limits
    layer.visible = shown
