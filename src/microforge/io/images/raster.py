"""Read PNG, JPEG and BMP."""

from pathlib import Path

import imagecodecs
import imageio.v3 as imageio
import numpy as np

from microforge.io.images.tiff import RawImage
from microforge.io.images.tiff_errors import damaged, too_large
from microforge.types import Array

_PNG = b"\x89PNG\r\n\x1a\n"
JPEG = b"\xff\xd8\xff"
#: How files of each kind begin.
RASTER_HEADS = (_PNG, JPEG, b"BM")


def read_raster(path: Path, head: bytes) -> RawImage:
    """Read a picture file; `head` is its first bytes.

    A palette of colours is applied; `read_palette` gives the numbers themselves.

    Raises
    ------
    ImageReadError
        If the file is damaged or too large.
    """
    try:
        data = _decode(path, head)
    except MemoryError as error:
        raise too_large(path) from error
    except PermissionError:
        raise
    except Exception as error:
        # Damaged files make decoders raise anything.
        raise damaged(path, str(error)) from error
    return RawImage(data, "YXS" if data.ndim == 3 else "YX")


def read_palette(path: Path) -> Array | None:
    """Give the numbers behind the colours of a picture with a palette, uint8 YX; None for any other picture."""
    if imageio.immeta(path, plugin="pillow", exclude_applied=False).get("mode") != "P":
        return None
    return np.asarray(imageio.imread(path, plugin="pillow", mode="P"))


def _decode(path: Path, head: bytes) -> Array:
    # The usual decoder would quietly cut 16-bit colours down to 8 bit.
    deep_colour = head.startswith(_PNG) and len(head) > 25 and head[24] == 16 and head[25] in (2, 6)
    if deep_colour:
        return np.asarray(imagecodecs.png_decode(path.read_bytes()))
    return np.asarray(imageio.imread(path, plugin="pillow", index=0))
