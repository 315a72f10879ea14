"""Open files for the first time: come here when something cannot be opened, or is no file at all."""

from pathlib import Path

from microforge.errors import ImageReadError
from microforge.io.files import check_file

_HEAD = 32


def read_head(path: Path) -> bytes:
    """Give the first bytes of a file; they tell its kind more surely than the name.

    Raises
    ------
    ImageReadError
        If there is no such file, it is none (a folder, a pipe), it is empty or may not be read.
    """
    try:
        check_file(path)
        with path.open("rb") as file:
            head = file.read(_HEAD)
    except FileNotFoundError as error:
        raise gone(path, error) from error
    except OSError as error:
        raise forbidden(path) from error
    if not head:
        raise ImageReadError(
            "The file is empty (0 bytes).", where=str(path), remedy="Copy it again from where it was recorded."
        )
    return head


def forbidden(path: Path) -> ImageReadError:
    """Give the error for a file that may not be read."""
    return ImageReadError(
        "The file cannot be opened.",
        where=str(path),
        remedy="Check that you may read it and that the drive is connected.",
    )


def gone(path: Path, error: OSError) -> ImageReadError:
    """Give the error for a file that was there a moment ago."""
    return ImageReadError(
        f"The file cannot be read any more ({error.strerror or error}).",
        where=str(path),
        remedy="Check that it is still there and that the drive is connected.",
    )
