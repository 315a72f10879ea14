"""TIFF files (also OME, ImageJ, LSM) as arrays; a damaged file is an error, never a smaller or emptier image.

The library for TIFF reads what it can of a cut file and only logs a complaint: those that mean loss are errors here.
"""

import logging
import mmap
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import tifffile

from microforge.errors import ImageReadError
from microforge.io.pixel_size import imagej_channels, imagej_sizes, lsm_sizes, ome_channels, ome_sizes, tag_sizes
from microforge.types import Array, ArrayLike

#: Uncompressed files from this size on are left on disk and read where needed.
LARGE = 64 * 2**20
_LOSS = re.compile(
    r"invalid page offset|metadata invalid or corrupted|failed to reshape|TiffTag 270 .*invalid value offset"
)


@dataclass(frozen=True, eq=False)
class RawImage:
    """An array as stored: `axes` may hold letters that only TIFF libraries know.

    `sizes` are µm by axis, and for T the seconds between time points. `full_axes` and `full_shape` also name the
    dimensions of length one. `colour` says whether S is red, green, blue.
    """

    data: Array
    axes: str
    full_axes: str = ""
    full_shape: tuple[int, ...] = ()
    sizes: Mapping[str, float] = field(default_factory=dict)
    channel_names: tuple[str, ...] = ()
    colour: bool = True


def read_tiff(path: Path) -> RawImage:
    """Read the main image of a TIFF file; from `LARGE` bytes on as a view of the disk where storage allows it.

    Raises
    ------
    ImageReadError
        If the file is damaged, cut, holds nothing or several positions, or is stored in an unknown way.
    """
    with _complaints() as complaints:
        try:
            with tifffile.TiffFile(path) as file:
                raw = _read(file, path)
        except (ImageReadError, PermissionError):
            raise
        except MemoryError as error:
            raise too_large(path) from error
        except Exception as error:
            # Damaged files make decoders raise anything.
            raise damaged(path, str(error)) from error
    loss = next((text for text in complaints if _LOSS.search(text)), "")
    if loss:
        raise damaged(path, loss)
    return raw


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


def damaged(path: Path, detail: str) -> ImageReadError:
    """Give the error for a file that ends early or holds garbage."""
    short = re.sub(r"<tifffile\.[^>]*>\s*", "", detail).strip().split("\n")[0][:120]
    return ImageReadError(
        f"The file is damaged or was not copied completely ({short}).",
        where=str(path),
        remedy="Copy it again from where it was recorded; if Fiji opens it, save it from there as a new TIFF.",
    )


def too_large(path: Path) -> ImageReadError:
    """Give the error for an image that does not fit into memory."""
    return ImageReadError(
        "The image does not fit into the memory of this computer.",
        where=str(path),
        remedy="Save it as an uncompressed TIFF, which is read piece by piece, or cut it into parts.",
    )


def _read(file: tifffile.TiffFile, path: Path) -> RawImage:
    series, index = _main_series(file, path)
    if series.kind == "ome" and any(page is None for page in series.pages):
        raise ImageReadError(
            "Planes that the file's description announces are missing.",
            where=str(path),
            remedy="Keep all files of a multi-file OME-TIFF together, or save it from Fiji as one TIFF.",
        )
    sizes, names = _metadata(file, series, index)
    return RawImage(
        _data(series, path),
        series.axes,
        series.get_axes(squeeze=False),
        tuple(series.get_shape(squeeze=False)),
        sizes,
        names,
        colour=_is_colour(series),
    )


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


def _data(series: Any, path: Path) -> Array:
    if series.dataoffset is None or series.nbytes < LARGE:
        data = series.asarray()
        return np.asarray(data, data.dtype.newbyteorder("="))
    if series.dataoffset + series.nbytes > path.stat().st_size:
        raise damaged(path, "it is shorter than its description says")
    dtype = np.dtype(series.keyframe.parent.byteorder + series.dtype.char)
    return np.memmap(path, dtype, "r", series.dataoffset, series.shape)


def _metadata(file: tifffile.TiffFile, series: Any, index: int) -> tuple[dict[str, float], tuple[str, ...]]:
    if file.is_ome and file.ome_metadata:
        return ome_sizes(file.ome_metadata, index), ome_channels(file.ome_metadata, index)
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


@contextmanager
def _complaints() -> Iterator[list[str]]:
    """Collect what the TIFF library logs in this thread."""
    listener = _Listener()
    logger = tifffile.logger()
    logger.addHandler(listener)
    try:
        yield listener.texts
    finally:
        logger.removeHandler(listener)


class _Listener(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.texts: list[str] = []
        self._thread = threading.get_ident()

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the text if it comes from the thread that listens."""
        if record.thread == self._thread:
            self.texts.append(record.getMessage())
