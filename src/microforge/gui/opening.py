"""Open an image file and its result as layers, read in a thread so that a large file does not freeze the window."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from napari.layers import Image as ImageLayer
from napari.layers import Labels

from microforge.gui.layers import add_beside_brushes
from microforge.gui.session import Session, mark_result
from microforge.types import Array, Image


@dataclass(frozen=True, eq=False)
class Opened:
    """An image, and the labels found in it (None where there are none)."""

    image: Image
    labels: Image | None


def open_files(path: Path, result: Path | None) -> Iterator[Opened]:
    """Read an image and its result."""
    from microforge.io.images import read_image, read_labels

    yield Opened(read_image(path), read_labels(result) if result is not None and result.exists() else None)


def show_opened(session: Session, opened: Opened) -> None:
    """Add what was read as layers; the image becomes the selected one."""
    viewer, image = session.viewer, opened.image
    is_rgb = image.axes.endswith("S")
    layer = ImageLayer(image.data, name=image.name, rgb=is_rgb, **_placed(image, image.axes.removesuffix("S")))
    add_beside_brushes(viewer, layer)
    session.set_axes(layer, image.axes)
    if opened.labels is not None:
        data, axes = _aligned(np.asarray(opened.labels.data), opened.labels.axes, image)
        labels = Labels(data, name=f"{image.name} (objects)", opacity=0.6, **_placed(image, axes))
        mark_result(labels, image.name)
        add_beside_brushes(viewer, labels)
    viewer.layers.selection.active = layer
    viewer.reset_view()


def _aligned(data: Array, axes: str, image: Image) -> tuple[Array, str]:
    """Repeat labels along a channel axis that stands between others: napari aligns layers at their last dimensions."""
    letters = image.axes.removesuffix("S")
    channel = letters.find("C")
    if channel <= 0 or channel > len(axes):
        return data, axes
    data = np.broadcast_to(
        np.expand_dims(data, channel), [*data.shape[:channel], image.data.shape[channel], *data.shape[channel:]]
    )
    return data, letters


def _placed(image: Image, axes: str) -> dict[str, Any]:
    if image.pixel_size is None:
        return {}
    sizes = dict(zip("ZYX"[-len(image.pixel_size) :], image.pixel_size, strict=True))
    units = tuple("um" if axis in sizes else "pixel" for axis in axes)
    return {"scale": [sizes.get(axis, 1.0) for axis in axes], "units": units}
