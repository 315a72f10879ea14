"""Labels kept as colours: come here when a colour picture is refused as labels, or taken for them.

Programs that paint each object or class in a colour of its own save such pictures. Few exact colours are as good as
numbers; those of a photograph, or of a coloured view over the image, are not.
"""

from pathlib import Path

import numpy as np

from microforge.errors import AnnotationError
from microforge.types import Array

_MOST_COLOURS = 2000
#: Of what is painted, such a part lies inside areas of one colour; thin lines and shades do not.
_PLAIN_PART = 0.4


def numbers_of_colours(colours: Array, path: Path) -> tuple[Array, str]:
    """Give the numbers that colours stand for, and a note that says so.

    Parameters
    ----------
    colours
        uint8 ``YXS``, three samples; black is background.

    Returns
    -------
    tuple
        int32 ``YX``: 65536 red + 256 green + blue, so that a colour is the same number in every file; and the note.

    Raises
    ------
    AnnotationError
        If the picture has too many colours, or shades of them.
    """
    if colours.dtype != np.uint8 or colours.ndim != 3:
        raise _no_labels(path, "")
    numbers = (colours[..., :3].astype(np.int32) * np.array([65536, 256, 1], np.int32)).sum(-1, dtype=np.int32)
    found = np.unique(numbers[numbers > 0])
    if len(found) > _MOST_COLOURS or not _is_plain(numbers):
        raise _no_labels(path, f" It has {len(found):,} colours, most of them shades.")
    shown = ", ".join(f"#{value:06X}" for value in found[:4].tolist()) + (" ..." if len(found) > 4 else "")
    return numbers, f"The labels are colours: each of {len(found)} ({shown}) is taken as a number, black as background."


def _is_plain(numbers: Array) -> bool:
    from scipy import ndimage  # takes a tenth of a second, and all commands import this module

    plain = ndimage.minimum_filter(numbers, 3) == ndimage.maximum_filter(numbers, 3)
    painted = numbers > 0
    return bool(painted.any() and np.count_nonzero(plain & painted) > _PLAIN_PART * np.count_nonzero(painted))


def _no_labels(path: Path, found: str) -> AnnotationError:
    return AnnotationError(
        f"This is a colour picture, not a label image.{found}",
        where=str(path),
        remedy="Save the labels themselves (one number per object), or with one plain colour for each and without "
        "smoothing; not a coloured view of them over the image.",
    )
