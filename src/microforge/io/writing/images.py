"""Results on disk: label images, images and tables, each written all or nothing.

TIFFs carry the description that ImageJ writes: Fiji, napari and ``read_image`` all take axes and pixel size from it.
"""

from pathlib import Path
from typing import Any

import numpy as np
import tifffile

from microforge.axes.letters import check_axes, size_text
from microforge.errors import WriteError
from microforge.io.atomic import atomic_path
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
    axes = _ordered(path, labels, axes, "TZYX")
    description = _imagej_description(labels, axes, pixel_size)
    with atomic_path(path, durable=durable) as temporary:
        tifffile.imwrite(
            temporary,
            labels.astype(np.uint32, copy=False),
            photometric="minisblack",
            compression="zlib",
            description=description,
            metadata=None,
            resolution=_per_unit(pixel_size),
            resolutionunit="NONE",
            # Threads cost more than they give at this size, and folder runs write several files at once.
            maxworkers=1,
        )


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


def _ordered(path: str | Path, data: Array, axes: str, order: str) -> str:
    axes = check_axes(axes, data.shape)
    if axes != "".join(letter for letter in order if letter in axes):
        raise WriteError(f"Label images of {size_text(data.shape)} need axes in the order (T)(Z)YX.", where=str(path))
    return axes


def _imagej_description(labels: Array, axes: str, pixel_size: PixelSize | None) -> str:
    lengths = dict(zip(axes, labels.shape, strict=True))
    slices, frames = lengths.get("Z", 1), lengths.get("T", 1)
    parts: dict[str, Any] = {"ImageJ": "1.11a"}
    if slices * frames > 1:
        parts |= {"images": slices * frames, "slices": slices, "frames": frames}
    if slices > 1 and frames > 1:
        parts["hyperstack"] = "true"
    parts |= _calibration(axes, pixel_size)
    # Without a range Fiji would show many objects as one brightness.
    parts |= {"loop": "false", "min": 0.0, "max": float(labels.max(initial=0))}
    return "".join(f"{name}={value}\n" for name, value in parts.items())


def _calibration(axes: str, pixel_size: PixelSize | None) -> dict[str, Any]:
    if pixel_size is None:
        return {}
    depth = {"spacing": float(pixel_size[0])} if "Z" in axes and len(pixel_size) == 3 else {}
    return {"unit": "um", **depth}


def _per_unit(pixel_size: PixelSize | None) -> tuple[float, float] | None:
    return (1 / pixel_size[-1], 1 / pixel_size[-2]) if pixel_size else None
