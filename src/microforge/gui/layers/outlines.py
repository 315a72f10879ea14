"""From rectangles, ellipses and polygons drawn on an image to a mask on the image's own grid."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from napari.layers import Layer, Shapes
from skimage.draw import polygon as polygon_pixels

from microforge.types import Doubles

#: Kinds of shapes that enclose an area.
AREAS = {"rectangle", "ellipse", "polygon"}
_CORNERS_OF_AN_ELLIPSE = 64


@dataclass(frozen=True, eq=False)
class Outline:
    """An area on one plane of an image.

    Attributes
    ----------
    corners
        In pixels of the image's grid, one column per dimension; where columns are missing in front, the area counts
        for every position along those dimensions.
    """

    corners: Doubles


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


def mask_of(outlines: Sequence[Outline], shape: tuple[int, ...]) -> npt.NDArray[np.bool_]:
    """Give a bool array, True inside any of the areas; an area counts only for the plane it was drawn on."""
    mask = np.zeros(shape, bool)
    for outline in outlines:
        _fill(mask, outline.corners)
    return mask


def _fill(mask: npt.NDArray[np.bool_], corners: Doubles) -> None:
    columns = corners.shape[1]
    # The two dimensions that vary most span the plane; along the others the corners share one position.
    spans = np.ptp(corners, axis=0)
    flat = sorted(sorted(range(columns), key=lambda column: (spans[column], column))[-2:])
    index: list[slice | int] = [slice(None)] * mask.ndim
    for column in set(range(columns)) - set(flat):
        axis, position = mask.ndim - columns + column, round(float(corners[:, column].mean()))
        if not 0 <= position < mask.shape[axis]:
            return
        index[axis] = position
    plane = mask[tuple(index)]
    rows, cols = polygon_pixels(corners[:, flat[0]], corners[:, flat[1]], plane.shape[-2:])
    plane[..., rows, cols] = True


def _to_pixels(corners: Doubles, region: Shapes, grid: Layer) -> Doubles:
    """Move corners to the grid of a layer; napari aligns layers at their last dimensions."""
    world = _moved(corners, region.data_to_world)
    missing = grid.ndim - world.shape[1]
    if missing > 0:
        world = np.hstack([np.zeros((len(world), missing)), world])
    return _moved(world[:, -grid.ndim :], grid.world_to_data)


def _moved(points: Doubles, move: Callable[[Doubles], Any]) -> Doubles:
    """Apply an affine transform that takes one point at a time; many at once are a hundred times quicker."""
    zero = np.zeros(points.shape[1])
    origin = np.asarray(move(zero), np.float64)
    steps = np.array([np.asarray(move(unit), np.float64) - origin for unit in np.eye(points.shape[1])])
    return np.asarray(points @ steps + origin)


def _ellipse(box: Doubles) -> Doubles:
    """Give points along the ellipse inside a box of four corners."""
    angles = np.linspace(0, 2 * np.pi, _CORNERS_OF_AN_ELLIPSE, endpoint=False)
    centre = box.mean(axis=0)
    first, second = (box[1] - box[0]) / 2, (box[3] - box[0]) / 2
    return np.asarray(centre + np.cos(angles)[:, None] * first + np.sin(angles)[:, None] * second)
