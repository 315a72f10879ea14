"""Turn errors and warnings of the libraries that decode images into words for people.

The library for TIFF reads what it can of a cut file and only logs a complaint: those that mean loss are errors here.
"""

import logging
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import tifffile

from microforge.errors import ImageReadError
from microforge.io.images.opening import gone
from microforge.memory import bytes_text

_LOSS = re.compile(
    r"invalid page offset|metadata invalid or corrupted|failed to reshape|TiffTag 270 .*invalid value offset"
)

_UNKNOWN = re.compile(
    r"not supported|unsupported|cannot handle|requires the '|sample formats do not match", re.IGNORECASE
)


@contextmanager
def in_words(path: Path, place: str = "") -> Iterator[None]:
    """Turn whatever the library says while it reads a file, or a `place` in it, into an `ImageReadError`.

    Raises
    ------
    ImageReadError
        Where it raised, or only complained of a loss.
    PermissionError, MemoryError
        As they came.
    """
    with _complaints() as complaints:
        try:
            yield
        except (ImageReadError, PermissionError, MemoryError):
            raise
        except Exception as error:
            if isinstance(error, OSError) and error.errno is not None:
                raise gone(path, error) from error
            if isinstance(error, NotImplementedError) or _UNKNOWN.search(str(error)):
                raise unsupported(path, place + str(error)) from error
            # Damaged files make decoders raise anything.
            raise damaged(path, place + str(error)) from error
    loss = next((text for text in complaints if _LOSS.search(text)), "")
    if loss:
        raise damaged(path, place + loss)


def damaged(path: Path, detail: str) -> ImageReadError:
    """Give the error for a file that ends early or holds garbage."""
    return ImageReadError(
        f"The file is damaged or was not copied completely ({_short(detail)}).",
        where=str(path),
        remedy="Copy it again from where it was recorded; if Fiji opens it, save it from there as a new TIFF.",
    )


def unsupported(path: Path, detail: str) -> ImageReadError:
    """Give the error for a file that may be whole, but is stored in a way that nobody here can decode."""
    return ImageReadError(
        f"The image is stored in a way that cannot be read ({_short(detail)}).",
        where=str(path),
        remedy="Open it in the program that wrote it, or in Fiji (File > Import > Bio-Formats), and save it as a plain "
        "TIFF; a colour picture as RGB.",
    )


def too_large(path: Path, needed: int = 0, free: int = 0) -> ImageReadError:
    """Give the error for an image that does not fit into memory; `needed` and `free` are bytes, where known."""
    numbers = f" ({bytes_text(needed)} are needed, {bytes_text(free)} are free)" if needed else ""
    return ImageReadError(
        f"The image does not fit into the memory of this computer{numbers}.",
        where=str(path),
        remedy="Save it as an uncompressed TIFF, which is read piece by piece, or cut it into parts.",
    )


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


def _short(detail: str) -> str:
    return re.sub(r"<tifffile\.[^>]*>\s*", "", detail).strip().split("\n")[0][:120]


class _Listener(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.texts: list[str] = []
        self._thread = threading.get_ident()

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the text if it comes from the thread that listens."""
        if record.thread == self._thread:
            self.texts.append(record.getMessage())
