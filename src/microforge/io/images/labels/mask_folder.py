"""A folder of masks, one for each object of an image, put together into one label image."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from microforge.axes.letters import size_text
from microforge.errors import AnnotationError
from microforge.io.files import find_images
from microforge.types import Image


def joined_masks(folder: Path, read: Callable[[Path], Image]) -> Image:
    """Number the masks of a folder in the order of their names; where two overlap, the later one lies on top.

    Parameters
    ----------
    read
        Reads one mask; what is not 0 is the object.

    Raises
    ------
    AnnotationError, ImageReadError
        If the folder holds no mask, or they differ in size.
    """
    labels, shared = np.zeros(0, np.int32), 0
    axes = "YX"
    paths = find_images([folder])
    for number, path in enumerate(paths, start=1):
        image = read(path)
        inside, axes = np.asarray(image.data) > 0, image.axes
        labels = labels if number > 1 else np.zeros(inside.shape, np.int32)
        if inside.shape != labels.shape:
            raise AnnotationError(
                f"The mask {path.name} is {size_text(inside.shape)}, {paths[0].name} is {size_text(labels.shape)}.",
                where=str(folder),
                remedy="All masks of an image must be as large as the image.",
            )
        shared += int(np.count_nonzero(labels[inside]))
        labels[inside] = number
    notes = (f"{shared} pixels belong to two masks: the later one lies on top.",) if shared else ()
    return Image(folder.parent.name, labels, axes, source=str(folder), notes=notes)
