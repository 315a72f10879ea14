"""Read PNG, JPEG and BMP: come here when such a picture has other numbers, colours or sides than it should."""

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import imagecodecs
import numpy as np

from microforge.io.images.colour import inks_to_rgb
from microforge.io.images.limits import check_picture
from microforge.io.images.orientation import UPRIGHT, upright
from microforge.io.images.tiff import RawImage
from microforge.io.images.tiff_errors import in_words, too_large
from microforge.types import Array

if TYPE_CHECKING:
    from PIL.ImageFile import ImageFile

_PNG = b"\x89PNG\r\n\x1a\n"
JPEG = b"\xff\xd8\xff"
_BMP = b"BM"
#: How files of each kind begin, and how many pixels a byte can give: deflate packs 1:1032, of 1-bit pixels; JPEG writes
#: two bits at least for 64 pixels, or one while it refines.
_MOST_PIXELS = {_PNG: 8 * 1040.0, JPEG: 1024.0, _BMP: 8 * 1040.0}
RASTER_HEADS = tuple(_MOST_PIXELS)
#: EXIF's tag of how a picture is turned.
_ORIENTATION = 0x0112


def read_raster(path: Path, head: bytes) -> RawImage:
    """Read a picture file as it is meant to be seen, upright; `head` is its first bytes.

    Where its numbers stand for colours, `palette` says for which.

    Raises
    ------
    ImageReadError
        If the file is damaged or too large.
    """
    try:
        with in_words(path), warnings.catch_warnings():
            # Of what is broken beside the pixels, which is not used.
            warnings.simplefilter("ignore")
            return _read(path, head)
    except MemoryError as error:
        raise too_large(path) from error


def _read(path: Path, head: bytes) -> RawImage:
    kind, most = next((begin, most) for begin, most in _MOST_PIXELS.items() if head.startswith(begin))
    # Of 16 bits the usual decoder would quietly keep 8 in colour, or beside transparency.
    depth = head[24] if head.startswith(_PNG) and len(head) > 25 else 8
    with _opener(kind)(path) as picture:
        check_picture(path, picture.width * picture.height, _bytes_of(picture, depth), most)
        data = imagecodecs.png_decode(path.read_bytes()) if depth == 16 else _pixels(picture)
        turn = _orientation(picture)
        palette = _palette(picture, depth)
    if palette is not None and palette.ndim == 1:
        data = data // palette[1]
    data, notes = upright(np.asarray(data), turn)
    return RawImage(data, "YXS" if data.ndim == 3 else "YX", palette=palette, notes=notes)


def _opener(kind: bytes) -> "Callable[[Path], ImageFile]":
    """Give what reads a kind; the opener of the library itself refuses 0.2 gigapixels whatever the memory."""
    # Imported here, as all commands import this module.
    from PIL.BmpImagePlugin import BmpImageFile
    from PIL.JpegImagePlugin import JpegImageFile
    from PIL.PngImagePlugin import PngImageFile

    openers: dict[bytes, Callable[[Path], ImageFile]] = {_PNG: PngImageFile, JPEG: JpegImageFile, _BMP: BmpImageFile}
    return openers[kind]


def _bytes_of(picture: "ImageFile", depth: int) -> int:
    """Give the bytes of a pixel while it is decoded: a whole copy of the decoder's, where colours take four bytes."""
    if depth == 16:
        return 16
    return 2 if picture.mode in ("1", "L", "P") else 8


def _pixels(picture: "ImageFile") -> Array:
    if picture.mode == "CMYK":
        inks = np.asarray(picture)
        # The decoder takes all for negatives, as Adobe's programs write them.
        return inks_to_rgb(inks if "adobe" in picture.info else 255 - inks)
    return np.asarray(picture)


def _palette(picture: "ImageFile", depth: int) -> Array | None:
    """Give what the numbers stand for: colours uint8 ``(N, 3)``, or grey values ``(N,)`` of pixels of 2 and 4 bits."""
    if picture.mode == "P":
        return np.array(picture.getpalette("RGB") or [0, 0, 0], np.uint8).reshape(-1, 3)
    if picture.format == "PNG" and picture.mode == "L" and depth in (2, 4):
        return np.linspace(0, 255, 1 << depth).astype(np.uint8)
    return None


def _orientation(picture: "ImageFile") -> int:
    try:
        return int(picture.getexif().get(_ORIENTATION, UPRIGHT))
    except Exception:  # noqa: BLE001 - what cameras write beside a picture may be broken; the picture is not
        return UPRIGHT
