"""What a file may ask for before anything of it is decoded: a few kilobytes can declare more than any memory holds."""

from math import prod
from pathlib import Path
from typing import Any

import imageio.v3 as imageio
from tifffile import COMPRESSION, TiffFile

from microforge.errors import ImageReadError
from microforge.io.files import TIFF_SUFFIXES
from microforge.io.images.tiff_errors import damaged, too_large
from microforge.memory import available_memory, bytes_text

#: Less than this is read without asking.
_SMALL = 1 << 26
#: So many times smaller a compression makes pixels at most; what is not here has no bound worth knowing.
_MOST = {
    COMPRESSION.NONE: 1.0,
    COMPRESSION.PACKBITS: 64.0,
    COMPRESSION.LZW: 3000.0,
    COMPRESSION.ADOBE_DEFLATE: 1040.0,
    COMPRESSION.DEFLATE: 1040.0,
}
#: A single piece above this size that hardly takes any room on the disk is no image, whatever is inside.
_GIANT_PIECE, _EMPTY = 1 << 30, 500
#: Of the memory that is free, an image may take this part.
_PART = 0.8


def check_picture(path: Path, pixels: int, pixel_bytes: int, most: float) -> None:
    """Refuse a picture that declares more pixels than the file can hold, or than fit into the memory.

    Parameters
    ----------
    pixels, pixel_bytes
        How many there are, and bytes of each while it is decoded.
    most
        So many pixels a byte of the file gives at most.

    Raises
    ------
    ImageReadError
        If it is too large, or the file too small for it.
    """
    if pixels * pixel_bytes < _SMALL:
        return
    if pixels > most * path.stat().st_size:
        raise damaged(path, f"it says that it has {pixels:,} pixels, which do not fit into it")
    check_memory(path, pixels * pixel_bytes)


def check_memory(path: Path, needed: int) -> None:
    """Refuse to read so many bytes where so much memory is not free.

    Raises
    ------
    ImageReadError
        If it is not; says how much is needed and how much there is.
    """
    free = available_memory()
    if needed >= _SMALL and needed > _PART * free:
        raise too_large(path, needed, free)


def check_pieces(path: Path, page: Any) -> None:
    """Refuse a TIFF page whose strips or tiles cannot be what they say, or not one of which fits into the memory.

    Raises
    ------
    ImageReadError
        If so.
    """
    piece = prod(page.chunks) * page.dtype.itemsize
    stored = [count for count in page.databytecounts if count]
    if piece * max(1, len(stored)) < _SMALL:
        return
    packed = prod(page.chunks) * page.bitspersample / 8
    # The last strip may be shorter; missing tiles are none.
    decoded = packed * max(1, len(stored) - 1)
    most = _MOST.get(page.compression)
    if most is not None and decoded > most * sum(stored):
        raise damaged(path, "it says that it holds more pixels than its compressed bytes can give")
    if piece > _GIANT_PIECE and packed > _EMPTY * max(stored, default=1):
        raise ImageReadError(
            f"The file packs {bytes_text(piece)} of pixels into {bytes_text(max(stored, default=0))}, as one block.",
            where=str(path),
            remedy="Ask where it comes from. If it is an image, save it in tiles or strips, which are read one by one.",
        )
    check_memory(path, piece)


def decoded_bytes(path: Path) -> int:
    """Estimate the bytes that `read_image` keeps in memory for a file, from its first header alone.

    Pages of a file are taken to be compressed alike. Of a file that cannot be understood it is the size: reading it
    says what is wrong.
    """
    stored = path.stat().st_size
    try:
        return _of_tiff(path, stored) if path.suffix.lower() in TIFF_SUFFIXES else _of_picture(path)
    except Exception:  # noqa: BLE001 - damaged files make decoders raise anything
        return stored


def _of_tiff(path: Path, stored: int) -> int:
    with TiffFile(path) as file:
        page = file.pages.first
        if page.compression == COMPRESSION.NONE:
            # Larger ones stay on disk.
            return min(stored, _SMALL)
        return int(page.nbytes * stored / max(sum(page.databytecounts), 1))


def _of_picture(path: Path) -> int:
    properties = imageio.improps(path, plugin="pillow", index=0)
    return int(prod(properties.shape) * properties.dtype.itemsize)
