"""Annotated points: between Points layers and pixel coordinates, with cell types."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
from napari.components import ViewerModel
from napari.layers import Layer
from napari.layers import Points as PointsLayer

from microforge.errors import AnnotationError
from microforge.gui.layers.brush_cursor import brushes_down
from microforge.gui.layers.convert import geometry_of, mapped
from microforge.gui.layers.layer_axes import drawing_axes, long_letters, shape_of_layer, shown_dimensions
from microforge.gui.layers.marks import mine_point
from microforge.types import Doubles, Points

#: Where a layer keeps the kind of its cells, and the columns of features that may hold the kind of each point.
KIND = "microforge_kind"
POINT_COLUMNS = ("kind", "label", "class")
#: Numbers that tell more kinds than this apart are numbers of objects.
_MOST_NUMBERS = 9
#: A point is so small a part of the image's side, within limits in pixels, and never smaller on the screen than this.
_PART, _SMALLEST, _LARGEST, _ON_SCREEN = 1 / 64, 4, 16, 7


def add_points(viewer: ViewerModel, image: Layer, axes: str, kind: str = "", number: int = 0) -> PointsLayer:
    """Make the empty Points layer to click the cells of an image.

    Parameters
    ----------
    kind
        Name of the kind of cells; empty where there is but one.
    number
        Which kind it is: chooses the colour.
    """
    keep = shown_dimensions(axes)
    points = PointsLayer(
        ndim=len(keep),
        name=name_of_layer(image, kind),
        **mine_point(number),
        size=clicked_point_size(image, axes),
        canvas_size_limits=(_ON_SCREEN, 10_000),
        **geometry_of(image, keep),
    )
    points.metadata[KIND] = kind
    with brushes_down(viewer, again=False):
        viewer.add_layer(points)
    return points


def name_of_layer(image: Layer, kind: str) -> str:
    """Give the name of the layer for a kind of cells."""
    return f"{image.name} {kind or 'cells'}"


def clicked_point_size(image: Layer, axes: str) -> int:
    """Give the size of a point, in pixels, that shows on the image without hiding its cell."""
    side = max(shape_of_layer(image)[axes.index(letter)] for letter in "YX")
    return int(np.clip(round(side * _PART), _SMALLEST, _LARGEST))


def kind_column(layer: PointsLayer) -> str:
    """Give the column of the layer's features that says the kind of each point; empty where there is none."""
    names = {str(name).lower(): name for name in layer.features.columns}
    for name in POINT_COLUMNS:
        if name in names and len(layer.data):
            values = layer.features[names[name]]
            count = values.nunique()
            numbers = values.dtype.kind in "iuf"
            if count and (not numbers or count <= min(_MOST_NUMBERS, len(values) - 1)):
                return str(names[name])
    return ""


def kinds_of(layer: PointsLayer) -> tuple[tuple[str, ...], npt.NDArray[np.int32]]:
    """Give the names of the kinds in a layer, and which of them each point is of.

    Raises
    ------
    AnnotationError
        If the features tell kinds apart, but not of every point.
    """
    column = kind_column(layer)
    if not column:
        return (str(layer.metadata.get(KIND, "")),), np.zeros(len(layer.data), np.int32)
    codes, values = layer.features[column].factorize()
    if (codes < 0).any():
        raise AnnotationError(
            f"{int((codes < 0).sum())} of its points have nothing in the column '{column}'.",
            where=layer.name,
            remedy="Give them a kind in the layer's features, or delete them.",
        )
    return tuple(str(value) for value in values), codes.astype(np.int32)


def named_layers(layers: Sequence[PointsLayer]) -> list[tuple[str, ...]]:
    """Give the names of the kinds in each of an image's layers; of several layers each has a name."""
    names = [kinds_of(layer)[0] for layer in layers]
    return [
        tuple(name or (layer.name if len(layers) > 1 else "") for name in own)
        for layer, own in zip(layers, names, strict=True)
    ]


def points_on(layers: Sequence[PointsLayer], image: Layer, axes: str) -> Points:
    """Copy the points of layers, in pixels of an image, whatever the transforms of the layers.

    Raises
    ------
    AnnotationError
        If a layer lacks dimensions of the image, or does not say the kind of each point.
    """
    named = named_layers(layers)
    names = tuple(dict.fromkeys(name for own in named for name in own)) or ("",)
    letters = long_letters(drawing_axes(axes))
    places, kinds = [np.zeros((0, len(letters)))], [np.zeros(0, np.int32)]
    for layer, own in zip(layers, named, strict=True):
        places.append(_pixels_of(layer, image, axes))
        index = np.array([names.index(name) for name in own], np.int32)
        kinds.append(index[kinds_of(layer)[1]])
    return Points(np.concatenate(places).astype(np.float32), np.concatenate(kinds), names, letters)


def places_in(layer: PointsLayer, points: Points, image: Layer, axes: str) -> Doubles:
    """Give points in pixels of an image as coordinates of a layer on it, whatever its transforms."""
    letters = axes.replace("S", "")
    pixels = np.zeros((len(points), image.ndim))
    pixels[:, [letters.index(letter) for letter in points.axes]] = points.coordinates
    world = mapped(image.data_to_world, pixels)
    return mapped(layer.world_to_data, world[:, -layer.ndim :])


def outside(points: Points, image: Layer, axes: str) -> int:
    """Count the points that do not lie on an image."""
    size = np.array([shape_of_layer(image)[axes.index(letter)] for letter in points.axes])
    inside = (points.coordinates >= -0.5) & (points.coordinates < size - 0.5)
    return int((~np.all(inside, axis=1)).sum())


def agreed(every: Sequence[Points]) -> list[Points]:
    """Give the points of several images with kinds of the same names: one kind only may lack its name on some images.

    Raises
    ------
    AnnotationError
        If some points have no kind, and others are of several.
    """
    names = tuple(dict.fromkeys(name for points in every for name in points.kinds if name))
    plain = [points for points in every if "" in points.kinds]
    if len(names) > 1 and any(len(points.of_kind("")) for points in plain):
        raise AnnotationError(
            f"Some points are of the kinds {', '.join(names)}, others of no kind.",
            remedy="Give the points of every image a kind: type its name beside them in Annotate.",
        )
    if len(names) > 1:
        return [replace(points, kinds=names) if points.kinds == ("",) else points for points in every]
    return [replace(points, kinds=names or ("",)) for points in every]


def _pixels_of(layer: PointsLayer, image: Layer, axes: str) -> Doubles:
    letters = axes.replace("S", "")
    world = mapped(layer.data_to_world, np.asarray(layer.data, np.float64))
    missing = image.ndim - world.shape[1]
    if missing > 0:
        # napari aligns layers at their last dimensions; a point without a channel is on every channel.
        lacking = long_letters(letters[:missing]).replace("C", "")
        if lacking:
            raise AnnotationError(
                f"Its points have {world.shape[1]} coordinates, the image has {image.ndim} dimensions.",
                where=layer.name,
                remedy="Click the cells on this image anew, or choose the Points layer that belongs to it.",
            )
        world = np.hstack([np.zeros((len(world), missing)), world])
    pixels = mapped(image.world_to_data, world[:, -image.ndim :])
    return np.asarray(pixels[:, [letters.index(letter) for letter in long_letters(drawing_axes(axes))]])
