"""How large an image file becomes in memory, from its header; come here when too much is read ahead, or too little.

A file of a few kilobytes may hold a gigabyte: what is stored says little about what is decoded.
"""

from math import prod
from pathlib import Path

import imageio.v3 as imageio
import tifffile

from microforge.io.files import TIFF_SUFFIXES
from microforge.io.images import LARGE


def decoded_bytes(path: Path) -> int:
    """Estimate the bytes that `read_image` keeps in memory for a file, from its first header alone.

    Pages of a file are taken to be compressed alike. Uncompressed TIFFs stay on disk from a certain size on. Of a file
    that cannot be understood it is the size: reading it says what is wrong.
    """
    stored = path.stat().st_size
    try:
        return _of_tiff(path, stored) if path.suffix.lower() in TIFF_SUFFIXES else _of_picture(path)
    except Exception:  # noqa: BLE001 - damaged files make decoders raise anything
        return stored


def _of_tiff(path: Path, stored: int) -> int:
    with tifffile.TiffFile(path) as file:
        page = file.pages.first
        if page.compression == tifffile.COMPRESSION.NONE:
            return min(stored, LARGE)
        return int(page.nbytes * stored / max(sum(page.databytecounts), 1))


def _of_picture(path: Path) -> int:
    properties = imageio.improps(path, plugin="pillow", index=0)
    return int(prod(properties.shape) * properties.dtype.itemsize)
