"""Write TIFFs frame by frame (ImageJ, OME), so that memory does not grow with a series.

TIFFs carry the description that ImageJ writes: Fiji, napari and ``read_image`` all take axes and pixel size from it.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tifffile

from microforge.errors import WriteError
from microforge.io.atomic import atomic_path
from microforge.types import Array, PixelSize

#: The order in which ImageJ keeps the axes.
ORDER = "TZCYX"
#: Types of pixels that ImageJ files keep; all others become float32.
KEPT = tuple(map(np.dtype, ("uint8", "int16", "uint16", "float32")))
#: Beyond four gigabytes ImageJ's description of plain TIFFs does not reach: BigTIFF with OME's description.
LARGEST_PLAIN = 2**32 - 2**25


@dataclass(frozen=True)
class Layout:
    """All that is known of an image before its pixels.

    Attributes
    ----------
    axes
        Letters of ``TZCYX`` in this order.
    dtype
        One of `KEPT`; or uint32 for labels, which are compressed without loss.
    pixel_size
        ``(Z)YX`` in micrometre.
    time_interval
        Seconds between time points.
    """

    axes: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    pixel_size: PixelSize | None = None
    channel_names: tuple[str, ...] = ()
    time_interval: float | None = None

    @property
    def bytes(self) -> int:
        """Size of all pixels; Python's whole numbers do not overflow."""
        count = self.dtype.itemsize
        for length in self.shape:
            count *= length
        return count

    @property
    def planes(self) -> int:
        """Number of planes YX."""
        return self.bytes // (self.dtype.itemsize * self.shape[-1] * self.shape[-2])


@contextmanager
def open_image(path: str | Path, layout: Layout, *, durable: bool = True) -> Iterator[Callable[[Array], None]]:
    """Give a function that appends whole planes in the order of the axes; the file appears when the block ends well.

    Parameters
    ----------
    durable
        See ``atomic_path``.

    Raises
    ------
    WriteError
        If the file cannot be written or pixels are missing at the end; one that was there is unchanged.
    """
    stored, written = layout.dtype.newbyteorder("<"), 0
    kind = _labels_file if layout.dtype == np.uint32 else _image_file
    with atomic_path(path, durable=durable) as temporary, kind(temporary, layout) as write:

        def append(pixels: Array) -> None:
            nonlocal written
            pixels = np.ascontiguousarray(pixels, stored)
            write(pixels)
            written += pixels.nbytes

        yield append
        if written != layout.bytes:
            raise WriteError(
                f"The image is incomplete: {written:,} of {layout.bytes:,} bytes.",
                where=str(path),
                remedy="Please report it with this image.",
            )


def stored_type(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """Give the type in which pixels of a type are kept in image files."""
    native = dtype.newbyteorder("=")
    return native if native in KEPT else np.dtype(np.float32)


def as_type(image: Array, dtype: np.dtype[Any]) -> tuple[Array, int]:
    """Give an image in another type, rounded and clipped to its range, and how many pixels did not fit."""
    if dtype.kind == "f":
        return image.astype(dtype, copy=False), 0
    limits = np.iinfo(dtype)
    rounded = np.rint(image)
    # NaN is outside, too.
    outside = rounded.size - int(np.count_nonzero((rounded >= limits.min) & (rounded <= limits.max)))
    if outside:
        rounded = np.clip(np.nan_to_num(rounded), limits.min, limits.max)
    return rounded.astype(dtype), outside


@contextmanager
def _image_file(path: Path, layout: Layout) -> Iterator[Callable[[Array], object]]:
    """Reserve the place of all pixels in one block, which can be mapped, then fill it in order."""
    plain = layout.bytes <= LARGEST_PLAIN
    kind: dict[str, Any] = {"imagej": True} if plain else {"ome": True, "bigtiff": True}
    with tifffile.TiffWriter(path, byteorder="<", **kind) as image:
        place = image.write(
            None,
            shape=layout.shape,
            dtype=layout.dtype.newbyteorder("<"),
            photometric="minisblack",
            metadata=_imagej(layout) if plain else _ome(layout),
            resolution=per_unit(layout.pixel_size),
            returnoffset=True,
        )
    assert place is not None
    with path.open("rb+") as file:
        file.seek(int(place[0]))
        yield lambda pixels: file.write(pixels.data)


@contextmanager
def _labels_file(path: Path, layout: Layout) -> Iterator[Callable[[Array], object]]:
    """Write compressed pages; the highest label is written into the description when it is known."""
    described, highest = "", 0
    with tifffile.TiffWriter(path, byteorder="<", bigtiff=layout.bytes > LARGEST_PLAIN) as file:

        def write(labels: Array) -> None:
            nonlocal described, highest
            highest = max(highest, int(labels.max(initial=0)))
            first = "" if described else labels_description(layout, highest)
            described = described or first
            file.write(
                labels,
                photometric="minisblack",
                compression="zlib",
                description=first or None,
                metadata=None,
                resolution=per_unit(layout.pixel_size),
                resolutionunit="NONE",
                # Threads cost more than they give at this size, and folder runs write several files at once.
                maxworkers=1,
            )

        yield write
    if described != labels_description(layout, highest):
        tifffile.tiffcomment(path, labels_description(layout, highest).encode())


def labels_description(layout: Layout, highest: int) -> str:
    """Describe labels as ImageJ does; without a range Fiji would show many objects as one brightness."""
    text: str = tifffile.imagej_description(layout.shape, rgb=False, **_imagej(layout), min=0.0, max=float(highest))
    return text


def _imagej(layout: Layout) -> Mapping[str, Any]:
    metadata: dict[str, Any] = {"axes": layout.axes}
    size = layout.pixel_size
    if size is not None:
        metadata["unit"] = "um"
    if size is not None and "Z" in layout.axes and len(size) == 3:
        metadata["spacing"] = float(size[0])
    if "T" in layout.axes and layout.time_interval:
        metadata["finterval"] = float(layout.time_interval)
    if "C" in layout.axes and layout.channel_names:
        metadata["Labels"] = list(layout.channel_names) * (layout.planes // len(layout.channel_names))
    return metadata


def _ome(layout: Layout) -> Mapping[str, Any]:
    metadata: dict[str, Any] = {"axes": layout.axes}
    for letter, size in zip("XYZ", reversed(layout.pixel_size or ()), strict=False):
        metadata |= {f"PhysicalSize{letter}": float(size), f"PhysicalSize{letter}Unit": "µm"}
    if "T" in layout.axes and layout.time_interval:
        metadata |= {"TimeIncrement": float(layout.time_interval), "TimeIncrementUnit": "s"}
    if "C" in layout.axes and layout.channel_names:
        metadata["Channel"] = {"Name": list(layout.channel_names)}
    return metadata


def per_unit(pixel_size: PixelSize | None) -> tuple[float, float] | None:
    """Give the pixels per micrometre along X and Y, as resolution tags have them."""
    return (1 / pixel_size[-1], 1 / pixel_size[-2]) if pixel_size else None
