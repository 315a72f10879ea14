"""Read TIFF, OME-TIFF, ImageJ hyperstacks and LSM; a damaged file is an error, never a smaller image."""

import mmap
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree.ElementTree import Element

import numpy as np
import tifffile

from microforge.axes.lazy_view import LazyView
from microforge.errors import ImageReadError
from microforge.io.images.colour import conversion, has_alpha, palette_of
from microforge.io.images.limits import check_memory, check_pieces
from microforge.io.images.orientation import UPRIGHT, as_stored
from microforge.io.images.pixel_size import (
    imagej_channels,
    imagej_sizes,
    lsm_sizes,
    ome_channels,
    ome_sizes,
    svs_sizes,
    tag_sizes,
)
from microforge.io.images.tiff_errors import damaged, in_words, too_large, unsupported
from microforge.io.images.tiff_series import check_description, main_series
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
    length one. `colour` says whether S is red, green, blue; `planes` that these lie one after the other, as those of a
    stack may. `tiff` is what reads a lazy `data`. `palette` is what the numbers stand for: colours uint8 ``(N, 3)``, or
    grey values ``(N,)``. `notes` tell what a person must know of how the file was read.
    """

    data: Array | LazyView
    axes: str
    full_shape: tuple[int, ...] = ()
    sizes: Mapping[str, float] = field(default_factory=dict)
    channel_names: tuple[str, ...] = ()
    colour: bool = True
    planes: bool = False
    tiff: "LazyTiff | None" = None
    palette: Array | None = None
    notes: tuple[str, ...] = ()


def read_tiff(path: Path) -> RawImage:
    """Read the main image of a TIFF file; from `LARGE` bytes on it stays on disk.

    A single block of pixels is mapped; of all else pages, tiles or strips are decoded when they are asked for.

    Raises
    ------
    ImageReadError
        If the file is damaged, cut, holds nothing or several positions, or is stored in an unknown way.
    """
    try:
        with in_words(path), tifffile.TiffFile(path, **_flags(path)) as file:
            return _read(file, path)
    except MemoryError as error:
        raise too_large(path) from error


def _flags(path: Path) -> dict[str, bool]:
    """Tell the library that a plain TIFF is one: from the name it expects offsets of 64 bits, as Hamamatsu writes."""
    if path.suffix.lower() != ".ndpi":
        return {}
    with path.open("rb") as file:
        offset = int.from_bytes(file.read(12)[4:], "little")
    return {"is_ndpi": False} if offset >= path.stat().st_size else {}


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
    check_description(description, file, path)
    series, index, notes = main_series(file, path)
    if series.kind == "ome" and any(page is None for page in series.pages):
        raise ImageReadError(
            "Planes that the file's description announces are missing.",
            where=str(path),
            remedy="Keep all files of a multi-file OME-TIFF together, or save it from Fiji as one TIFF.",
        )
    sizes, names = _metadata(file, series, index, description)
    page = series.keyframe
    raw = RawImage(
        np.empty(0),
        series.axes,
        _full_shape(file, series, index),
        sizes,
        names,
        colour=_is_colour(series),
        planes=_is_planar(series),
        palette=None if file.is_imagej else palette_of(page),
        notes=(*notes, *_notes(page)),
    )
    return _with_data(raw, series, path)


def _with_data(raw: RawImage, series: Any, path: Path) -> RawImage:
    """Decode the pixels, or leave them on disk; colours that are not red, green, blue are converted here."""
    data = _data(series, path)
    try:
        convert = conversion(series.keyframe)
    except ValueError as error:
        raise unsupported(path, str(error)) from error
    if convert is not None and "S" in raw.axes:
        check_memory(path, 8 * prod(series.shape))
        axis = raw.axes.index("S")
        colours = convert(np.moveaxis(np.asarray(data[(slice(None),) * len(series.shape)]), axis, -1))
        axes = f"{raw.axes.replace('S', '')}S"
        return replace(raw, data=colours, axes=axes, full_shape=colours.shape, colour=True)
    if isinstance(data, np.ndarray):
        return replace(raw, data=data)
    return replace(raw, data=LazyView(data, range(data.ndim), {}), tiff=data)


def _notes(page: Any) -> tuple[str, ...]:
    turned = as_stored(page.tags.valueof("Orientation", UPRIGHT))
    if page.photometric != tifffile.PHOTOMETRIC.MINISWHITE or page.bitspersample == 1:
        return turned
    return (*turned, "The file says that 0 is white: its numbers are taken as stored, as Fiji and napari measure them.")


def _full_shape(file: tifffile.TiffFile, series: Any, index: int) -> tuple[int, ...]:
    # Since 2026.5.2 it is the file that is asked.
    full = series.get_shape(squeeze=False) if hasattr(series, "get_shape") else file.series(squeeze=False)[index].shape
    return tuple(full)


def _is_colour(series: Any) -> bool:
    """Say whether S is red, green, blue (and transparency)."""
    page = series.keyframe
    if has_alpha(page):
        return bool(series.axes.endswith("S"))
    photometric = page.photometric in (tifffile.PHOTOMETRIC.RGB, tifffile.PHOTOMETRIC.YCBCR)
    return photometric and (series.axes.endswith("S") or series.kind == "ome" or _is_planar(series))


def _is_planar(series: Any) -> bool:
    """Say whether a single page holds red, green and blue one after the other.

    Stacks of three or four planes are often stored as if they were colours: those of other types surely.
    """
    page = series.keyframe
    red_green_blue = page.photometric == tifffile.PHOTOMETRIC.RGB and page.samplesperpixel == 3
    whole = page.dtype is not None and page.dtype.kind == "u" and page.bitspersample in (8, 16)
    return red_green_blue and whole and len(series) == 1 and series.axes == "SYX"


def _data(series: Any, path: Path) -> "Array | LazyTiff":
    if series.nbytes < LARGE:
        return _native(series)
    if series.dataoffset is None:
        # zarr takes a while to load.
        from microforge.io.images.lazy_tiff import LazyTiff, is_lazy

        check_pieces(path, series.keyframe)
        if is_lazy(series):
            return LazyTiff(series)
        check_memory(path, series.nbytes)
        return _native(series)
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
    if file.is_svs:
        return svs_sizes(series.keyframe.description), ()
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
