"""Where the canvas looks, and the box around what is chosen on it; come here to bring something into view."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from napari.components import ViewerModel
from napari.layers import Layer

_BOX = "selection_box"


def camera_of(viewer: ViewerModel) -> Any:
    """Give the camera; napari 0.9 moved it and warns of the old place."""
    return getattr(viewer, "scene", viewer).camera


def look_at(viewer: ViewerModel, layer: Layer, place: Sequence[float]) -> None:
    """Bring a place, in pixels of a layer, into the middle of the view, on its plane and time point."""
    world = layer.data_to_world(place)
    first = viewer.dims.ndim - len(world)
    shown = [axis - first for axis in viewer.dims.displayed if axis >= first]
    for axis, position in enumerate(world):
        if axis not in shown:
            viewer.dims.set_point(first + axis, position)
    camera_of(viewer).center = tuple(world[axis] for axis in shown)


def zoom_to(viewer: ViewerModel, layer: Layer, pixels: float, screen: float) -> None:
    """Zoom such that a length along the last axis of a layer fills a length of the screen, both in pixels."""
    size = float(np.abs(layer.scale[-1])) * pixels
    if size > 0 and screen > 0:
        camera_of(viewer).zoom = screen / size


def place_shown(viewer: ViewerModel, layer: Layer) -> Any:
    """Give the place that is looked at, in pixels of a layer; only those along axes with a slider mean anything."""
    return layer.world_to_data(viewer.dims.point[viewer.dims.ndim - layer.ndim :])


class ChosenBox:
    """A box around one thing of a layer: an overlay that its layer brings along, so that there is no layer more."""

    def __init__(self) -> None:
        self._overlay: Any = None

    def show(self, layer: Layer, corners: Sequence[tuple[float, ...]], *, handles: bool = True) -> None:
        """Draw a box between two places ``(Y, X)``, in pixels of a layer that is seen in two dimensions.

        Handles make a small box easier to find.
        """
        self.hide()
        # napari has no other name for it, neither in 0.8 nor in 0.9.
        self._overlay = getattr(layer, "_overlays", {}).get(_BOX)
        if self._overlay is not None:
            self._overlay.bounds = (tuple(corners[0]), tuple(corners[1]))
            self._overlay.handles = handles
            self._overlay.visible = True

    def hide(self) -> None:
        """Take the box away."""
        if self._overlay is not None:
            self._overlay.visible = False
            self._overlay = None
