"""Whether the compression of a file changed its numbers: come here when label files are refused, or taken, wrongly."""

import struct
from collections.abc import Callable
from pathlib import Path

import imagecodecs
import tifffile
from tifffile import COMPRESSION

#: So many bytes of the first block are looked at: what says how it was compressed stands at its start.
_START = 4096
#: LERC may be packed once more, so that the whole block is needed.
_BLOCK = 1 << 26
_LERC = b"Lerc2 "


def lossy_compression(path: Path) -> str:
    """Name the compression of a TIFF that changes numbers; empty where there is none, or it keeps them.

    JPEG 2000, WebP, JPEG and LERC can do both; their first block says which. JPEG XL and JPEG XR say it
    deep inside: what they change shows in the values.
    """
    with tifffile.TiffFile(path) as file:
        page = file.pages.first
        name, changes = _KINDS.get(page.compression, ("", _never))
        if not name or not page.dataoffsets:
            return ""
        file.filehandle.seek(page.dataoffsets[0])
        most = _BLOCK if page.compression == COMPRESSION.LERC else _START
        start = file.filehandle.read(min(most, page.databytecounts[0]))
    return name if changes(start) else ""


def _never(start: bytes) -> bool:
    return False


def _jpeg(start: bytes) -> bool:
    """Look for the frame's marker: 3, 7, 11 and 15 are the lossless kinds, 55 is JPEG-LS."""
    at = 2
    while at + 4 <= len(start) and start[at] == 0xFF:
        marker, length = start[at + 1], struct.unpack(">H", start[at + 2 : at + 4])[0]
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            return marker not in (0xC3, 0xC7, 0xCB, 0xCF)
        if marker == 0xF7:
            return False
        at += 2 + length
    return True


def _jpeg_2000(start: bytes) -> bool:
    """Look for the transformation in the coding style: 0 is the irreversible one."""
    at = start.find(b"\xff\x52")
    return at < 0 or at + 13 >= len(start) or start[at + 13] == 0


def _webp(start: bytes) -> bool:
    return start[12:16] == b"VP8 " or (start[12:16] == b"VP8X" and b"VP8L" not in start)


def _lerc(start: bytes) -> bool:
    """Read the greatest error that was allowed; half a number changes none."""
    start = start if start.startswith(_LERC) else _unpacked(start)
    if not start.startswith(_LERC):
        return False
    version = struct.unpack("<i", start[6:10])[0]
    # Versions differ in a check sum, a depth and flags before it.
    at = 10 + (4 if version >= 3 else 0) + 24 + (4 if version >= 4 else 0) + (8 if version >= 6 else 0)
    return at + 8 <= len(start) and struct.unpack("<d", start[at : at + 8])[0] > 0.5


def _unpacked(start: bytes) -> bytes:
    """Take away the lossless compression that may lie around LERC."""
    for decode in (imagecodecs.zlib_decode, imagecodecs.zstd_decode):
        try:
            return bytes(decode(start))
        except Exception:  # noqa: BLE001
            # Decoders raise anything for what is not theirs.
            continue
    return b""


_KINDS: dict[int, tuple[str, Callable[[bytes], bool]]] = {
    **dict.fromkeys(
        (COMPRESSION.OJPEG, COMPRESSION.JPEG, COMPRESSION.ALT_JPEG, COMPRESSION.JPEG_LOSSY), ("JPEG", _jpeg)
    ),
    **dict.fromkeys(
        (
            COMPRESSION.JPEG2000,
            COMPRESSION.JPEG_2000_LOSSY,
            COMPRESSION.APERIO_JP2000_RGB,
            COMPRESSION.APERIO_JP2000_YCBC,
        ),
        ("JPEG 2000 with loss", _jpeg_2000),
    ),
    **dict.fromkeys((COMPRESSION.WEBP, COMPRESSION.WEBP_DEPRECATED), ("WebP with loss", _webp)),
    COMPRESSION.LERC: ("LERC with loss", _lerc),
}
