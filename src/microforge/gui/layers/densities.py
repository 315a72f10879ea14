"""Density maps of cell counts as image layers, one colour per cell type."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from napari.components import ViewerModel
from napari.layers import Layer

from microforge.answers.shown_images import ShownImage
from microforge.gui.layers.images import add_images
from microforge.inference.open_images import OpenImagePredicted

#: The colours of the dots' kinds, in the same order.
_OF_KINDS = ("cyan", "magenta", "yellow", "green", "red", "blue")
_ALONE = "magma"
_OPACITY = 0.6
#: Of larger images every so many pixels are looked at.
_PIXELS_READ = 1 << 18


def add_density(viewer: ViewerModel, event: OpenImagePredicted, details: Mapping[str, Any]) -> list[Layer]:
    """Show the density of each kind in the colour of its dots; give the layers."""
    prediction, many = event.prediction, len(event.images) > 1
    images = [
        replace(image, colour=_OF_KINDS[k % len(_OF_KINDS)] if many else _ALONE, limits=_limits(image))
        for k, image in enumerate(event.images)
    ]
    before = set(viewer.layers)
    layers = add_images(viewer, event.place, images, details, prediction.image_name, prediction.pixel_size)
    for layer in layers:
        if layer not in before:
            layer.opacity = _OPACITY
            # Light that is added to a bright image cannot be seen.
            layer.visible = not (event.image is not None and event.image.axes.endswith("S"))
    return layers


def _limits(image: ShownImage) -> tuple[float, float]:
    """Give from none to the most cells per pixel, so that what is empty stays dark."""
    values = image.data.reshape(-1)[:: max(1, image.data.size // _PIXELS_READ)]
    return 0.0, max(float(np.max(values)), 1e-6)
