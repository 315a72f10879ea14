"""Read TIFF, OME-TIFF, ImageJ hyperstacks and LSM; a damaged file is an error, never a smaller image."""

import mmap
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree.ElementTree import Element

import numpy as np
import tifffile

from microforge.axes.lazy_view import LazyView
from microforge.errors import ImageReadError
from microforge.io.images.pixel_size import imagej_channels, imagej_sizes, lsm_sizes, ome_channels, ome_sizes, tag_sizes
from microforge.io.images.tiff_errors import damaged, in_words, too_large
from microforge.io.xml import EntitiesError, parse_xml
from microforge.types import Array, ArrayLike

if TYPE_CHECKING:
    from microforge.io.images.lazy_tiff import LazyTiff

#: Images of so many bytes (decoded) and more are left on disk and read where needed.
LARGE = 64 * 2**20


@dataclass(frozen=True, eq=False)
class RawImage:
    """An array as stored: `axes` may hold letters that only TIFF libraries know.

    `sizes` are µm by axis, and for T the seconds between time points. `full_shape` also has the dimensions of
    length one. `colour` says whether S is red, green, blue. `tiff` is what reads a lazy `data`.
    """

    data: Array | LazyView
    axes: str
    full_shape: tuple[int, ...] = ()
    sizes: Mapping[str, float] = field(default_factory=dict)
    channel_names: tuple[str, ...] = ()
    colour: bool = True
    tiff: "LazyTiff | None" = None


def read_tiff(path: Path) -> RawImage:
    """Read the main image of a TIFF file; from `LARGE` bytes on it stays on disk.

    A single block of pixels is mapped; of all else pages, tiles or strips are decoded when they are asked for.

    Raises
    ------
    ImageReadError
        If the file is damaged, cut, holds nothing or several positions, or is stored in an unknown way.
    """
    try:
        with in_words(path), tifffile.TiffFile(path) as file:
            return _read(file, path)
    except MemoryError as error:
        raise too_large(path) from error


def let_go(data: ArrayLike) -> None:
    """Give back the memory in which pages of a file left on disk were read; they are read again where needed.

    Without it a long time series, read frame by frame, would fill the memory in the end.
    """
    base: Any = data
    if not isinstance(base, np.memmap) or base.mode != "r" or not hasattr(mmap, "MADV_DONTNEED"):
        # Copies written to in memory would be lost.
        return
    while isinstance(base, np.ndarray):
        base = base.base
    if isinstance(base, mmap.mmap):
        base.madvise(mmap.MADV_DONTNEED)


def _read(file: tifffile.TiffFile, path: Path) -> RawImage:
    description = _xml_description(file, path)
    series, index = _main_series(file, path)
    if series.kind == "ome" and any(page is None for page in series.pages):
        raise ImageReadError(
            "Planes that the file's description announces are missing.",
            where=str(path),
            remedy="Keep all files of a multi-file OME-TIFF together, or save it from Fiji as one TIFF.",
        )
    sizes, names = _metadata(file, series, index, description)
    data = _data(series, path)
    return RawImage(
        data if isinstance(data, np.ndarray) else LazyView(data, range(data.ndim), {}),
        series.axes,
        _full_shape(file, series, index),
        sizes,
        names,
        colour=_is_colour(series),
        tiff=None if isinstance(data, np.ndarray) else data,
    )


def _full_shape(file: tifffile.TiffFile, series: Any, index: int) -> tuple[int, ...]:
    # Since 2026.5.2 it is the file that is asked.
    full = series.get_shape(squeeze=False) if hasattr(series, "get_shape") else file.series(squeeze=False)[index].shape
    return tuple(full)


def _is_colour(series: Any) -> bool:
    """Say whether S is red, green, blue: stacks of three or four planes are often stored as if they were."""
    photometric = series.keyframe.photometric in (tifffile.PHOTOMETRIC.RGB, tifffile.PHOTOMETRIC.YCBCR)
    return photometric and (series.axes.endswith("S") or series.kind == "ome")


def _main_series(file: tifffile.TiffFile, path: Path) -> tuple[Any, int]:
    """Choose the largest image; thumbnails beside it are left out, several of one size are positions."""
    series = list(file.series)
    if not series:
        raise damaged(path, "it holds no image")
    largest = max(range(len(series)), key=lambda i: (series[i].size, -i))
    twins = sum(one.shape == series[largest].shape for one in series)
    if twins > 1:
        raise ImageReadError(
            f"The file holds {twins} images (positions) of the same size.",
            where=str(path),
            remedy="Save each as a file of its own, for instance in Fiji with Bio-Formats.",
        )
    return series[largest], largest


def _data(series: Any, path: Path) -> "Array | LazyTiff":
    if series.nbytes < LARGE:
        return _native(series)
    if series.dataoffset is None:
        # zarr takes a while to load.
        from microforge.io.images.lazy_tiff import LazyTiff, is_lazy

        return LazyTiff(series) if is_lazy(series) else _native(series)
    if series.dataoffset + series.nbytes > path.stat().st_size:
        raise damaged(path, "it is shorter than its description says")
    dtype = np.dtype(series.keyframe.parent.byteorder + series.dtype.char)
    return np.memmap(path, dtype, "r", series.dataoffset, series.shape)


def _native(series: Any) -> Array:
    data = series.asarray()
    return np.asarray(data, data.dtype.newbyteorder("="))


def _xml_description(file: tifffile.TiffFile, path: Path) -> Element | None:
    """Parse the description where it is XML; to be done before the TIFF library does, which takes entities."""
    text = file.pages.first.description.strip()
    try:
        return parse_xml(text) if text.endswith(">") else None
    except EntitiesError as error:
        raise ImageReadError(
            f"The file's description cannot be read: {error}.",
            where=str(path),
            remedy="No microscope writes such files. Ask where it comes from, or save it from Fiji as a new TIFF.",
        ) from error
    except ValueError:
        return None


def _metadata(
    file: tifffile.TiffFile, series: Any, index: int, description: Element | None
) -> tuple[dict[str, float], tuple[str, ...]]:
    if file.is_ome and description is not None:
        return ome_sizes(description, index), ome_channels(description, index)
    if file.is_lsm and file.lsm_metadata:
        return lsm_sizes(file.lsm_metadata), ()
    resolution, unit = _resolution(series.keyframe)
    if file.is_imagej and file.imagej_metadata:
        channels = series.shape[series.axes.index("C")] if "C" in series.axes else 1
        sizes = imagej_sizes(file.imagej_metadata, resolution)
        return sizes, imagej_channels(file.imagej_metadata, channels)
    shaped: Mapping[str, Any] = (file.shaped_metadata or ({},))[0] or {}
    return tag_sizes(resolution, unit, shaped), ()


def _resolution(page: Any) -> tuple[tuple[float, float], int]:
    """Give pixels per unit along X and Y, zero where unknown, and the code of the unit."""
    values = [page.tags.valueof(name, (0, 1)) for name in ("XResolution", "YResolution")]
    x, y = (a / b if b else 0.0 for a, b in values)
    return (x, y), int(page.tags.valueof("ResolutionUnit", 2))
