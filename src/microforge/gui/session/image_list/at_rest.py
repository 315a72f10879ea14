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


class FilePixels:
    """The pixels of an image file, read anew whenever they are asked for; an array-like.

    Parameters
    ----------
    read
        Reads the array of a file.
    """

    def __init__(self, path: Path, like: Array, read: Callable[[Path], Array]) -> None:
        self._path, self._read = path, read
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
        self._rows = [compress(np.ascontiguousarray(row).tobytes(), 1) for row in _blocks(labels)]

    def __getitem__(self, key: Any, /) -> Array:
        """Unpack, and give a part."""
        part: Array = np.asarray(self)[key]
        return part

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        """Unpack all; an array of one's own."""
        made = np.empty(self.shape, self.dtype)
        for block, packed in zip(_blocks(made), self._rows, strict=True):
            block[...] = np.frombuffer(decompress(packed), self.dtype).reshape(block.shape)
        return made if dtype is None else made.astype(dtype, copy=False)


def let_go_of_pixels(layer: Layer, instead: FilePixels | PackedLabels) -> None:
    """Let a layer that is in no viewer hold no pixels; `finest` gives what stands for them."""
    layer.metadata[AT_REST] = instead
    _set_pixels(layer, np.broadcast_to(np.zeros((), instead.dtype), instead.shape))


def give_pixels(layer: Layer, pixels: Array) -> None:
    """Give a layer its pixels back, before it goes into the viewer again."""
    layer.metadata.pop(AT_REST, None)
    _set_pixels(layer, pixels)


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


def _blocks(labels: Array) -> list[Array]:
    """Give parts of an array of some megabytes each, as views."""
    step = max(1, (4 << 20) * len(labels) // max(labels.nbytes, 1))
    return [labels[start : start + step] for start in range(0, len(labels), step)]
