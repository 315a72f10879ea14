"""Outlines of Shapes layers in pixels of an image."""

from collections.abc import Sequence

import numpy as np
from napari.layers import Layer, Shapes

from microforge.axes.areas import Outline
from microforge.gui.layers.convert import mapped
from microforge.types import Doubles

#: Kinds of shapes that enclose an area.
AREAS = {"rectangle", "ellipse", "polygon"}
_CORNERS_OF_AN_ELLIPSE = 64


def outlines_of(region: Shapes, grid: Layer, keep: Sequence[int]) -> tuple[Outline, ...]:
    """Give the areas of a Shapes layer in pixels of a Labels or image layer, whatever the transforms of the two.

    Parameters
    ----------
    keep
        The dimensions of that layer that are wanted: all but channels.
    """
    outlines = []
    for kind, data in zip(region.shape_type, region.data, strict=True):
        if str(kind) in AREAS:
            corners = _ellipse(data) if str(kind) == "ellipse" else np.asarray(data, np.float64)
            known = [axis - grid.ndim for axis in keep if grid.ndim - axis <= region.ndim]
            outlines.append(Outline(_to_pixels(corners, region, grid)[:, known]))
    return tuple(outlines)


def _to_pixels(corners: Doubles, region: Shapes, grid: Layer) -> Doubles:
    """Move corners to the grid of a layer; napari aligns layers at their last dimensions."""
    world = mapped(region.data_to_world, corners)
    missing = grid.ndim - world.shape[1]
    if missing > 0:
        world = np.hstack([np.zeros((len(world), missing)), world])
    return mapped(grid.world_to_data, world[:, -grid.ndim :])


def _ellipse(box: Doubles) -> Doubles:
    """Give points along the ellipse inside a box of four corners."""
    angles = np.linspace(0, 2 * np.pi, _CORNERS_OF_AN_ELLIPSE, endpoint=False)
    centre = box.mean(axis=0)
    first, second = (box[1] - box[0]) / 2, (box[3] - box[0]) / 2
    return np.asarray(centre + np.cos(angles)[:, None] * first + np.sin(angles)[:, None] * second)
