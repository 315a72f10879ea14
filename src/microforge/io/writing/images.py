"""Write label images and images that are in memory as a whole."""

from pathlib import Path

import numpy as np

from microforge.axes.letters import check_axes, size_text
from microforge.errors import WriteError
from microforge.io.writing.frames import ORDER, Layout, open_image, stored_type
from microforge.types import Array, PixelSize


def write_labels(
    path: str | Path, labels: Array, axes: str, pixel_size: PixelSize | None, *, durable: bool = True
) -> None:
    """Write a label image as uint32 TIFF, compressed without loss.

    Parameters
    ----------
    labels
        Whole numbers, not negative; axes as in `axes`.
    axes
        ``(T)(Z)YX``, in this order.
    pixel_size
        ``(Z)YX`` in micrometre.
    durable
        See ``atomic_path``.

    Raises
    ------
    AxesError
        If the axes do not fit the shape.
    WriteError
        If the file cannot be written; one that was there is unchanged.
    """
    axes = check_axes(axes, labels.shape)
    if axes != "".join(letter for letter in "TZYX" if letter in axes):
        raise WriteError(f"Label images of {size_text(labels.shape)} need axes in the order (T)(Z)YX.", where=str(path))
    with open_image(path, Layout(axes, labels.shape, np.dtype(np.uint32), pixel_size), durable=durable) as append:
        append(labels)


def write_image(
    path: str | Path,
    image: Array,
    axes: str,
    pixel_size: PixelSize | None,
    *,
    channel_names: tuple[str, ...] = (),
    time_interval: float | None = None,
    durable: bool = True,
) -> None:
    """Write an image as TIFF with the description of an ImageJ hyperstack, uncompressed.

    Parameters
    ----------
    image
        Axes as in `axes`: letters of TZCYX in any order. uint8, int16 and uint16 are kept, all else becomes float32.
    pixel_size
        ``(Z)YX`` in micrometre.
    time_interval
        Seconds between time points.

    Raises
    ------
    AxesError
        If the axes do not fit the shape.
    WriteError
        If the file cannot be written; one that was there is unchanged.
    """
    axes = check_axes(axes, image.shape)
    stored = "".join(letter for letter in ORDER if letter in axes)
    image = image.transpose([axes.index(letter) for letter in stored])
    layout = Layout(stored, image.shape, stored_type(image.dtype), pixel_size, channel_names, time_interval)
    with open_image(path, layout, durable=durable) as append:
        append(image)
