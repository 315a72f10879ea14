"""Whether an image is its file, or has to be copied into a project; come here when one comes back with other pixels."""

from pathlib import Path

import numpy as np

from microforge.errors import MicroforgeError
from microforge.project import ImageSource
from microforge.types import Array, Image


def source_of(image: Image) -> ImageSource:
    """Give what a project takes in: the file of an image, or its pixels."""
    path = file_with(image)
    if path is None:
        return ImageSource(image=image, name=image.name)
    shape = tuple(image.data.shape)
    return ImageSource(path, name=image.name, axes=image.axes, pixel_size=image.pixel_size, shape=shape)


def file_with(image: Image) -> Path | None:
    """Give the file of an image if reading it gives the same pixels; None otherwise.

    napari, and other plugins, may read a file otherwise: a channel of it, another resolution, changed values.
    """
    from microforge.io.images import read_image

    path = Path(image.source)
    try:
        if not image.source or not path.is_file():
            return None
        read = read_image(path)
        return path if tuple(read.data.shape) == tuple(image.data.shape) and _alike(read, image) else None
    except (MicroforgeError, OSError, ValueError, MemoryError):
        return None


def _alike(read: Image, image: Image) -> bool:
    """Compare the first plane and the last; reading all of a large file would take minutes."""
    return all(np.array_equal(_plane(read, end), _plane(image, end)) for end in (0, -1))


def _plane(image: Image, end: int) -> Array:
    kept = 3 if image.axes.endswith("S") else 2
    leading = image.data.ndim - kept
    return np.asarray(image.data[(*(end % n for n in image.data.shape[:leading]), ...)])
