"""Write label images that do not fit into memory, band by band; come here with labels of a whole slide."""

import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import tifffile

from microforge.io.atomic import atomic_path
from microforge.io.writing.frames import LARGEST_PLAIN, Layout, labels_description, per_unit
from microforge.types import Array

#: So many bytes of labels are one strip of the file, and about so many are asked for at once.
_STRIP, _BAND = 1 << 20, 1 << 24
_LEVEL = 6

#: First row and end along each axis.
BandWindow = tuple[tuple[int, int], ...]


def write_label_bands(
    path: str | Path, layout: Layout, read: Callable[[BandWindow], Array], *, durable: bool = True
) -> None:
    """Write a label image as uint32 TIFF, compressed without loss, all or nothing, from bands of rows.

    Parameters
    ----------
    layout
        Its axes are ``(T)(Z)YX``; the dtype is taken for uint32.
    read
        Gives the labels of a window, uint32, of a few rows of one plane; asked in the order of the file.

    Raises
    ------
    WriteError
        If the file cannot be written; one that was there is unchanged.
    """
    highest = 0

    def strips() -> Iterator[bytes]:
        nonlocal highest
        for window in _bands(layout.shape, rows * max(1, _BAND // _STRIP)):
            band = np.ascontiguousarray(read(window), "<u4").reshape(-1, layout.shape[-1])
            highest = max(highest, int(band.max(initial=0)))
            for row in range(0, len(band), rows):
                yield zlib.compress(band[row : row + rows].tobytes(), _LEVEL)

    rows = max(1, min(layout.shape[-2], _STRIP // (4 * layout.shape[-1])))
    with atomic_path(path, durable=durable) as temporary:
        with tifffile.TiffWriter(temporary, byteorder="<", bigtiff=layout.bytes > LARGEST_PLAIN) as file:
            file.write(
                strips(),
                shape=layout.shape,
                dtype="<u4",
                rowsperstrip=rows,
                compression="zlib",
                photometric="minisblack",
                description=labels_description(layout, 0),
                metadata=None,
                resolution=per_unit(layout.pixel_size),
                resolutionunit="NONE",
            )
        # How many there are is known when all have been written.
        if highest:
            tifffile.tiffcomment(temporary, labels_description(layout, highest).encode())


def _bands(shape: tuple[int, ...], rows: int) -> Iterator[BandWindow]:
    *leading, height, width = shape
    for plane in np.ndindex(*leading):
        for row in range(0, height, rows):
            yield (*((n, n + 1) for n in plane), (row, min(row + rows, height)), (0, width))
